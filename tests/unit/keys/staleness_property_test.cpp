// The staleness bound, held against the real resolver: two proxies, a shared cache and a key service, on a clock of the
// test's own.
#include "keys/key_record.hpp"
#include "keys/resolver.hpp"

#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace keygate::keys {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using State = policy::KeyAnswer::State;

constexpr std::size_t key_count = 3;
constexpr milliseconds bound = 60s;

// Time that goes on for all alike, and what the machines' calendars make of it.
struct Clocks {
  SteadyTime now{std::chrono::hours{1'000}};
  milliseconds writer_shift{0}, reader_shift{0};

  std::int64_t unix_ms(milliseconds shift) const {
    return std::chrono::duration_cast<milliseconds>(now.time_since_epoch() + shift).count();
  }
};

// What is true of each key.
struct Truth {
  std::array<std::optional<SteadyTime>, key_count> revoked_at;
};

// Keeps records and tombstones as Redis does, with TTLs on its own clock; may be down, and may lose everything.
class FakeRedis {
 public:
  struct Value {
    WireRecord record;
    SteadyTime expires;
  };

  explicit FakeRedis(const Clocks& clocks) : clocks_(clocks) {}

  const Value* find(const KeyDigest& digest) const {
    const auto found = values_.find(digest.bytes);
    return found != values_.end() && found->second.expires > clocks_.now ? &found->second : nullptr;
  }
  void bury(const KeyDigest& digest) {
    WireRecord tombstone;
    tombstone.kind = WireRecord::Kind::revoked;
    values_[digest.bytes] = {tombstone, clocks_.now + bound};
  }
  // As the script does it.
  void fill(const KeyDigest& digest, WireRecord record, SteadyTime expires) {
    const Value* const there = find(digest);
    if (there != nullptr && there->record.kind != WireRecord::Kind::valid) return;
    if (there != nullptr && there->record.issued_at_ms > record.issued_at_ms) return;
    values_[digest.bytes] = {std::move(record), expires};
  }
  void flush() { values_.clear(); }

  bool is_up = true;

 private:
  const Clocks& clocks_;
  std::map<std::array<std::uint8_t, 32>, Value> values_;
};

// What is under way somewhere, and ends when the test says so.
using Pending = std::deque<std::function<void()>>;

class FakeCache final : public SharedCache {
 public:
  FakeCache(const Clocks& clocks, FakeRedis& redis, Pending& pending)
      : clocks_(clocks), redis_(redis), pending_(pending) {}

  void get(const KeyDigest& digest, milliseconds own_bound, Done done) override {
    pending_.push_back([this, digest, own_bound, done = std::move(done)] {
      if (!redis_.is_up) return done(make_error_code(errc::timed_out));
      done(read(digest, own_bound));
    });
  }

  void tell_time(TimeDone done) override {
    pending_.push_back([this, done = std::move(done)] {
      if (!redis_.is_up) return done(make_error_code(errc::timed_out));
      done(std::chrono::duration_cast<milliseconds>(clocks_.now.time_since_epoch()));
    });
  }

  void fill(const KeyDigest& digest, const policy::KeyAnswer& answer, const CopyLife& life) override {
    WireRecord record;
    record.answer = answer;
    record.issued_at_ms = clocks_.unix_ms(clocks_.writer_shift) - life.age.count();
    record.bound = life.bound;
    // It may get there at any time.
    pending_.push_back([this, digest, record, expires = SteadyTime(life.ends_at)] {
      if (redis_.is_up) redis_.fill(digest, record, expires);
    });
  }

 private:
  Cached read(const KeyDigest& digest, milliseconds own_bound) const {
    Cached cached;
    const FakeRedis::Value* const value = redis_.find(digest);
    if (value == nullptr) return cached;
    if (value->record.kind == WireRecord::Kind::revoked) {
      cached.kind = Cached::Kind::revoked;
      return cached;
    }
    const auto left = std::chrono::duration_cast<milliseconds>(value->expires - clocks_.now);
    const auto age = age_of(value->record, left, clocks_.unix_ms(clocks_.reader_shift), own_bound);
    if (!age) return cached;
    cached.kind = Cached::Kind::record;
    cached.found.answer = value->record.answer;
    cached.found.age = *age;
    return cached;
  }

  const Clocks& clocks_;
  FakeRedis& redis_;
  Pending& pending_;
};

// Knows the truth of the moment in which it is asked, and takes its time to say so.
class FakeService final : public Source {
 public:
  FakeService(const Clocks& clocks, const Truth& truth, const std::vector<KeyDigest>& digests, Pending& pending)
      : clocks_(clocks), truth_(truth), digests_(digests), pending_(pending) {}

  std::string_view name() const override { return "service"; }

  void look_up(const KeyDigest& digest, std::shared_ptr<const Secret>, Done done) override {
    std::size_t number = 0;
    while (!(digests_[number] == digest)) ++number;
    Found found;
    found.answer.state = truth_.revoked_at[number] ? State::revoked : State::valid;
    found.answer.principal.key_id = "key_" + std::to_string(number);
    found.answer.principal.organization = "org_" + std::to_string(number);
    pending_.push_back([this, found, done = std::move(done)] {
      if (!is_up) return done(make_error_code(errc::unavailable));
      done(found);
    });
  }

  bool is_up = true;

 private:
  const Clocks& clocks_;
  const Truth& truth_;
  const std::vector<KeyDigest>& digests_;
  Pending& pending_;
};

class World {
 public:
  World(unsigned seed, bool has_clocks_apart) : random_(seed), has_clocks_apart_(has_clocks_apart) {
    Hasher hash;
    for (std::size_t i = 0; i < key_count; ++i) {
      texts_.push_back(text(i));
      digests_.push_back(hash(SecretView(texts_.back())));
    }
    config::ResolutionSettings settings;
    settings.staleness_bound = bound;
    for (auto& resolver : resolvers_) {
      Resolver::Parts parts;
      parts.cache = &cache_;
      parts.sources = {&service_};
      parts.now = [this] { return clocks_.now; };
      parts.expects_push = true;
      resolver = std::make_unique<Resolver>(io_, std::move(parts), settings);
      resolver->apply(catalogue_, 1, settings);
    }
  }

  void step() {
    switch (below(16)) {
      case 0:
        clocks_.now += milliseconds(below(20'000));
        break;
      case 1:
        if (has_clocks_apart_) clocks_.reader_shift = milliseconds(below(30'000));
        break;
      case 2:
        if (has_clocks_apart_) clocks_.writer_shift = milliseconds(below(30'000));
        break;
      case 3:
        redis_.is_up = below(3) != 0;
        break;
      case 4:
        service_.is_up = below(3) != 0;
        break;
      case 5:
        if (below(10) == 0) redis_.flush();
        break;
      case 6:
        if (below(8) == 0) revoke(below(key_count));
        break;
      case 7:
        is_up_[0] = below(2) == 0;
        is_up_[0] ? resolvers_[0]->push_up() : resolvers_[0]->push_down();
        break;
      case 8:
      case 9:
      case 10:
        deliver();
        break;
      default:
        clocks_.now += milliseconds(below(1'000));
        request(below(2), below(key_count));
    }
  }

  std::size_t grants = 0, refusals = 0;

 private:
  static std::string text(std::size_t number) { return "key_number_" + std::to_string(number) + "_of_the_test"; }
  std::size_t below(std::size_t end) { return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_); }

  void deliver() {
    if (pending_.empty()) return;
    std::swap(pending_.front(), pending_[below(pending_.size())]);
    const auto next = std::move(pending_.front());
    pending_.pop_front();
    next();
    io_.restart();
    io_.poll();
  }

  void revoke(std::size_t number) {
    if (truth_.revoked_at[number]) return;
    truth_.revoked_at[number] = clocks_.now;
    if (redis_.is_up && below(4) != 0) redis_.bury(digests_[number]);
    for (std::size_t proxy = 0; proxy < resolvers_.size(); ++proxy) {
      if (is_up_[proxy] && below(3) != 0) resolvers_[proxy]->invalidate(digests_[number]);
    }
  }

  void request(std::size_t proxy, std::size_t number) {
    if (const auto record = resolvers_[proxy]->recall(digests_[number], clocks_.now)) return judge(*record, number);
    net::co_spawn(io_, resolvers_[proxy]->look_up(digests_[number], SecretView(texts_[number]), far_),
                  [this, number](const std::exception_ptr&, const Result<std::shared_ptr<const Record>>& outcome) {
                    if (outcome) judge(**outcome, number);
                  });
    io_.restart();
    io_.poll();
  }

  void judge(const Record& record, std::size_t number) {
    if (record.answer.state != State::valid) {
      ++refusals;
      ASSERT_TRUE(truth_.revoked_at[number]) << "a good key is refused";
      return;
    }
    ++grants;
    ASSERT_EQ(record.answer.principal.key_id, "key_" + std::to_string(number));
    if (const auto revoked = truth_.revoked_at[number]) {
      ASSERT_LT(clocks_.now - *revoked, bound) << "granted past the bound";
    }
  }

  std::mt19937 random_;
  const bool has_clocks_apart_;
  Clocks clocks_;
  Truth truth_;
  Pending pending_;
  std::vector<std::string> texts_;
  std::vector<KeyDigest> digests_;
  FakeRedis redis_{clocks_};
  FakeCache cache_{clocks_, redis_, pending_};
  FakeService service_{clocks_, truth_, digests_, pending_};
  policy::Catalogue catalogue_;
  std::array<bool, 2> is_up_{false, false};
  std::array<std::unique_ptr<Resolver>, 2> resolvers_;
  SteadyTime far_ = std::chrono::steady_clock::now() + std::chrono::hours{1};
  net::io_context io_{1};
};

TEST(StalenessProperty, C05_NoGrantIsEverMadePastTheBound) {
  std::size_t grants = 0, refusals = 0;
  for (unsigned seed = 0; seed < 300; ++seed) {
    World world(seed, seed % 2 == 0);
    for (int step = 0; step < 600; ++step) {
      world.step();
      ASSERT_FALSE(::testing::Test::HasFatalFailure()) << "seed " << seed << ", step " << step;
    }
    grants += world.grants;
    refusals += world.refusals;
  }
  EXPECT_GT(grants, 5'000U) << "the world lets requests through at all";
  EXPECT_GT(refusals, 500U);
}

}  // namespace
}  // namespace keygate::keys
