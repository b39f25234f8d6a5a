// A connection to one endpoint of an upstream, in use by one exchange or idle in its Endpoint, which outlives it.
#pragma once

#include "proxy/connection_budget.hpp"
#include "proxy/deadlines.hpp"
#include "proxy/send_deadline.hpp"
#include "proxy/sockets.hpp"
#include "proxy/stream.hpp"

#include <chrono>
#include <cstdint>
#include <memory>

namespace keygate::proxy {

class Endpoint;
class TlsSession;
class Worker;

// `deadline` cancels what the socket waits for and notes it in has_timed_out.
struct UpstreamConnection {
  UpstreamConnection(net::io_context& io, Endpoint& end);
  ~UpstreamConnection();
  UpstreamConnection(const UpstreamConnection&) = delete;
  UpstreamConnection& operator=(const UpstreamConnection&) = delete;

  // Ends whatever is waited for: on the socket, for a name, in a queue.
  void cancel();
  // The same, and ends the connection.
  void abort();
  bool is_stale() { return stream.is_stale(); }

  // Starts a limit on a write, which may go on beside a read. It passes when nothing at all has been taken for so long.
  void limit_send(Worker& worker, std::chrono::milliseconds after);

  Endpoint& endpoint;
  ConnectionSlot slot;                  // empty until it may be made
  std::shared_ptr<TlsSession> session;  // where the stream puts what its other end gives it
  Stream stream;
  StreamEndpoint address;  // what it is connected to
  Deadline deadline;
  SendDeadline send_deadline;
  Deadline idle;
  SteadyTimer* waits_for = nullptr;  // something that is not the socket
  bool has_timed_out = false;
  bool is_reused = false;
  std::uint64_t served = 0;
  SteadyClock::time_point opened_at{};
};

}  // namespace keygate::proxy
