// A decision service: which request is asked about, and what a grant is answered with. All between is as for any other.
#include "proxy/authorize.hpp"
#include "proxy/decision_reply.hpp"
#include "proxy/exchange.hpp"
#include "telemetry/log.hpp"

#include <array>
#include <string>

namespace keygate::proxy {

using policy::Reason;

// Makes request_ the one that the peer asks about.
std::optional<Reason> Exchange::take_question() {
  if (!is_peer_trusted_) {
    telemetry::log_seldom(telemetry::Level::warn, "decisions",
                          "a decision was asked for by " + client_.peer_text + ", which is none of trusted_proxies");
    return Reason::bad_request;
  }
  if (!snapshot_.decides) {
    return Reason::draining;  // a reload has taken this listener away, and the connection is from before
  }
  const std::size_t most = snapshot_.settings->limits.target_bytes;
  const auto refusal = take_original(*client_.decides, head_bytes_, most, request_);
  if (!refusal) {
    if (client_address().is_unspecified()) {
      telemetry::log_seldom(
          telemetry::Level::warn, "clients",
          "decisions are asked for by " + client_.peer_text +
              " without saying of which client in X-Forwarded-For: all of those count as one address");
    }
    return std::nullopt;
  }
  telemetry::log_seldom(
      telemetry::Level::warn, "questions",
      "a decision that " + client_.peer_text + " asked for was refused: " + std::string(refusal->what));
  return refusal->reason;
}

// Whoever asked serves the request: nothing is watched here, and nothing is sent but this.
Awaitable<After> Exchange::answer_question(const policy::Grant& grant) {
  keeps_client_ = may_keep_client() && (!request_.has_body() || step_over_body());
  shadowed_ = grant.shadowed();
  if (record_ && grant.principal() != nullptr && caller_.kind == policy::CredentialKind::api_key) {
    const auto when = std::chrono::duration_cast<std::chrono::seconds>(began_at_.time_since_epoch());
    worker_.note_use(digest_, when.count(), grant.route().scopes_text);
  }
  DecisionFacts facts;
  facts.path = target_->path();
  facts.request_id = request_id_;
  std::array<char, policy::rate_fields_bound> rate_room{};
  if (room_.standing) {
    facts.rate_fields = policy::rate_fields(*room_.standing, rate_room);
  }
  facts.is_degraded = record_ && record_->is_stale;
  facts.closes = !keeps_client_;
  const std::string reply = write_decision(snapshot_, grant, facts);
  const bool is_sent = co_await send_to_client(reply);
  finish(Reason::ok, is_sent ? 200 : 0);
  co_return !is_sent ? After::close : keeps_client_ ? After::keep : After::linger;
}

}  // namespace keygate::proxy
