#include "proxy/send_deadline.hpp"

#include "proxy/stream.hpp"
#include "proxy/worker.hpp"

namespace keygate::proxy {

SendDeadline::SendDeadline(Stream& stream, bool& has_passed)
    : stream_(stream),
      has_passed_(has_passed),
      deadline_(this, [](void* self) { static_cast<SendDeadline*>(self)->on_time(); }) {}

void SendDeadline::arm(Worker& worker, std::chrono::milliseconds after) {
  worker_ = &worker;
  after_ = after;
  worker.arm(deadline_, after);
}

void SendDeadline::on_time() {
  const std::uint64_t acknowledged = stream_.progress();
  if (acknowledged > acknowledged_) {
    acknowledged_ = acknowledged;
    worker_->arm(deadline_, after_);
    return;
  }
  has_passed_ = true;
  stream_.cancel();
}

}  // namespace keygate::proxy
