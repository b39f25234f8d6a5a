#include "proxy/rehearsal.hpp"

#include "policy/readings.hpp"
#include "proxy/continued_trace.hpp"
#include "proxy/upstream.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace keygate::proxy {
namespace {

static_assert(rehearsed_trace_id.size() == 32 && rehearsed_span_id.size() == 16);

using policy::Reason;

// Of the `number`th header line of a head that the gate has passed. What Connection names is no longer in the fields.
std::string_view name_in_line(std::string_view head, std::size_t number) {
  std::size_t at = head.find("\r\n") + 2;
  for (; number > 0; --number) {
    at = head.find("\r\n", at) + 2;
  }
  return head.substr(at, head.find(':', at) - at);
}

}  // namespace

Rehearsal::Rehearsal(const Snapshot& snapshot, std::string head, Address peer, bool is_secure,
                     std::string client_subject)
    : snapshot_(snapshot),
      bytes_(std::move(head)),
      peer_(std::move(peer)),
      is_secure_(is_secure),
      client_subject_(std::move(client_subject)) {
  if (const auto refusal = read()) {
    reason_ = refusal->reason;
    flaw_ = refusal->what;
    return;
  }
  if (head_->is_asterisk) {
    reason_ = Reason::ok;
    return;
  }
  route_ = answering_route(snapshot_.policy->table, match_input(), *head_);
  if (route_ != nullptr) {
    preflight_ = preflight_of(*head_);
    reason_ = Reason::ok;
    return;
  }
  route_ = snapshot_.policy->table.match(match_input());
  if (const auto refusal = read_otherwise()) {
    reason_ = refusal->reason;
    flaw_ = refusal->what;
    caller_.found = policy::Caller::Found::not_looked;
    return;
  }
  keys::Hasher hash;
  const Approach found = approach(snapshot_, route_, *head_, *target_, hash, is_secure_);
  presented_ = found.presented;
  caller_ = found.caller;
  caller_.client_subject = client_subject_;
}

Rehearsal::~Rehearsal() { explicit_bzero(bytes_.data(), bytes_.size()); }

std::optional<HeadRefusal> Rehearsal::read() {
  const config::LimitSettings& limits = snapshot_.settings->limits;
  if (bytes_.size() > limits.header_bytes) {
    return HeadRefusal{Reason::header_too_large, "the head is larger than limits.header_bytes"};
  }
  if (const auto refusal =
          read_request_head(bytes_, {limits.target_bytes, limits.header_count}, snapshot_.reserved, *head_)) {
    return refusal;
  }
  const auto host = settled_host(*head_, host_room_);
  if (!host) {
    return HeadRefusal{Reason::bad_request, "the Host is none"};
  }
  host_ = *host;
  if (head_->is_asterisk) {
    return std::nullopt;
  }
  const std::string_view raw(head_->target.data(), head_->target.size());
  const std::string path(raw.substr(0, raw.find('?')));  // a query may hold a key
  auto target = settled_target(snapshot_, *head_);
  if (const auto* refusal = std::get_if<HeadRefusal>(&target)) {
    return *refusal;
  }
  target_ = std::get<policy::RequestTarget>(target);
  path_changes_ = policy::path_changes(path, snapshot_.policy->paths);
  return std::nullopt;
}

std::optional<HeadRefusal> Rehearsal::read_otherwise() {
  if (route_ == nullptr) {
    return std::nullopt;
  }
  const auto reading = policy::stricter_reading(*snapshot_.policy, *route_, match_input());
  if (!reading) {
    return std::nullopt;
  }
  reading_ =
      "an upstream that decodes %2F or reads parameters after a semicolon takes it for \"" + reading->path + "\"";
  if (reading->route == route_) {
    reading_ += ", where the segments that this route reads by their place stand elsewhere";
  } else if (reading->route != nullptr) {
    reading_ += ", for which the route \"" + reading->route->name + "\" asks more";
  }
  return HeadRefusal{Reason::ambiguous_path, reading_};
}

policy::MatchInput Rehearsal::match_input() const {
  return {host_, preflight_ ? preflight_->method : head_->method, &*target_, head_->headers()};
}

void Rehearsal::judge(std::optional<policy::KeyAnswer> answer, std::int64_t now) {
  if (reason_) {
    return;
  }
  if (needs_answer() && answer) {
    answer_ = std::move(answer);
    held_ = snapshot_.policy->catalogue.expand(answer_->principal.granted);
    caller_.found = policy::Caller::Found::answered;
    caller_.answer = &*answer_;
    caller_.held = &held_;
    const Address client = client_address(peer_, head_->headers(), snapshot_.trusted);
    if (!client.is_unspecified()) {
      caller_.address = bytes_of(client);
    }
  }
  const policy::Decision decision = policy::decide(*snapshot_.policy, route_, *target_, caller_, now);
  if (const auto* denial = std::get_if<policy::Denial>(&decision)) {
    reason_ = denial->reason;
  } else if (is_body_too_large(snapshot_, *head_)) {
    reason_ = Reason::body_too_large;
  } else {
    reason_ = Reason::ok;
    forward(std::get<policy::Grant>(decision));
  }
}

void Rehearsal::forward(const policy::Grant& grant) {
  upstream_ = grant.upstream();
  shadowed_ = grant.shadowed();
  const config::UpstreamSettings& upstream = snapshot_.settings->upstreams[grant.upstream()];
  const std::string own = upstream.preserve_host ? std::string() : authority_of(upstream.endpoints.front());
  const std::string_view client_host = host_with_port(*head_, host_, host_room_);
  const std::string peer = peer_.to_string();
  const bool is_peer_trusted = !snapshot_.trusted.empty() && snapshot_.trusted.contains(peer_);
  begin_trace(is_peer_trusted);
  const std::string_view adopted = is_peer_trusted ? adopted_request_id(*head_) : std::string_view{};
  const ForwardFacts facts{.snapshot = snapshot_,
                           .head = *head_,
                           .target = *target_,
                           .host = upstream.preserve_host ? client_host : std::string_view(own),
                           .client_host = client_host,
                           .peer = peer,
                           .is_peer_v6 = peer_.is_v6(),
                           .is_secure = is_secure_,
                           .is_peer_trusted = is_peer_trusted,
                           .request_id = adopted.empty() ? rehearsed_request_id : adopted,
                           .trace = trace_.is_on ? &trace_ : nullptr};
  headers_ = header_work(facts, grant);
  for (std::size_t i = 0; i < headers_->sent.size(); ++i) {
    headers_->sent[i].name = name_in_line(bytes_, i);
  }
}

// As an exchange does. Where it draws whether a trace is recorded, nobody knows, and what is not certain is told as no.
void Rehearsal::begin_trace(bool is_peer_trusted) {
  const config::TracingSettings& tracing = snapshot_.settings->tracing;
  if (!tracing.endpoint) {
    return;
  }
  trace_.is_on = true;
  std::ranges::copy(rehearsed_trace_id, trace_.trace_id.data());
  std::ranges::copy(rehearsed_span_id, trace_.upstream_id.data());
  const std::optional<bool> is_sampled = continue_trace(*head_, trace_);
  const bool is_believed = is_peer_trusted && tracing.trust_parent && is_sampled;
  trace_.is_recorded = is_believed ? *is_sampled : tracing.sample >= 1;
}

}  // namespace keygate::proxy
