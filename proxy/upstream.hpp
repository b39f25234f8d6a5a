// One upstream as one worker sees it: its address, its idle connections (last in, first out), and how to get one.
// Lives on in exchanges that began before a reload replaced it.
#pragma once

#include "config/settings.hpp"
#include "proxy/deadlines.hpp"
#include "proxy/send_deadline.hpp"
#include "proxy/sockets.hpp"
#include "proxy/stream.hpp"
#include "proxy/upstream_tls.hpp"

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

namespace keygate::proxy {

class Upstream;
class Worker;

// A connection to an upstream, in use by one exchange or idle in its Upstream. `deadline` cancels what the socket waits
// for and notes it in has_timed_out.
struct UpstreamConnection {
  explicit UpstreamConnection(net::io_context& io);
  UpstreamConnection(const UpstreamConnection&) = delete;
  UpstreamConnection& operator=(const UpstreamConnection&) = delete;

  // Ends whatever waits on the socket, and the connection with it.
  void abort();
  bool is_stale() { return stream.is_stale(); }

  // Starts a limit on a write, which may go on beside a read. It passes when nothing at all has been taken for so long.
  void limit_send(Worker& worker, std::chrono::milliseconds after);

  std::shared_ptr<TlsSession> session;  // where the stream puts what its other end gives it
  Stream stream;
  Deadline deadline;
  SendDeadline send_deadline;
  Deadline idle;
  bool has_timed_out = false;
  bool is_reused = false;
  std::uint64_t served = 0;
  SteadyClock::time_point opened_at{};
  Upstream* owner = nullptr;  // while idle
};

// "host:port", "[v6]:port", without the port where it is the scheme's own; "localhost" for a unix socket: the Host
// header where the client's is not preserved.
std::string authority_of(const config::EndpointSettings& endpoint);

class Upstream : public std::enable_shared_from_this<Upstream> {
 public:
  static constexpr std::size_t max_idle = 128;
  static constexpr std::uint64_t max_served = 10'000;
  static constexpr std::chrono::hours max_age{1};

  // `tls`: null where the endpoint is none of https://.
  Upstream(net::io_context& io, DeadlineWheel& deadlines, config::UpstreamSettings settings,
           std::shared_ptr<const UpstreamTls> tls);

  const config::UpstreamSettings& settings() const { return settings_; }
  // Whether it is just what `wanted` asks for.
  bool serves(const config::UpstreamSettings& wanted, const UpstreamTls* tls) const;
  // Of the endpoint.
  const std::string& authority() const { return authority_; }

  // The idle connection used last, or null.
  std::unique_ptr<UpstreamConnection> take_idle();

  // Connects within connect_timeout for the name and as long again for each address, TLS included. Errors are the
  // socket's or TlsError's; timed_out past the limit; operation_aborted where the connection was cancelled meanwhile.
  // Names are resolved off this thread, anew after 30 s; the last good addresses serve while that goes on or fails.
  Awaitable<error_code> connect(UpstreamConnection& connection);

  // After a complete exchange that left nothing over; see reuse rules in exchange.
  void give_back(std::unique_ptr<UpstreamConnection> connection);

  void close_idle();
  bool has_idle() const { return !idle_.empty(); }

 private:
  friend struct UpstreamConnection;
  void drop_idle(UpstreamConnection& connection);
  static Awaitable<void> resolve(std::shared_ptr<Upstream> self);
  void refresh_addresses();
  Awaitable<error_code> wait_for_addresses();
  Awaitable<error_code> connect_to(UpstreamConnection& connection, StreamEndpoint address);

  net::io_context& io_;
  DeadlineWheel& deadlines_;
  config::UpstreamSettings settings_;
  std::string authority_;
  std::vector<std::unique_ptr<UpstreamConnection>> idle_;
  std::shared_ptr<const UpstreamTls> tls_;
  std::shared_ptr<TlsSession> session_;
  std::vector<StreamEndpoint> addresses_;
  SteadyClock::time_point resolved_at_{};
  bool is_resolving_ = false;
  error_code resolve_error_;
  std::vector<std::shared_ptr<SteadyTimer>> waiting_for_addresses_;
  bool is_numeric_ = false;
  std::size_t next_address_ = 0;
};

}  // namespace keygate::proxy
