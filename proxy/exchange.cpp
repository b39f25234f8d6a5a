#include "proxy/exchange.hpp"

#include "proxy/reply.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include <cstring>
#include <utility>

namespace keygate::proxy {
namespace {

using policy::Reason;
using Micros = std::chrono::microseconds;

// For one look-up, over all sources; each has its own deadline within.
constexpr std::chrono::seconds look_up_limit{2};

std::int64_t unix_seconds(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

}  // namespace

Exchange::Exchange(Client& client, ExchangeParts& room, std::shared_ptr<const Generation> generation)
    : worker_(client.worker),
      client_(client),
      room_(room),
      request_(room.request),
      response_(room.response),
      generation_(std::move(generation)),
      snapshot_(*generation_->snapshot),
      began_(SteadyClock::now()),
      began_at_(std::chrono::system_clock::now()) {
  request_.field_count = 0;
  request_.method_word = {};
  request_.method = policy::Method::get;
  request_.keep_alive = false;
  request_.content_length = 0;
  request_.has_content_length = request_.is_chunked = request_.expects_continue = request_.accepts_trailers = false;
  const std::string_view id = worker_.next_request_id();
  std::memcpy(room_.request_id.data(), id.data(), id.size());
  request_id_ = {room_.request_id.data(), id.size()};
}

Exchange::~Exchange() { wipe_head(); }

// The head held a key in clear; its memory is somebody else's next.
void Exchange::wipe_head() {
  if (!head_bytes_.empty()) {
    explicit_bzero(head_bytes_.data(), head_bytes_.size());
    head_bytes_ = {};
  }
}

Awaitable<After> Exchange::run(std::size_t head_size) {
  head_bytes_ = {client_.in.data() + client_.begin, head_size};
  client_.skip(head_size);
  if (const auto refused = read_head(head_bytes_)) {
    keeps_client_ = false;
    co_return co_await deny(*refused);
  }
  adopt_request_id();
  if (const auto refused = canonicalise()) {
    keeps_client_ = false;
    co_return co_await deny(*refused);
  }
  if (request_.is_asterisk) {
    co_return co_await answer_asterisk();
  }
  const auto auth_began = SteadyClock::now();
  route_ = snapshot_.policy->table.match({host_, request_.method, &*target_, request_.headers()});
  extract();
  if (caller_.found == policy::Caller::Found::could_not_find_out) {
    co_await look_up();
  }
  const policy::Decision decision = judge();
  auth_time_ = std::chrono::duration_cast<Micros>(SteadyClock::now() - auth_began);
  if (const auto* denial = std::get_if<policy::Denial>(&decision)) {
    co_return co_await deny(denial->reason);
  }
  co_return co_await forward(std::get<policy::Grant>(decision));
}

std::optional<Reason> Exchange::read_head(std::span<char> head) {
  const config::LimitSettings& limits = snapshot_.settings->limits;
  const auto refusal =
      read_request_head(head, HeadLimits{limits.target_bytes, limits.header_count}, snapshot_.reserved, request_);
  if (!refusal) {
    return std::nullopt;
  }
  return refusal->reason;
}

// A trusted proxy's id joins its log to ours; anybody else's could forge a line in it.
void Exchange::adopt_request_id() {
  is_peer_trusted_ = !snapshot_.trusted.empty() && snapshot_.trusted.contains(client_.peer);
  if (!is_peer_trusted_) {
    return;
  }
  for (const policy::HeaderField& field : request_.headers()) {
    if (equals_ignoring_case(field.name, "x-request-id") && policy::is_identity_value(field.value)) {
      request_id_ = field.value;
    }
  }
}

// Host and path in the form that is matched and forwarded.
std::optional<Reason> Exchange::canonicalise() {
  if (request_.host.size() + 1 > room_.host.size()) {
    return Reason::bad_request;
  }
  const auto host = policy::canonical_host(request_.host, room_.host);
  if (!host) {
    return Reason::bad_request;
  }
  host_ = *host;
  if (request_.is_asterisk) {
    return std::nullopt;
  }
  auto parsed = policy::RequestTarget::parse(request_.target);
  if (const auto* flaw = std::get_if<policy::TargetFlaw>(&parsed)) {
    const bool is_malformed =
        *flaw == policy::TargetFlaw::not_origin_form || *flaw == policy::TargetFlaw::forbidden_byte;
    return is_malformed ? Reason::bad_request : Reason::ambiguous_path;
  }
  target_ = std::get<policy::RequestTarget>(parsed);
  if (snapshot_.credentials.is_query_ambiguous(target_->query())) {
    return Reason::bad_request;
  }
  if (own_via_count(request_) > max_own_via) {
    return Reason::loop_detected;
  }
  return std::nullopt;
}

// Finds the credential and, where this worker knows it already, whose it is. Leaves could_not_find_out where a look-up
// has to be waited for: the state that denies until an answer is there.
void Exchange::extract() {
  using Found = policy::Caller::Found;
  if (route_ == nullptr || route_->access == policy::Access::anonymous) {
    caller_.found = Found::not_looked;
    return;
  }
  presented_ = snapshot_.credentials.extract(request_.headers(), target_->query());
  switch (presented_.kind) {
    case keys::Presented::Kind::nothing:
      caller_.found = Found::nothing;
      return;
    case keys::Presented::Kind::ambiguous:
      caller_.found = Found::ambiguous;
      return;
    case keys::Presented::Kind::malformed:
      caller_.found = Found::malformed;
      return;
    case keys::Presented::Kind::one:
      break;
  }
  caller_.found = Found::could_not_find_out;
  caller_.kind = policy::CredentialKind::api_key;
  caller_.prefix_environment = presented_.environment;
  digest_ = worker_.hasher(presented_.secret);
  if (auto record = worker_.resolver().recall(digest_, began_)) {
    source_ = "memory";
    take_record(std::move(record));
  }
}

Awaitable<void> Exchange::look_up() {
  const auto deadline = SteadyClock::now() + look_up_limit;
  Result<std::shared_ptr<const keys::Record>> found =
      co_await worker_.resolver().look_up(digest_, presented_.secret, deadline);
  if (found && *found) {
    source_ = (*found)->source;
    take_record(std::move(*found));
  }
}

// A record that was made under another catalogue (a reload came while it was waited for) is judged by this exchange's.
void Exchange::take_record(std::shared_ptr<const keys::Record> record) {
  record_ = std::move(record);
  caller_.found = policy::Caller::Found::answered;
  caller_.answer = &record_->answer;
  caller_.held = &record_->held;
  if (record_->generation != snapshot_.generation && record_->answer.state == policy::KeyAnswer::State::valid) {
    own_held_ = snapshot_.policy->catalogue.expand(record_->answer.principal.granted);
    caller_.held = &own_held_;
  }
}

policy::Decision Exchange::judge() const {
  return policy::decide(*snapshot_.policy, route_, *target_, caller_, unix_seconds(std::chrono::system_clock::now()));
}

bool Exchange::may_keep_client() const {
  const std::uint64_t most = snapshot_.settings->limits.requests_per_connection;
  return request_.keep_alive && !worker_.is_draining() && (most == 0 || client_.served < most);
}

// A request body that has come whole is stepped over; any other ends the connection, so that it is never read as a
// request (M-15, R-09).
Awaitable<After> Exchange::deny(Reason reason, std::string_view proxy_error) {
  if (is_forwarding_) {
    keeps_client_ = keeps_client_ && is_request_body_done_;
  } else if (request_.has_body()) {
    const bool is_whole = !request_.is_chunked && request_.content_length <= client_.unread().size();
    keeps_client_ = keeps_client_ && is_whole;
    client_.skip(is_whole ? static_cast<std::size_t>(request_.content_length) : 0);
  }
  keeps_client_ = keeps_client_ && may_keep_client();
  ReplyFacts facts;
  facts.reason = reason;
  facts.request_id = request_id_;
  facts.required_scopes = route_ != nullptr ? std::string_view(route_->scopes_text) : std::string_view{};
  facts.proxy_error = proxy_error;
  facts.is_head = request_.method == policy::Method::head;
  facts.closes = !keeps_client_;
  facts.is_minimal = snapshot_.settings->minimal_errors;
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

// `OPTIONS *` asks about this proxy, not about anything behind it (N-07).
Awaitable<After> Exchange::answer_asterisk() {
  keeps_client_ = may_keep_client() && !request_.has_body();
  const std::string reply = write_empty_reply(!keeps_client_);
  const bool is_sent = co_await send_to_client(reply);
  finish(Reason::ok, is_sent ? 200 : 0);
  co_return !is_sent ? After::close : keeps_client_ ? After::keep : After::linger;
}

Awaitable<bool> Exchange::send_to_client(std::string_view bytes) {
  client_.limit_send(snapshot_.settings->limits.body_idle_timeout);
  const auto [error, sent] =
      co_await net::async_write(client_.socket, net::buffer(bytes.data(), bytes.size()), use_tuple);
  client_.send_deadline.disarm();
  co_return !error && sent == bytes.size();
}

void Exchange::finish(Reason reason, int status) {
  const auto now = SteadyClock::now();
  telemetry::Outcome outcome;
  outcome.started = began_at_;
  outcome.request_id = request_id_;
  std::string behind_proxy;
  if (is_peer_trusted_) {
    behind_proxy = client_address(client_.peer, request_.headers(), snapshot_.trusted).to_string();
  }
  outcome.client = is_peer_trusted_ ? std::string_view(behind_proxy) : std::string_view(client_.peer_text);
  outcome.method = request_.method_word;
  outcome.host = host_;
  outcome.path = target_ ? target_->path() : std::string_view{};
  outcome.code = policy::row(reason).code;
  outcome.status = status;
  outcome.generation = snapshot_.generation;
  outcome.bytes_in = bytes_in_;
  outcome.bytes_out = bytes_out_;
  outcome.duration = std::chrono::duration_cast<Micros>(now - began_);
  outcome.auth = auth_time_;
  outcome.source = source_;
  if (caller_.kind != policy::CredentialKind::none || (route_ != nullptr && reason == Reason::ok)) {
    outcome.auth_method = policy::to_string(caller_.kind);
  }
  if (route_ != nullptr) {
    outcome.route = route_->name;
    outcome.conditions = route_->conditions_text;
  }
  if (record_) {
    const policy::Principal& principal = record_->answer.principal;
    outcome.key_id = principal.key_id;
    outcome.organization_id = principal.organization;
    outcome.environment = policy::to_string(
        caller_.prefix_environment != policy::Environment::none ? caller_.prefix_environment : principal.environment);
    outcome.scopes = caller_.held->text;
    outcome.age_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now - record_->asked_at).count();
    if (reason == Reason::insufficient_scope) {
      outcome.required_scopes = route_->scopes_text;
    }
  }
  if (upstream_) {
    outcome.upstream = upstream_->settings().name;
    outcome.upstream_wait = upstream_wait_;
  }
  worker_.report(outcome);
}

}  // namespace keygate::proxy
