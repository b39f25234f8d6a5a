#include "proxy/exchange.hpp"

#include "policy/readings.hpp"
#include "proxy/authorize.hpp"
#include "proxy/cross_origin.hpp"
#include "proxy/forwarding.hpp"
#include "proxy/judging.hpp"

#include <cstring>
#include <exception>
#include <utility>

namespace keygate::proxy {
namespace {

using policy::Reason;

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
      began_at_(std::chrono::system_clock::now()),
      vigil_(client) {
  client.has_answer_begun = false;
  room_.standing.reset();
  room_.trace.is_on = room_.trace.is_recorded = false;
  request_.field_count = 0;
  request_.method_word = {};
  request_.method = policy::Method::get;
  request_.keep_alive = false;
  request_.content_length = 0;
  request_.has_content_length = request_.is_chunked = request_.expects_continue = request_.accepts_trailers = false;
  request_.is_upgrade = request_.is_original = false;
  const std::string_view id = worker_.next_request_id();
  std::memcpy(room_.request_id.data(), id.data(), id.size());
  request_id_ = {room_.request_id.data(), id.size()};
}

Exchange::~Exchange() { wipe_head(); }

// The head held a key in clear; its memory is somebody else's next.
void Exchange::wipe_head() {
  vigil_.end();
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
  if (snapshot_.settings->tracing.endpoint) {
    begin_trace();
  }
  if (const auto refused = canonicalise()) {
    keeps_client_ = false;
    co_return co_await deny(*refused);
  }
  if (request_.is_asterisk) {
    co_return co_await answer_locally();
  }
  const policy::MatchInput input{host_, request_.method, &*target_, request_.headers()};
  route_ = answering_route(snapshot_.policy->table, input, request_);
  if (route_ != nullptr) {
    co_return co_await answer_locally();
  }
  const auto auth_began = SteadyClock::now();
  room_.trace.auth_began = auth_began;
  route_ = snapshot_.policy->table.match(input);
  if (route_ != nullptr && policy::stricter_reading(*snapshot_.policy, *route_, input)) {
    keeps_client_ = false;
    co_return co_await deny(Reason::ambiguous_path);
  }
  extract();
  if (caller_.found == policy::Caller::Found::could_not_find_out) {
    co_await look_up();
  }
  policy::Decision decision = judge();
  auth_time_ = SteadyClock::now() - auth_began;
  const auto* const grant = std::get_if<policy::Grant>(&decision);
  if (grant != nullptr && is_limited(grant->principal())) {
    const bool has_passed = co_await pass_limits(grant->principal());
    if (!has_passed) {
      co_return co_await deny(Reason::rate_limited);
    }
    if (has_changed_meanwhile()) {
      co_await look_up();
      decision = judge();
    }
  }
  if (const auto* denial = std::get_if<policy::Denial>(&decision)) {
    co_return co_await deny(denial->reason);
  }
  if (request_.is_original) {
    co_return co_await answer_question(std::get<policy::Grant>(decision));
  }
  After after = After::close;
  std::exception_ptr thrown;
  try {
    after = co_await forward(std::get<policy::Grant>(decision));
  } catch (...) {
    thrown = std::current_exception();
  }
  if (thrown) {
    // An upload that still runs has to be joined whatever is thrown beside it: it works on this exchange.
    if (connection_) {
      connection_->abort();
    }
    co_await join_upload();
    std::rethrow_exception(thrown);
  }
  if (after == After::keep && upload_.rest) {
    // What was read past the end of this body is the start of the next request, however this one ended.
    wipe_head();
    client_.replace_unread(std::move(upload_.rest), upload_.rest_begin, upload_.rest_end);
  }
  co_return after;
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

void Exchange::adopt_request_id() {
  // Over a unix socket nobody has an address: its mode says who may ask for decisions there, and who does is a proxy.
  is_peer_trusted_ = client_.peer.is_unspecified()
                         ? client_.decides.has_value()
                         : !snapshot_.trusted.empty() && snapshot_.trusted.contains(client_.peer);
  if (!is_peer_trusted_) {
    return;
  }
  if (const std::string_view id = adopted_request_id(request_); !id.empty()) {
    request_id_ = id;
  }
}

// Host and path in the form that is matched and forwarded.
std::optional<Reason> Exchange::canonicalise() {
  if (client_.decides) {
    if (const auto refused = take_question()) {
      return refused;
    }
  }
  const auto host = settled_host(request_, room_.host);
  if (!host) {
    return Reason::bad_request;
  }
  host_ = *host;
  if (request_.is_asterisk) {
    return std::nullopt;
  }
  auto target = settled_target(snapshot_, request_);
  if (const auto* refusal = std::get_if<HeadRefusal>(&target)) {
    return refusal->reason;
  }
  target_ = std::get<policy::RequestTarget>(target);
  return std::nullopt;
}

// Finds the credential and, where this worker knows it already, whose it is.
void Exchange::extract() {
  const bool is_secure = request_.is_original ? is_said_to_be_secure(request_) : client_.stream.is_secure();
  const Approach found = approach(snapshot_, route_, request_, *target_, worker_.hasher, is_secure);
  presented_ = found.presented;
  caller_ = found.caller;
  caller_.client_subject = client_.subject;
  digest_ = found.digest;
  if (caller_.found != policy::Caller::Found::could_not_find_out) {
    return;
  }
  keys::Resolver& resolver = worker_.resolver(caller_.kind);
  if (auto record = resolver.recall(digest_, began_)) {
    resolver.renew_if_due(digest_, presented_.secret, *record, began_, {{}, caller_.prefix_environment});
    source_ = "memory";
    take_record(std::move(record));
  }
}

Awaitable<void> Exchange::look_up() {
  keys::Resolver& resolver = worker_.resolver(caller_.kind);
  const auto deadline = SteadyClock::now() + resolver.patience();
  const keys::Asker asker{asker_of(client_address()), caller_.prefix_environment};
  Result<std::shared_ptr<const keys::Record>> found =
      co_await resolver.look_up(digest_, presented_.secret, deadline, asker);
  // It may have changed between the answer and this moment.
  while (found && resolver.has_changed_since(digest_, (*found)->asked_at) && SteadyClock::now() < deadline) {
    found = co_await resolver.look_up(digest_, presented_.secret, deadline, asker);
  }
  if (found) {
    source_ = (*found)->source;
    take_record(std::move(*found));
  } else if (found.error() == keys::errc::over_budget) {
    caller_.found = policy::Caller::Found::over_budget;
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
  // Also where the record says nothing of addresses: it may when it is looked at again.
  if (const Address client = client_address(); !client.is_unspecified()) {
    caller_.address = bytes_of(client);
  }
}

// The peer's, or that of whom a trusted proxy names. Who asks for a decision is not who is decided about.
Address Exchange::client_address() const {
  if (client_.decides) {
    return is_peer_trusted_ ? named_client(request_.headers(), snapshot_.trusted, *client_.decides) : client_.peer;
  }
  return is_peer_trusted_ ? proxy::client_address(client_.peer, request_.headers(), snapshot_.trusted) : client_.peer;
}

policy::Decision Exchange::judge() const {
  return policy::decide(*snapshot_.policy, route_, *target_, caller_, unix_seconds(std::chrono::system_clock::now()));
}

}  // namespace keygate::proxy
