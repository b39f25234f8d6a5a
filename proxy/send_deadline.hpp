// A deadline on a write that a slow peer does not miss as long as it takes something: what has been acknowledged is
// looked at when the time is over, and where that has grown there is as much time again.
#pragma once

#include "proxy/deadlines.hpp"

#include <chrono>
#include <cstdint>

namespace keygate::proxy {

class Stream;
class Worker;

class SendDeadline {
 public:
  // Cancels what `stream` waits for when it passes, and sets `has_passed`. Both outlive this.
  SendDeadline(Stream& stream, bool& has_passed);

  void arm(Worker& worker, std::chrono::milliseconds after);
  void disarm() { deadline_.disarm(); }

 private:
  void on_time();

  Stream& stream_;
  bool& has_passed_;
  Deadline deadline_;
  Worker* worker_ = nullptr;
  std::chrono::milliseconds after_{0};
  std::uint64_t acknowledged_ = 0;
};

}  // namespace keygate::proxy
