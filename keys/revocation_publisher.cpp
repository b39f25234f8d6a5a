#include "keys/revocation_publisher.hpp"

#include "keys/backoff.hpp"
#include "keys/source.hpp"
#include "telemetry/log.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/post.hpp>

#include <optional>
#include <random>
#include <string>
#include <unordered_set>
#include <utility>

namespace keygate::keys {

namespace {

using Clock = std::chrono::steady_clock;
using Timer = net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor>;
using std::chrono::milliseconds;

constexpr milliseconds first_wait{50}, longest_wait{1'000};

// What a RedisLink's error means; their own words are of key sources.
std::string reason_of(error_code error) {
  if (error == errc::timed_out) return "it did not answer in time";
  if (error == errc::overloaded) return "too much waits for it already";
  return "it cannot be reached";
}

std::int64_t unix_now_ms() {
  return std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

class RevocationPublisher::Impl : public std::enable_shared_from_this<RevocationPublisher::Impl> {
 public:
  Impl(net::io_context& io, RedisLink& link, RecordCodec codec)
      : io_(io), link_(link), codec_(std::in_place, std::move(codec)), random_(std::random_device{}()) {}

  void publish(const KeyDigest& digest, Tombstone kind, milliseconds bound, Done done);
  std::size_t pending() const { return pending_; }
  void apply(RecordCodec codec) { codec_.emplace(std::move(codec)); }
  void stop();

  RevocationPublisherCounters counters;

 private:
  struct Publication {
    Publication(net::io_context& io, const KeyDigest& which, WireRecord::Kind how, milliseconds life, Done told)
        : digest(which),
          kind(how),
          bound(life),
          deadline(Clock::now() + life),
          done(std::move(told)),
          backoff(first_wait, longest_wait),
          retry(io) {}

    const KeyDigest digest;
    const WireRecord::Kind kind;
    const milliseconds bound;
    const Clock::time_point deadline;
    const Done done;
    Backoff backoff;
    Timer retry;
  };
  using Shared = std::shared_ptr<Publication>;

  void attempt(const Shared& publication);
  void hear(const Shared& publication, const Result<RedisReply>& reply);
  void try_again(const Shared& publication, const std::string& why);
  void finish(const Publication& publication, error_code error);

  net::io_context& io_;
  RedisLink& link_;
  std::optional<RecordCodec> codec_;  // there is always one
  std::minstd_rand random_;
  std::size_t pending_ = 0;
  std::unordered_set<Shared> resting_;  // until the next try
  bool is_stopped_ = false;
};

RevocationPublisher::RevocationPublisher(net::io_context& io, RedisLink& link, RecordCodec codec)
    : impl_(std::make_shared<Impl>(io, link, std::move(codec))) {}

RevocationPublisher::~RevocationPublisher() { impl_->stop(); }

void RevocationPublisher::apply(RecordCodec codec) { impl_->apply(std::move(codec)); }

void RevocationPublisher::publish(const KeyDigest& digest, Tombstone kind, milliseconds bound, Done done) {
  impl_->publish(digest, kind, bound, std::move(done));
}

std::size_t RevocationPublisher::pending() const { return impl_->pending(); }
const RevocationPublisherCounters& RevocationPublisher::counters() const { return impl_->counters; }

// No timer is left for the io_context to wait for.
void RevocationPublisher::Impl::stop() {
  is_stopped_ = true;
  for (const Shared& publication : std::exchange(resting_, {})) publication->retry.cancel();
}

void RevocationPublisher::Impl::publish(const KeyDigest& digest, Tombstone kind, milliseconds bound, Done done) {
  if (pending_ >= (kind == Tombstone::revoked ? max_revoked : max_pending)) {
    ++counters.dropped;
    telemetry::log_seldom(telemetry::Level::error, "revocation_dropped",
                          "redis is not told of a revoked or changed key, as " + std::to_string(pending_) +
                              " wait already: proxies may honour it as it was up to the staleness bound");
    net::post(io_, [done = std::move(done)] { done(make_error_code(errc::overloaded)); });
    return;
  }
  ++pending_;
  const auto wire = kind == Tombstone::revoked ? WireRecord::Kind::revoked : WireRecord::Kind::changed;
  attempt(std::make_shared<Publication>(io_, digest, wire, bound, std::move(done)));
}

void RevocationPublisher::Impl::attempt(const Shared& publication) {
  WireRecord record;
  record.kind = publication->kind;
  record.issued_at_ms = unix_now_ms();
  const std::string value = codec_->encode(publication->digest, record).value_or("");
  link_.evaluate(tombstone_script(), codec_->redis_key(publication->digest),
                 {value, publication->kind == WireRecord::Kind::revoked ? "revoked" : "changed",
                  std::to_string(publication->bound.count()), codec_->channel(), to_hex(publication->digest)},
                 [weak = weak_from_this(), publication](const Result<RedisReply>& reply) {
                   const auto self = weak.lock();
                   if (self && !self->is_stopped_) self->hear(publication, reply);
                 });
}

void RevocationPublisher::Impl::hear(const Shared& publication, const Result<RedisReply>& reply) {
  if (reply.has_error()) return try_again(publication, reason_of(reply.error()));
  if (reply->type != RedisReply::Type::integer) return try_again(publication, reply->text);
  ++counters.published;
  finish(*publication, {});
}

void RevocationPublisher::Impl::try_again(const Shared& publication, const std::string& why) {
  const milliseconds wait = publication->backoff.next(std::uniform_real_distribution<double>(0, 1)(random_));
  if (Clock::now() + wait >= publication->deadline) {
    ++counters.given_up;
    telemetry::log_seldom(telemetry::Level::error, "revocation_not_published",
                          "redis could not be told of a revoked or changed key within the staleness bound: " + why);
    return finish(*publication, errc::timed_out);
  }
  ++counters.retries;
  telemetry::log_seldom(telemetry::Level::warn, "revocation_retried",
                        "redis cannot be told of a revoked or changed key yet: " + why);
  publication->retry.expires_after(wait);
  resting_.insert(publication);
  publication->retry.async_wait([weak = weak_from_this(), publication](error_code cancelled) {
    const auto self = weak.lock();
    if (!self || cancelled || self->is_stopped_) return;
    self->resting_.erase(publication);
    self->attempt(publication);
  });
}

void RevocationPublisher::Impl::finish(const Publication& publication, error_code error) {
  --pending_;
  if (error) return publication.done(error);
  publication.done({});
}

}  // namespace keygate::keys
