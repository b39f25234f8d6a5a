#include "proxy/send_deadline.hpp"

#include "proxy/tcp_progress.hpp"
#include "proxy/worker.hpp"

namespace keygate::proxy {

SendDeadline::SendDeadline(TcpSocket& socket, bool& has_passed)
    : socket_(socket),
      has_passed_(has_passed),
      deadline_(this, [](void* self) { static_cast<SendDeadline*>(self)->on_time(); }) {}

void SendDeadline::arm(Worker& worker, std::chrono::milliseconds after) {
  worker_ = &worker;
  after_ = after;
  worker.arm(deadline_, after);
}

void SendDeadline::on_time() {
  const std::uint64_t acknowledged = socket_.is_open() ? acknowledged_bytes(socket_.native_handle()) : 0;
  if (acknowledged > acknowledged_) {
    acknowledged_ = acknowledged;
    worker_->arm(deadline_, after_);
    return;
  }
  has_passed_ = true;
  error_code ignored;
  socket_.cancel(ignored);
}

}  // namespace keygate::proxy
