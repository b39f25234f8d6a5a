#include "proxy/upstream_connection.hpp"

#include "proxy/endpoint.hpp"

namespace keygate::proxy {
namespace {

void on_deadline(void* owner) {
  auto& connection = *static_cast<UpstreamConnection*>(owner);
  connection.has_timed_out = true;
  connection.stream.cancel();
}

}  // namespace

UpstreamConnection::UpstreamConnection(net::io_context& io, Endpoint& end)
    : endpoint(end),
      stream(io),
      deadline(this, on_deadline),
      send_deadline(stream, has_timed_out),
      idle(this, [](void* self) {
        auto& connection = *static_cast<UpstreamConnection*>(self);
        connection.endpoint.drop_idle(connection);
      }) {
  endpoint.note_open(*this);
}

UpstreamConnection::~UpstreamConnection() { endpoint.note_closed(*this); }

void UpstreamConnection::limit_send(Worker& worker, std::chrono::milliseconds after) {
  send_deadline.arm(worker, after);
}

void UpstreamConnection::cancel() {
  stream.cancel();
  if (waits_for != nullptr) {
    waits_for->cancel();
  }
}

void UpstreamConnection::abort() {
  cancel();
  stream.close();
}

}  // namespace keygate::proxy
