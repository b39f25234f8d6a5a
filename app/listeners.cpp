#include "app/listeners.hpp"

#include <unistd.h>

namespace keygate::app {
namespace {

void close_all(const OpenedListeners& opened) {
  for (const auto& of_worker : opened) {
    for (const OpenedListener& listener : of_worker) {
      ::close(listener.descriptor);
    }
  }
}

}  // namespace

std::variant<OpenedListeners, std::string> open_listeners(const std::vector<config::ListenerSettings>& wanted,
                                                          std::size_t workers) {
  OpenedListeners opened(workers);
  for (const config::ListenerSettings& settings : wanted) {
    error_code error = proxy::probe_address(settings);
    for (std::size_t i = 0; i < workers && !error; ++i) {
      const Result<int> descriptor = proxy::open_listener(settings);
      if (descriptor) {
        opened[i].push_back({settings, *descriptor});
      } else {
        error = descriptor.error();
      }
    }
    if (error) {
      close_all(opened);
      return "cannot listen on " + name_of(settings) + ": " + error.message();
    }
  }
  return opened;
}

}  // namespace keygate::app
