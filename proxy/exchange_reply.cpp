#include "proxy/advice.hpp"
#include "proxy/cross_origin.hpp"
#include "proxy/exchange.hpp"
#include "proxy/reply.hpp"

#include <boost/asio/buffer.hpp>

#include <algorithm>
#include <array>
#include <string>

namespace keygate::proxy {
namespace {

using policy::Reason;
using Micros = std::chrono::microseconds;

constexpr std::uint64_t max_unwanted = 64 * 1024;  // cheaper to take than a new connection

}  // namespace

bool Exchange::may_keep_client() const {
  const std::uint64_t most = snapshot_.settings->limits.requests_per_connection;
  return request_.keep_alive && !worker_.is_draining() && (most == 0 || client_.served < most);
}

// The body of a request that goes nowhere, so that it is never read as a request (M-15, R-09): what has come of it is
// stepped over, and a little that is still to come is taken after the answer. False: it cannot be, and the connection
// ends. Who waits for a 100 may send the body after a denial, or not; nobody can tell.
bool Exchange::step_over_body() {
  if (request_.is_chunked) {
    return false;
  }
  const auto here = static_cast<std::size_t>(std::min<std::uint64_t>(request_.content_length, client_.unread().size()));
  const std::uint64_t missing = request_.content_length - here;
  if (missing > max_unwanted || (missing > 0 && request_.expects_continue)) {
    return false;
  }
  client_.skip(here);
  client_.unwanted = missing;
  return true;
}

Awaitable<After> Exchange::deny(Reason reason, std::string_view proxy_error) {
  if (is_forwarding_) {
    keeps_client_ = keeps_client_ && is_request_body_done_;
  } else if (request_.has_body()) {
    keeps_client_ = keeps_client_ && step_over_body();
  }
  keeps_client_ = keeps_client_ && may_keep_client();
  ReplyFacts facts;
  facts.reason = reason;
  facts.request_id = request_id_;
  facts.required_scopes = route_ != nullptr ? std::string_view(route_->scopes_text) : std::string_view{};
  facts.proxy_error = proxy_error;
  facts.is_head = request_.is_answered_to_head();
  facts.names_code = client_.decides.has_value();
  facts.closes = !keeps_client_;
  facts.is_minimal = snapshot_.settings->minimal_errors;
  std::array<char, policy::rate_fields_bound> rate_room{};
  if (room_.standing) {
    facts.rate_fields = policy::rate_fields(*room_.standing, rate_room);
    facts.retry_after = room_.standing->retry_after;
  }
  facts.more_lines = cors_lines(route_, request_);
  const std::string reply = write_reply(facts);
  const bool is_sent = co_await send_to_client(reply);
  bytes_out_ = is_sent ? reply.size() - (reply.find("\r\n\r\n") + 4) : 0;
  finish(reason, is_sent ? policy::row(reason).status : 0);
  co_return !is_sent ? After::close : keeps_client_ ? After::keep : After::linger;
}

Awaitable<After> Exchange::refuse(Reason reason) {
  keeps_client_ = false;
  head_bytes_ = {client_.in.data() + client_.begin, client_.unread().size()};
  co_return co_await deny(reason);
}

// `OPTIONS *` asks about this proxy, not about anything behind it (N-07), and so does one that may go no further
// (N-05). A preflight asks what a page may ask: the policy says so, whoever it is.
Awaitable<After> Exchange::answer_locally() {
  keeps_client_ = may_keep_client() && !request_.has_body();
  const auto preflight = preflight_of(request_);
  const int status = preflight ? 204 : 200;
  const std::string reply = preflight
                                ? write_empty_reply(status, preflight_lines(*route_->cors, *preflight), !keeps_client_)
                                : write_empty_reply(status, {}, !keeps_client_);
  const bool is_sent = co_await send_to_client(reply);
  finish(Reason::ok, is_sent ? status : 0);
  co_return !is_sent ? After::close : keeps_client_ ? After::keep : After::linger;
}

Awaitable<bool> Exchange::send_to_client(std::string_view bytes) {
  client_.limit_send(snapshot_.settings->limits.body_idle_timeout);
  const auto [error, sent] = co_await client_.stream.send(bytes);
  client_.send_deadline.disarm();
  co_return !error && sent == bytes.size();
}

void Exchange::finish(Reason reason, int status) {
  const auto now = SteadyClock::now();
  telemetry::Outcome outcome;
  outcome.started = began_at_;
  outcome.request_id = request_id_;
  if (room_.trace.is_on) {
    outcome.trace_id = room_.trace.trace();
  }
  std::string behind_proxy;
  if (is_peer_trusted_) {
    const Address client = client_address();
    behind_proxy = client.is_unspecified() ? "unknown" : client.to_string();
  }
  outcome.client = is_peer_trusted_ ? std::string_view(behind_proxy) : std::string_view(client_.peer_text);
  outcome.client_subject = client_.subject;
  outcome.method = request_.method_word;
  outcome.host = host_;
  outcome.path = target_ ? target_->path() : std::string_view{};
  outcome.code = policy::row(reason).code;
  outcome.status = status;
  if (shadowed_ != Reason::ok) {
    outcome.shadow_code = policy::row(shadowed_).code;
    outcome.is_shadowed = true;
    outcome.shadow_number = static_cast<std::uint8_t>(shadowed_);
  }
  outcome.generation = snapshot_.generation;
  outcome.bytes_in = bytes_in_;
  outcome.bytes_out = bytes_out_;
  outcome.duration = std::chrono::duration_cast<Micros>(now - began_);
  outcome.auth = auth_time_;
  outcome.was_judged = auth_time_.count() > 0;
  outcome.reason_number = static_cast<std::uint8_t>(reason);
  outcome.source = source_;
  if (caller_.kind != policy::CredentialKind::none || (route_ != nullptr && reason == Reason::ok)) {
    outcome.auth_method = policy::to_string(caller_.kind);
  }
  if (route_ != nullptr) {
    outcome.route = route_->name;
    outcome.route_number = static_cast<std::int32_t>(route_->number);
    outcome.conditions = route_->conditions_text;
  }
  if (caller_.answer != nullptr) {
    const policy::Principal& principal = caller_.answer->principal;
    outcome.key_id = principal.key_id;
    outcome.organization_id = principal.organization;
    outcome.environment = policy::to_string(
        caller_.prefix_environment != policy::Environment::none ? caller_.prefix_environment : principal.environment);
    outcome.scopes = caller_.held->text;
    outcome.grants = caller_.held->grants;
    if (reason == Reason::insufficient_scope) {
      outcome.required_scopes = route_->scopes_text;
    }
  }
  if (record_) {
    outcome.age_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now - record_->asked_at).count();
    outcome.is_degraded = record_->is_stale;
  }
  if (upstream_) {
    outcome.upstream = upstream_->settings().name;
    outcome.upstream_wait =
        upstream_wait_.count() < 0 ? Micros(-1) : std::chrono::duration_cast<Micros>(upstream_wait_);
  }
  std::string remedy;
  if (worker_.has_onlooker() && reason != Reason::ok && target_ && !is_forwarding_) {
    const policy::MatchInput input{host_, request_.method, &*target_, request_.headers()};
    remedy = advice(*snapshot_.policy, input, caller_, reason);
    outcome.remedy = remedy;
  }
  worker_.report(outcome, *generation_);
  if (room_.trace.is_recorded) {
    hand_over_trace(outcome, now);
  }
}

}  // namespace keygate::proxy
