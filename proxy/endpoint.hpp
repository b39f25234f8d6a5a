// One endpoint of an upstream as one worker sees it: its addresses, its idle connections (last in, first out), and how
// to connect to it.
#pragma once

#include "config/settings.hpp"
#include "proxy/address_book.hpp"
#include "proxy/connection_budget.hpp"
#include "proxy/ejection.hpp"
#include "proxy/name_source.hpp"
#include "proxy/upstream_connection.hpp"
#include "proxy/upstream_tls.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace keygate::proxy {

// "host:port", "[v6]:port", without the port where it is the scheme's own; "localhost" for a unix socket: the Host
// header where the client's is not preserved.
std::string authority_of(const config::EndpointSettings& endpoint);

// As it was written, for the log: "http://127.0.0.1:3000".
std::string name_of(const config::EndpointSettings& endpoint);

class Endpoint : public std::enable_shared_from_this<Endpoint> {
 public:
  static constexpr std::size_t max_idle = 1'024;
  static constexpr std::uint64_t max_served = 10'000;
  static constexpr std::chrono::hours max_age{1};

  struct Place {
    net::io_context& io;
    DeadlineWheel& deadlines;
    NameSource& names;
    ConnectionBudget& budget;                // of all endpoints; outlives the connections
    std::shared_ptr<const UpstreamTls> tls;  // null where none of the upstream's endpoints is https://
    std::chrono::milliseconds connect_timeout, idle_timeout;
    bool may_be_ejected = false;  // there are others
  };
  Endpoint(const Place& place, config::EndpointSettings settings);
  ~Endpoint();
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  const std::string& authority() const { return authority_; }
  const config::EndpointSettings& settings() const { return settings_; }

  // The idle connection used last, or null. One that has been closed, or on which the endpoint has said more than it
  // was asked, is let go.
  std::unique_ptr<UpstreamConnection> take_idle();

  // Connects within the timeout for the name and as long again for each address, TLS included. Errors are the
  // socket's or TlsError's; timed_out past the limit; operation_aborted where the connection was cancelled meanwhile.
  // Names are resolved off this thread, anew after 30 s; the last good addresses serve while that goes on or fails.
  Awaitable<error_code> connect(UpstreamConnection& connection);

  // One address, TLS included, without a limit of its own.
  Awaitable<error_code> open(Stream& stream, StreamEndpoint address, std::shared_ptr<TlsSession> session);
  // Where to; waits for a name that is not known yet at most so long, and less where `cancel` is.
  Awaitable<error_code> find(std::chrono::milliseconds most_time, SteadyTimer*& cancel);
  const StreamEndpoint& next_address() { return addresses_.next(); }
  std::size_t address_count() const { return addresses_.all().size(); }  // 0: there is no next one

  // Asks for its addresses anew, beside everything else, where that is due.
  void refresh(SteadyClock::time_point now);

  // After a complete exchange that left nothing over; see reuse rules in exchange.
  void give_back(std::unique_ptr<UpstreamConnection> connection);

  void close_idle() { idle_.clear(); }
  bool has_idle() const { return !idle_.empty(); }
  // The idle one used longest ago, closed. False: there is none.
  bool shed_idle();
  std::size_t connections() const { return open_; }
  // In use by exchanges.
  std::size_t busy() const { return open_ - idle_.size(); }

  Ejection ejection;

 private:
  friend struct UpstreamConnection;
  void note_open(UpstreamConnection& connection);
  void note_closed(UpstreamConnection& connection);
  void drop_idle(UpstreamConnection& connection);
  void note_failure(error_code error);
  void note_success();
  void settle(error_code error, const std::vector<StreamEndpoint>& found);

  const Place place_;
  const config::EndpointSettings settings_;
  const std::string authority_;
  AddressBook addresses_;
  error_code resolve_error_;
  std::vector<std::shared_ptr<SteadyTimer>> waiting_;
  Deadline refresh_;
  std::shared_ptr<TlsSession> session_;
  std::size_t open_ = 0;
  std::vector<std::unique_ptr<UpstreamConnection>> idle_;
};

}  // namespace keygate::proxy
