#include "app/listeners.hpp"

#include <unistd.h>

namespace keygate::app {
namespace {

void close_all(const OpenedListeners& opened) {
  for (const auto& of_worker : opened) {
    for (const OpenedListener& listener : of_worker) {
      ::close(listener.socket.descriptor);
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
      const bool is_first = settings.socket.empty() || i == 0;
      Result<proxy::ListeningSocket> socket =
          is_first ? proxy::open_listener(settings) : proxy::share(opened.front().back().socket);
      if (socket) {
        opened[i].push_back({settings, std::move(*socket)});
      } else {
        error = socket.error();
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
