// A resolver between a shared cache and a key service: what each may say, what is believed, and what serves where one
// of them fails.
#include "keys/resolver.hpp"
#include "keys/single_flight.hpp"

#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace keygate::keys {
namespace {

using namespace std::chrono_literals;
using State = policy::KeyAnswer::State;
using Clock = std::chrono::steady_clock;
using policy::Environment;

class ScriptedCache final : public SharedCache {
 public:
  void get(const KeyDigest&, std::chrono::milliseconds, Done done) override { asked.push_back(std::move(done)); }
  void fill(const KeyDigest&, const policy::KeyAnswer&, const CopyLife& life) override { fills.push_back(life); }

  void tell_time(TimeDone done) override { time_asked.push_back(std::move(done)); }

  std::deque<Done> asked;
  std::deque<TimeDone> time_asked;
  std::vector<CopyLife> fills;
};

class ScriptedService final : public Source {
 public:
  std::string_view name() const override { return "service"; }
  void look_up(const KeyDigest&, std::shared_ptr<const Secret>, Done done) override {
    asked.push_back(std::move(done));
  }

  std::deque<Done> asked;
};

Found valid(const std::string& key_id, Environment environment = Environment::none) {
  Found found;
  found.answer.state = State::valid;
  found.answer.principal.key_id = key_id;
  found.answer.principal.organization = "org_1";
  found.answer.principal.environment = environment;
  return found;
}

Found unknown() { return {}; }

Cached copy_of(Found found, std::chrono::milliseconds age) {
  found.age = age;
  return {Cached::Kind::record, std::move(found)};
}

class SharedResolver : public testing::Test {
 protected:
  SharedResolver() { make(Resolver::Parts{}); }

  void make(Resolver::Parts parts) {
    parts.cache = &cache;
    parts.sources = {&service};
    parts.now = [this] { return now; };
    parts.expects_push = true;
    resolver = std::make_unique<Resolver>(io, std::move(parts), settings);
    resolver->apply(catalogue, 1, settings);
    resolver->push_up();
  }

  // The number of the one who asks.
  std::size_t ask(const Asker& asker = {}, std::chrono::seconds patience = 3600s) {
    outcomes.emplace_back();
    const std::size_t number = outcomes.size() - 1;
    net::co_spawn(io, resolver->look_up(digest, SecretView(text), Clock::now() + patience, asker),
                  [this, number](const std::exception_ptr&, const Resolved& outcome) { outcomes[number] = outcome; });
    run();
    return number;
  }

  void run() {
    io.restart();
    io.poll();
  }
  void cache_says(Result<Cached> cached) {
    const auto done = std::move(cache.asked.front());
    cache.asked.pop_front();
    done(std::move(cached));
    run();
    if (cache.time_asked.empty()) return;
    const auto tell = std::move(cache.time_asked.front());
    cache.time_asked.pop_front();
    tell(cache_time);
    run();
  }
  void service_says(Result<Found> found) {
    const auto done = std::move(service.asked.front());
    service.asked.pop_front();
    done(std::move(found));
    run();
  }

  std::string key_id(std::size_t number) const {
    const auto& outcome = outcomes[number];
    if (!outcome) return "(waits)";
    return outcome->has_error() ? outcome->error().message() : (**outcome)->answer.principal.key_id;
  }
  std::string failed() const { return make_error_code(errc::unavailable).message(); }

  config::ResolutionSettings settings;
  policy::Catalogue catalogue;
  net::io_context io{1};
  ScriptedCache cache;
  Result<std::chrono::milliseconds> cache_time = 5'000'000ms;
  ScriptedService service;
  SteadyTime now{1'000'000s};
  std::unique_ptr<Resolver> resolver;
  std::vector<std::optional<Resolved>> outcomes;
  Hasher hash;
  const std::string text = "a_key_of_the_test_for_the_cache";
  const KeyDigest digest = hash(SecretView(text));
};

TEST_F(SharedResolver, ASessionNeedsAUserAndNoKeyId) {
  Resolver::Parts parts;
  parts.is_presentable = policy::is_presentable_session;
  make(parts);
  Found session;
  session.answer.state = State::valid;
  session.answer.principal.user = "ada";
  const auto asker = ask();
  cache_says(Cached{});
  service_says(session);
  ASSERT_TRUE(outcomes[asker].has_value() && outcomes[asker]->has_value());
  EXPECT_EQ((**outcomes[asker])->answer.principal.user, "ada");
  EXPECT_EQ(cache.fills.size(), 1U);
}

TEST_F(SharedResolver, ACopyEndsOnTheCachesClockWithTheBound) {
  ask();
  cache_says(Cached{});
  now += 2s;  // the service takes its time
  service_says(valid("key_1"));
  ASSERT_EQ(cache.fills.size(), 1U);
  EXPECT_EQ(cache.fills[0].ends_at, 5'000'000ms + 60s) << "from when the service was asked, not from when it answered";
  EXPECT_EQ(cache.fills[0].age, 2s);
}

TEST_F(SharedResolver, NothingIsWrittenToACacheWhoseClockIsNotKnown) {
  ask();
  cache_says(make_error_code(errc::timed_out));
  service_says(valid("key_1"));
  EXPECT_TRUE(cache.fills.empty());
  resolver->invalidate(digest);
  cache_time = make_error_code(errc::timed_out);
  ask();
  cache_says(Cached{});
  service_says(valid("key_1"));
  EXPECT_TRUE(cache.fills.empty());
}

TEST_F(SharedResolver, C06_AChangeWhileTheCacheTellsItsTimeIsNotMissed) {
  const auto asker = ask();
  const auto done = std::move(cache.asked.front());
  cache.asked.pop_front();
  done(Cached{});
  run();
  resolver->invalidate(digest);
  ASSERT_EQ(cache.time_asked.size(), 1U);
  cache.time_asked.front()(5ms);
  cache.time_asked.pop_front();
  run();
  EXPECT_TRUE(service.asked.empty()) << "the cache is asked again: a tombstone may stand there";
  cache_says(Cached{Cached::Kind::revoked});
  EXPECT_EQ((**outcomes[asker])->answer.state, State::revoked);
}

TEST_F(SharedResolver, C13_AnAnswerThatContradictsThePrefixIsRememberedByNobody) {
  const Asker live{{}, Environment::live};
  const auto asker = ask(live);
  cache_says(Cached{});
  service_says(valid("key_1", Environment::test));
  EXPECT_EQ(key_id(asker), make_error_code(errc::invalid_answer).message());
  EXPECT_TRUE(cache.fills.empty());
  EXPECT_EQ(resolver->known_keys(), 0U);

  const auto again = ask(live);
  cache_says(copy_of(valid("key_1", Environment::test), 1s));
  ASSERT_EQ(service.asked.size(), 1U) << "nor is a copy believed";
  service_says(valid("key_1", Environment::live));
  EXPECT_EQ(key_id(again), "key_1");
}

TEST_F(SharedResolver, AChangedKeyIsNotServedFromBeforeTheChange) {
  const auto first = ask();
  cache_says(copy_of(valid("key_1"), 1s));
  EXPECT_EQ(key_id(first), "key_1");
  resolver->push_down();
  now += 6s;
  ASSERT_EQ(resolver->recall(digest, now), nullptr) << "to be looked at again";
  const auto second = ask();
  cache_says(Cached{Cached::Kind::changed});
  service_says(make_error_code(errc::unavailable));
  EXPECT_EQ(key_id(second), failed());
}

TEST_F(SharedResolver, ACopyThatIsDueServesWhereTheServiceFails) {
  const auto asker = ask();
  cache_says(copy_of(valid("key_1"), 59'900ms));
  EXPECT_EQ(key_id(asker), "(waits)") << "the service is asked first";
  service_says(make_error_code(errc::timed_out));
  EXPECT_EQ(key_id(asker), "key_1");
}

TEST_F(SharedResolver, F27_ACopyFromBeforeAPushDoesNotComeBack) {
  const auto first = ask();
  cache_says(copy_of(valid("key_1"), 1s));
  EXPECT_EQ(key_id(first), "key_1");
  now += 1s;
  resolver->invalidate(digest);
  const auto second = ask();
  cache_says(copy_of(valid("key_1"), 2s));  // from a replica without the tombstone
  EXPECT_EQ(key_id(second), "(waits)");
  Found revoked;
  revoked.answer.state = State::revoked;
  service_says(revoked);
  EXPECT_EQ((**outcomes[second])->answer.state, State::revoked);
}

TEST_F(SharedResolver, F27_AfterAPushThatTheCacheCannotConfirmAnAnswerIsLookedAtEveryFewSeconds) {
  resolver->invalidate(digest);
  now += 1s;
  const auto asker = ask();
  cache_says(make_error_code(errc::unavailable));
  service_says(valid("key_1"));
  EXPECT_EQ(key_id(asker), "key_1");
  now += 5s;
  EXPECT_NE(resolver->recall(digest, now), nullptr);
  now += 1s;
  EXPECT_EQ(resolver->recall(digest, now), nullptr) << "although push is up";
  ask();
  cache_says(Cached{});
  service_says(valid("key_1"));
  now += 6s;
  EXPECT_NE(resolver->recall(digest, now), nullptr) << "no tombstone stood there: it was no revocation";
}

TEST_F(SharedResolver, F21_WhoWaitedInVainIsServedFromMemoryWithinTheBound) {
  ask();
  cache_says(copy_of(valid("key_1"), 1s));
  now += 56s;
  const auto late = ask({}, 0s);
  EXPECT_EQ(key_id(late), make_error_code(errc::timed_out).message()) << "nobody was asked: it came too late";
  outcomes.emplace_back();
  const std::size_t number = outcomes.size() - 1;
  net::co_spawn(io, resolver->look_up(digest, SecretView(text), Clock::now() + 10ms),
                [this, number](const std::exception_ptr&, const Resolved& outcome) { outcomes[number] = outcome; });
  io.restart();
  io.run();  // its timer is all that there is to wait for
  EXPECT_EQ(key_id(number), "key_1");
}

TEST_F(SharedResolver, C08_ASprayerIsSlowedAndThenRefusedAndNobodyElseIs) {
  UnknownKeyBudget budget({20, 200}, 1);
  Resolver::Parts parts;
  parts.budget = &budget;
  make(parts);
  Asker sprayer, good;
  sprayer.address.emplace().fill(1);
  good.address.emplace().fill(2);
  const auto present = [&](const std::string& key, const Asker& asker) {
    outcomes.emplace_back();
    const std::size_t number = outcomes.size() - 1;
    net::co_spawn(io, resolver->look_up(hash(SecretView(key)), SecretView(key), Clock::now() + 1h, asker),
                  [this, number](const std::exception_ptr&, const Resolved& outcome) { outcomes[number] = outcome; });
    run();
    if (!cache.asked.empty()) cache_says(Cached{});
    return number;
  };
  for (int i = 0; i < 20; ++i) {
    present("sprayed_" + std::to_string(i), sprayer);
    service_says(unknown());
  }
  std::vector<std::size_t> slowed;
  for (int i = 0; i < 69; ++i) slowed.push_back(present("slowed_" + std::to_string(i), sprayer));
  EXPECT_EQ(service.asked.size(), 4U);
  EXPECT_EQ(key_id(slowed.back()), make_error_code(errc::over_budget).message());
  EXPECT_EQ(key_id(slowed[67]), "(waits)");

  const auto other = present("a_good_key", good);
  EXPECT_EQ(service.asked.size(), 5U);
  for (int i = 0; i < 4; ++i) service_says(valid("key_" + std::to_string(i)));
  service_says(valid("good"));
  EXPECT_EQ(key_id(other), "good");
  EXPECT_EQ(service.asked.size(), 4U) << "those who waited have their turn";
  while (!service.asked.empty()) service_says(valid("key"));
  for (std::size_t i = 0; i + 1 < slowed.size(); ++i) EXPECT_TRUE(key_id(slowed[i]).starts_with("key")) << i;
}

TEST_F(SharedResolver, AClosedOneAsksNobody) {
  const auto waiting = ask();
  resolver->close();
  run();
  EXPECT_EQ(key_id(waiting), failed());
  const auto later = ask();
  EXPECT_EQ(key_id(later), failed());
  EXPECT_EQ(cache.asked.size(), 1U) << "of before";
}

}  // namespace
}  // namespace keygate::keys
