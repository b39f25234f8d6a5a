#include "proxy/cross_origin.hpp"
#include "proxy/exchange.hpp"
#include "proxy/tls_error.hpp"
#include "proxy/tunnel.hpp"
#include "proxy/upstream_error.hpp"

#include <boost/asio/error.hpp>

namespace keygate::proxy {
namespace {

using policy::Reason;

std::string_view tls_failure(const error_code& error) {
  if (error == TlsError::certificate) {
    return "tls_certificate_error";
  }
  if (error == TlsError::alert) {
    return "tls_alert_received";
  }
  return error.category() == tls_category() ? "tls_protocol_error" : std::string_view{};
}

// The types of RFC 9209 §2.3 for a connection that could not be had.
std::string_view connect_failure(const error_code& error) {
  if (error == net::error::timed_out) {
    return "connection_timeout";
  }
  if (error == net::error::connection_refused) {
    return "connection_refused";
  }
  if (error == net::error::host_not_found || error == net::error::host_not_found_try_again) {
    return "dns_error";
  }
  if (const std::string_view name = tls_failure(error); !name.empty()) {
    return name;
  }
  if (error == UpstreamError::full || error == net::error::no_descriptors) {
    return "connection_limit_reached";
  }
  return "destination_unavailable";
}

// In a pod that ends the upstream goes first: that is no fault of its own. Nor is it that we are out of descriptors.
Reason reason_without_connection(const error_code& error, bool is_draining) {
  if (error == UpstreamError::full || error == net::error::no_descriptors) {
    return Reason::overloaded;
  }
  if (is_draining) {
    return Reason::draining;
  }
  return error == UpstreamError::none_healthy ? Reason::no_healthy_upstream : Reason::upstream_unreachable;
}

}  // namespace

// No response head is to be had. Whose fault it is decides what the client hears, and whether it hears anything.
Awaitable<After> Exchange::fail_upstream() {
  const bool has_timed_out = connection_ && connection_->has_timed_out;
  if (connection_) {
    connection_->abort();
  }
  co_await join_upload();
  const bool was_connected = connection_ != nullptr;
  connection_.reset();
  if (client_.has_left || upload_.failure == Reason::client_closed) {
    finish(leaving_reason(), 0);
    co_return After::close;
  }
  if (client_.was_cut) {
    keeps_client_ = false;
    co_return co_await deny(*client_.was_cut);
  }
  if (upload_.failure) {
    keeps_client_ = false;
    co_return co_await deny(*upload_.failure);
  }
  keeps_client_ = keeps_client_ && is_request_body_done_;
  if (!was_connected) {
    const Reason reason = reason_without_connection(connect_error_, worker_.is_draining());
    co_return co_await deny(reason, connect_failure(connect_error_));
  }
  if (has_timed_out) {
    co_return co_await deny(Reason::upstream_timeout, "http_response_timeout");
  }
  if (const std::string_view name = tls_failure(connect_error_); !name.empty()) {
    co_return co_await deny(Reason::upstream_unreachable, name);  // TLS 1.3: what it says of our certificate comes late
  }
  const std::string_view error = upstream_flaw_.empty() ? "http_response_incomplete" : "http_protocol_error";
  co_return co_await deny(Reason::upstream_protocol_error, error);
}

// The response, head and body. From its head on nothing can be said to the client any more but by breaking off.
Awaitable<After> Exchange::return_response() {
  client_.has_answer_begun = true;
  const BodyDelivery delivery = delivery_of(response_, request_);
  keeps_client_ = is_request_body_done_ && delivery != BodyDelivery::until_close && may_keep_client();
  const ReturnFacts facts{.response = response_,
                          .request = request_,
                          .delivery = delivery,
                          .closes = !keeps_client_,
                          .is_granted_by_key = caller_.found == policy::Caller::Found::answered,
                          .key_source = presented_.source,
                          .standing = room_.standing ? &*room_.standing : nullptr,
                          .more_lines = cors_lines(route_, request_)};
  const std::size_t bound = return_head_bound(response_) + facts.more_lines.size();
  Buffer room;
  if (out_.capacity() < bound || upload_.is_running) {
    room = worker_.buffers.lease(bound);  // out_ may still be on its way up
  }
  const std::span<char> head_room = room ? room.span() : out_.span();
  const std::size_t size = write_return_head(facts, head_room);
  const std::string_view first(answer_.data() + answer_head_, answer_end_ - answer_head_);
  const bool is_complete = co_await return_body({head_room.data(), size}, first);
  const bool is_reusable = upstream_is_reusable(is_complete);
  if (!is_complete || upload_.is_running) {
    connection_->abort();
  }
  if (upload_.is_running) {
    co_await join_upload();
  }
  keeps_client_ = keeps_client_ && is_request_body_done_;  // its last piece may have failed since the head was written
  if (is_reusable) {
    connection_->endpoint.give_back(std::move(connection_));
  }
  connection_.reset();
  if (!is_head_sent_ && !client_.has_left) {
    keeps_client_ = false;
    co_return co_await deny(Reason::upstream_protocol_error, "http_protocol_error");
  }
  const bool has_client_left = client_.has_left || upload_.failure == Reason::client_closed;
  if (upload_.failure && is_complete) {
    keeps_client_ = false;
  }
  finish(is_complete ? Reason::ok : has_client_left ? leaving_reason() : Reason::upstream_truncated, response_.status);
  if (!is_complete) {
    if (delivery == BodyDelivery::until_close) {
      // HTTP/1.0 has no other way to tell a break from an end.
      client_.stream.reset_on_close();
    }
    co_return After::close;
  }
  co_return keeps_client_ ? After::keep : After::linger;
}

// The upstream speaks WebSocket from here on, and so does the client once it has heard of it: until then nothing that
// it sent behind its request went anywhere. Neither connection carries HTTP again.
Awaitable<After> Exchange::switch_protocols() {
  client_.has_answer_begun = true;
  Buffer room = worker_.buffers.lease(return_head_bound(response_));
  const std::size_t size = write_switching_head(response_, room.span(), room_.standing ? &*room_.standing : nullptr);
  bool is_told = co_await send_to_client({room.data(), size});
  const std::string_view first(answer_.data() + answer_head_, answer_end_ - answer_head_);
  if (is_told && !first.empty()) {
    is_told = co_await send_to_client(first);
    bytes_out_ = is_told ? first.size() : 0;
  }
  room.release();
  out_.release();
  answer_.release();
  if (!is_told) {
    connection_->abort();
    connection_.reset();
    finish(leaving_reason(), 0);
    co_return After::close;
  }
  Tunnel tunnel(client_, *connection_, snapshot_.settings->limits);
  const Tunnel::End end = co_await tunnel.run();
  bytes_in_ = tunnel.bytes_up();
  bytes_out_ += tunnel.bytes_down();
  const bool has_client_broken = client_.has_left || end == Tunnel::End::client_broke;
  const bool is_whole = !has_client_broken && end == Tunnel::End::whole;
  finish(is_whole ? Reason::ok : has_client_broken ? leaving_reason() : Reason::upstream_truncated, response_.status);
  connection_->abort();
  co_return is_whole && !tunnel.has_client_finished() ? After::linger : After::close;
}

// The client left, or was sent away.
Reason Exchange::leaving_reason() const { return client_.was_cut.value_or(Reason::client_closed); }

bool Exchange::upstream_is_reusable(bool is_complete) const {
  return is_complete && is_request_body_done_ && !upload_.is_running && response_.keep_alive &&
         response_.framing != BodyFraming::until_close && !has_answer_more_ && !request_.is_upgrade;
}

}  // namespace keygate::proxy
