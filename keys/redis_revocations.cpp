#include "keys/redis_revocations.hpp"

#include "keys/redis_link.hpp"
#include "keys/revocation_publisher.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <utility>

namespace keygate::keys {
namespace {

using Clock = std::chrono::steady_clock;
using Timer = net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor>;

// One who waits to hear whether all were told: hears it once, or after a while that it is not so yet.
class Hearing : public std::enable_shared_from_this<Hearing> {
 public:
  Hearing(net::io_context& io, RevocationSink::Done done)
      : timer_(io.get_executor(), RedisRevocations::patience), done_(std::move(done)) {}

  // It lives as long as somebody may tell it more.
  void begin() {
    timer_.async_wait([weak = weak_from_this()](error_code error) {
      const auto self = weak.lock();
      if (self && !error) self->tell(false);
    });
  }

  void tell(bool is_pushed) {
    timer_.cancel();
    if (auto done = std::exchange(done_, {})) done(is_pushed);
  }

 private:
  Timer timer_;
  RevocationSink::Done done_;
};

RecordCodec codec_for(const RedisLinkSettings& settings, std::vector<std::string> signing_keys) {
  return {settings.redis.name_space, RecordSubject::key, std::move(signing_keys)};
}

}  // namespace

struct RedisRevocations::Impl {
  Impl(net::io_context& context, const RedisLinkSettings& settings, std::vector<std::string> signing_keys,
       std::chrono::milliseconds for_long)
      : io(context),
        link(io, settings),
        publisher(io, link, codec_for(settings, std::move(signing_keys))),
        bound(for_long) {}

  net::io_context& io;
  RedisLink link;
  RevocationPublisher publisher;
  std::chrono::milliseconds bound;
};

RedisRevocations::RedisRevocations(net::io_context& io, const RedisLinkSettings& settings,
                                   std::vector<std::string> signing_keys, std::chrono::milliseconds bound)
    : impl_(std::make_unique<Impl>(io, settings, std::move(signing_keys), bound)) {}

RedisRevocations::~RedisRevocations() = default;

void RedisRevocations::apply(const RedisLinkSettings& settings, std::vector<std::string> signing_keys,
                             std::chrono::milliseconds bound) {
  impl_->publisher.apply(codec_for(settings, std::move(signing_keys)));
  impl_->link.apply(settings);
  impl_->bound = bound;
}

void RedisRevocations::changed(const KeyDigest& digest, KeyChange change, Done done) {
  const Tombstone kind = change == KeyChange::revoked ? Tombstone::revoked : Tombstone::changed;
  const auto hearing = std::make_shared<Hearing>(impl_->io, std::move(done));
  hearing->begin();
  impl_->publisher.publish(digest, kind, impl_->bound,
                           [hearing](const Result<void>& published) { hearing->tell(published.has_value()); });
}

}  // namespace keygate::keys
