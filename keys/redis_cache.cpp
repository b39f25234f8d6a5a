#include "keys/redis_cache.hpp"

#include "telemetry/log.hpp"

#include <array>
#include <charconv>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace keygate::keys {

namespace {

using std::chrono::milliseconds;

std::int64_t unix_now_ms() {
  return std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// TIME: seconds and microseconds.
std::optional<milliseconds> time_of(const RedisReply& reply) {
  std::array<std::int64_t, 2> parts{};
  if (reply.type != RedisReply::Type::array || reply.elements.size() != parts.size()) return std::nullopt;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string& text = reply.elements[i].text;
    const auto [rest, fault] = std::from_chars(text.data(), text.data() + text.size(), parts[i]);
    if (fault != std::errc{} || rest != text.data() + text.size()) return std::nullopt;
  }
  constexpr std::int64_t end_of_time = 1LL << 40;  // seconds: far enough, and no overflow
  if (parts[0] < 0 || parts[0] > end_of_time || parts[1] < 0 || parts[1] >= 1'000'000) return std::nullopt;
  return milliseconds(parts[0] * 1'000 + parts[1] / 1'000);
}

}  // namespace

struct RedisCache::State {
  explicit State(RecordCodec chosen) : codec(std::move(chosen)) {
    const std::string name = codec.redis_key({});
    const std::string digits = to_hex({});
    look_up = encode_command({"PTTL", name});
    first_digest = look_up.rfind(digits);  // a namespace may have zeros too, and stands before it
    look_up += encode_command({"GET", name});
    second_digest = look_up.rfind(digits);
  }

  // The TTL is asked for first: of a record that is replaced in between, it can only make the new one look older.
  std::string look_up_of(const KeyDigest& digest) const {
    const std::string digits = to_hex(digest);
    std::string commands = look_up;
    commands.replace(first_digest, digits.size(), digits);
    commands.replace(second_digest, digits.size(), digits);
    return commands;
  }

  Result<Cached> read(const KeyDigest& digest, milliseconds bound, std::int64_t asked_at_ms,
                      const Result<std::vector<RedisReply>>& replies);
  Cached judge(const KeyDigest& digest, milliseconds bound, std::int64_t asked_at_ms, milliseconds remaining_ttl,
               const std::string& value);
  Cached miss(RecordFlaw flaw);
  void hear_of_fill(const Result<RedisReply>& reply);

  RecordCodec codec;
  std::string look_up;  // of a digest that is all zeros; encoded once
  std::size_t first_digest = 0, second_digest = 0;
  RedisCacheCounters counters;
};

RedisCache::RedisCache(RedisLink& link, RecordCodec codec)
    : link_(link), state_(std::make_shared<State>(std::move(codec))) {}

RedisCache::~RedisCache() = default;

void RedisCache::apply(RecordCodec codec) { state_->codec = std::move(codec); }

const RedisCacheCounters& RedisCache::counters() const { return state_->counters; }

void RedisCache::get(const KeyDigest& digest, milliseconds bound, Done done) {
  link_.send_encoded(state_->look_up_of(digest), 2, RedisPurpose::read,
                     [weak = std::weak_ptr<State>(state_), digest, bound, asked_at_ms = unix_now_ms(),
                      done = std::move(done)](const Result<std::vector<RedisReply>>& replies) {
                       if (const auto state = weak.lock()) done(state->read(digest, bound, asked_at_ms, replies));
                     });
}

Result<Cached> RedisCache::State::read(const KeyDigest& digest, milliseconds bound, std::int64_t asked_at_ms,
                                       const Result<std::vector<RedisReply>>& replies) {
  if (replies.has_error()) {
    ++counters.errors;
    return replies.error();
  }
  const RedisReply &ttl = (*replies)[0], &value = (*replies)[1];
  if (ttl.is_error() || value.is_error()) {
    ++counters.errors;
    return errc::unavailable;
  }
  if (ttl.type == RedisReply::Type::integer && value.type == RedisReply::Type::nil) {
    ++counters.misses;
    return Cached{};
  }
  if (ttl.type != RedisReply::Type::integer || value.type != RedisReply::Type::string) {
    ++counters.errors;
    return errc::invalid_answer;
  }
  return judge(digest, bound, asked_at_ms, milliseconds(ttl.integer), value.text);
}

Cached RedisCache::State::judge(const KeyDigest& digest, milliseconds bound, std::int64_t asked_at_ms,
                                milliseconds remaining_ttl, const std::string& value) {
  Decoded decoded = codec.decode(digest, value);
  if (const auto* flaw = std::get_if<RecordFlaw>(&decoded)) return miss(*flaw);
  auto& record = std::get<WireRecord>(decoded);
  switch (record.kind) {
    case WireRecord::Kind::revoked:
      ++counters.revoked;
      return {Cached::Kind::revoked};
    case WireRecord::Kind::changed:
      ++counters.changed;
      return {Cached::Kind::changed};
    case WireRecord::Kind::valid:
      break;
  }
  const auto age = age_of(record, remaining_ttl, asked_at_ms, bound);
  if (!age) {
    ++counters.unfit_ages;
    ++counters.misses;
    return {};
  }
  ++counters.hits;
  return {Cached::Kind::record, {std::move(record.answer), *age}};
}

Cached RedisCache::State::miss(RecordFlaw flaw) {
  ++counters.misses;
  ++counters.flaws[static_cast<std::size_t>(flaw)];
  telemetry::log_seldom(
      telemetry::Level::warn, "redis_record",
      "redis: a record cannot be used (" + std::string(to_string(flaw)) +
          "), so its key is asked of the key source: somebody else writes there, or with another key");
  return {};
}

void RedisCache::tell_time(TimeDone done) {
  link_.send({"TIME"}, RedisPurpose::read, [done = std::move(done)](const Result<RedisReply>& reply) {
    if (reply.has_error()) return done(reply.error());
    const auto time = time_of(*reply);
    if (!time) return done(make_error_code(errc::invalid_answer));
    done(*time);
  });
}

void RedisCache::fill(const KeyDigest& digest, const policy::KeyAnswer& answer, const CopyLife& life) {
  if (answer.state != policy::KeyAnswer::State::valid || life.age >= life.bound) return;
  const std::int64_t now = unix_now_ms();
  const WireRecord record{WireRecord::Kind::valid, answer, now - life.age.count(), life.bound};
  const auto value = link_.takes_writes() ? state_->codec.encode(digest, record) : std::nullopt;
  if (!value) {
    ++state_->counters.fill_errors;
    return;
  }
  link_.evaluate(
      fill_script(), state_->codec.redis_key(digest),
      {*value, std::to_string(life.ends_at.count()), std::to_string(*record.issued_at_ms), std::to_string(now)},
      [weak = std::weak_ptr<State>(state_)](const Result<RedisReply>& reply) {
        if (const auto state = weak.lock()) state->hear_of_fill(reply);
      });
}

void RedisCache::State::hear_of_fill(const Result<RedisReply>& reply) {
  if (reply.has_error() || reply->type != RedisReply::Type::integer) {
    ++counters.fill_errors;
  } else if (reply->integer == 1) {
    ++counters.fills;
  } else {
    ++counters.fills_refused;
  }
}

}  // namespace keygate::keys
