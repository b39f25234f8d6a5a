// The end of a process waits for the system's name resolution, which cannot be interrupted, no longer than anybody will
// wait who stops a process.
#pragma once

#include "keys/asio.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>

namespace keygate::app {

constexpr std::chrono::seconds last_wait{3};

// A warning, and the end of the process: successful, without anything that a destructor would do.
[[noreturn]] void end_without_names();

// A loop for one thread, whose end, and with it that of the look-ups it waits for, takes as long as `last_wait` and
// then is the end of the process. So whatever has lines to write is to be gone before.
class BoundedLoop {
 public:
  BoundedLoop() = default;
  ~BoundedLoop();
  BoundedLoop(const BoundedLoop&) = delete;
  BoundedLoop& operator=(const BoundedLoop&) = delete;

  net::io_context& io() { return *io_; }

 private:
  std::unique_ptr<net::io_context> io_ = std::make_unique<net::io_context>(1);
};

}  // namespace keygate::app
