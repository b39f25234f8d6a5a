#include "app/bounded_end.hpp"

#include "telemetry/log.hpp"

#include <cstdlib>
#include <future>
#include <system_error>
#include <thread>
#include <utility>

namespace keygate::app {

void end_without_names() {
  telemetry::log(telemetry::Level::warn, "a name look-up is still under way: ending without it");
  std::_Exit(EXIT_SUCCESS);
}

BoundedLoop::~BoundedLoop() {
  std::promise<void> ended;
  std::thread guard;
  try {
    guard = std::thread([end = ended.get_future()] {
      if (end.wait_for(last_wait) == std::future_status::timeout) {
        end_without_names();
      }
    });
  } catch (const std::system_error&) {  // no thread is to be had: then the end takes what it takes
  }
  io_.reset();
  ended.set_value();
  if (guard.joinable()) {
    guard.join();
  }
}

}  // namespace keygate::app
