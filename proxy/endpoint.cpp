#include "proxy/endpoint.hpp"

#include "proxy/tls_error.hpp"
#include "telemetry/log.hpp"

#include <boost/asio/local/stream_protocol.hpp>

#include <algorithm>
#include <utility>

namespace keygate::proxy {
namespace {

AddressBook book_for(const config::EndpointSettings& endpoint) {
  if (!endpoint.socket.empty()) {
    return AddressBook(net::local::stream_protocol::endpoint(endpoint.socket));
  }
  error_code error;
  const auto address = net::ip::make_address(endpoint.host, error);
  return error ? AddressBook() : AddressBook(Tcp::endpoint(address, endpoint.port));
}

}  // namespace

std::string authority_of(const config::EndpointSettings& endpoint) {
  if (!endpoint.socket.empty()) {
    return "localhost";
  }
  const bool is_v6 = endpoint.host.find(':') != std::string::npos;
  const std::string host = is_v6 ? "[" + endpoint.host + "]" : endpoint.host;
  return endpoint.port == (endpoint.is_tls ? 443 : 80) ? host : host + ":" + std::to_string(endpoint.port);
}

std::string name_of(const config::EndpointSettings& endpoint) {
  if (!endpoint.socket.empty()) {
    return "unix:" + endpoint.socket;
  }
  return (endpoint.is_tls ? "https://" : "http://") + authority_of(endpoint);
}

Endpoint::Endpoint(const Place& place, config::EndpointSettings settings)
    : place_(place),
      settings_(std::move(settings)),
      authority_(authority_of(settings_)),
      addresses_(book_for(settings_)),
      refresh_(this, [](void* self) {
        auto& endpoint = *static_cast<Endpoint*>(self);
        if (endpoint.open_ > 0) {
          endpoint.refresh(SteadyClock::now());
        }
      }) {
  if (place_.tls) {
    session_ = std::make_shared<TlsSession>();
  }
}

Endpoint::~Endpoint() = default;

void Endpoint::note_open(UpstreamConnection&) { ++open_; }

void Endpoint::note_closed(UpstreamConnection&) { --open_; }

std::unique_ptr<UpstreamConnection> Endpoint::take_idle() {
  while (!idle_.empty()) {
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    if (!connection->is_stale()) {
      connection->idle.disarm();
      connection->is_reused = true;
      return connection;
    }
  }
  return nullptr;
}

void Endpoint::drop_idle(UpstreamConnection& connection) {
  std::erase_if(idle_, [&](const auto& candidate) { return candidate.get() == &connection; });
}

bool Endpoint::shed_idle() {
  if (idle_.empty()) {
    return false;
  }
  idle_.erase(idle_.begin());
  return true;
}

void Endpoint::give_back(std::unique_ptr<UpstreamConnection> connection) {
  connection->deadline.disarm();
  connection->send_deadline.disarm();
  connection->has_timed_out = false;  // it may have been in the very moment in which the answer came
  if (ejection.has_failed()) [[unlikely]] {
    note_success();
  }
  if (idle_.size() >= max_idle || ++connection->served >= max_served ||
      (connection->served % 128 == 0 && SteadyClock::now() - connection->opened_at > max_age)) {
    return;
  }
  if (!addresses_.is_fixed() && !addresses_.contains(connection->address)) {
    return;
  }
  if (place_.budget.has_waiting()) {
    connection->is_reused = true;
    place_.budget.hand_over(std::move(connection));
    return;
  }
  place_.deadlines.arm(connection->idle, place_.idle_timeout);
  idle_.push_back(std::move(connection));
}

// It may take its time: nobody waits longer than connect_timeout, and who has addresses not at all.
void Endpoint::refresh(SteadyClock::time_point now) {
  if (!addresses_.is_due(now)) {
    return;
  }
  place_.names.ask(settings_.host, settings_.port,
                   [weak = weak_from_this()](error_code error, const std::vector<StreamEndpoint>& found) {
                     if (const auto self = weak.lock()) {
                       self->settle(error, found);
                     }
                   });
  addresses_.begin(now);  // the answer comes later; where asking itself fails, the next request asks again
}

void Endpoint::settle(error_code error, const std::vector<StreamEndpoint>& found) {
  resolve_error_ = error;
  if (error) {
    telemetry::log_seldom(telemetry::Level::warn, "resolve " + settings_.host,
                          "upstream host " + settings_.host + " does not resolve: " + error.message() +
                              (addresses_.all().empty() ? "" : "; its last addresses serve"));
  }
  if (addresses_.settle(SteadyClock::now(), error ? std::vector<StreamEndpoint>() : found)) {
    std::erase_if(idle_, [&](const auto& idle) { return !addresses_.contains(idle->address); });
  }
  place_.deadlines.arm(refresh_, AddressBook::life);
  for (const auto& waiting : std::exchange(waiting_, {})) {
    waiting->cancel();
  }
}

Awaitable<error_code> Endpoint::find(std::chrono::milliseconds most_time, SteadyTimer*& cancel) {
  refresh(SteadyClock::now());
  if (!addresses_.all().empty()) {
    co_return error_code{};
  }
  auto timer = std::make_shared<SteadyTimer>(place_.io, most_time);
  waiting_.push_back(timer);
  cancel = timer.get();
  const auto [stopped] = co_await timer->async_wait(use_tuple);
  cancel = nullptr;
  if (!addresses_.all().empty()) {
    co_return error_code{};
  }
  const bool is_settled = std::erase(waiting_, timer) == 0;
  if (stopped && !is_settled) {
    co_return net::error::operation_aborted;  // the client has left
  }
  co_return resolve_error_ ? resolve_error_ : error_code(net::error::host_not_found_try_again);
}

Awaitable<error_code> Endpoint::connect(UpstreamConnection& connection) {
  error_code error = co_await find(place_.connect_timeout, connection.waits_for);
  for (std::size_t tries = addresses_.all().size(); !error && tries > 0; --tries) {
    connection.address = addresses_.next();
    connection.has_timed_out = false;
    place_.deadlines.arm(connection.deadline, place_.connect_timeout);
    connection.session = session_;
    error = co_await open(connection.stream, connection.address, session_);
    connection.deadline.disarm();
    if (!error) {
      connection.opened_at = SteadyClock::now();
      connection.has_timed_out = false;
      if (ejection.has_failed()) {
        note_success();
      }
      co_return error_code{};
    }
    if (error == net::error::operation_aborted && !connection.has_timed_out) {
      co_return error;  // the client has left
    }
    if (connection.has_timed_out) {
      error = net::error::timed_out;
    }
    if (tries > 1 && !addresses_.all().empty()) {
      error = error_code{};  // the next address
    }
  }
  if (error != net::error::operation_aborted && error != net::error::no_descriptors) {  // the latter is ours
    note_failure(error);
  }
  co_return error;
}

void Endpoint::note_failure(error_code error) {
  if (place_.may_be_ejected && ejection.note_failure(SteadyClock::now())) {
    idle_.clear();
    telemetry::log_seldom(telemetry::Level::warn, "eject " + name_of(settings_),
                          "upstream " + name_of(settings_) + " is left alone for a while: " + error.message());
  }
}

void Endpoint::note_success() {
  if (ejection.note_success()) {
    telemetry::log_seldom(telemetry::Level::info, "readmit " + name_of(settings_),
                          "upstream " + name_of(settings_) + " is in use again");
  }
}

// Never without TLS where it was asked for.
Awaitable<error_code> Endpoint::open(Stream& stream, StreamEndpoint address, std::shared_ptr<TlsSession> session) {
  error_code error = co_await stream.connect(address);
  if (error) {
    co_return error;
  }
  if (!settings_.is_tls) {
    co_return error_code{};
  }
  TlsHandle prepared = place_.tls ? place_.tls->prepare(settings_.host, *session) : nullptr;
  if (!prepared) {
    co_return TlsError::protocol;
  }
  error = co_await stream.start_tls(std::move(prepared));
  co_return error;
}

}  // namespace keygate::proxy
