#include "keys/resolver.hpp"

#include "keys/single_flight.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
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

// Answers when the test says so.
class ScriptedSource final : public Source {
 public:
  explicit ScriptedSource(std::string_view name) : name_(name) {}

  std::string_view name() const override { return name_; }

  void look_up(const KeyDigest& digest, std::shared_ptr<const Secret> secret, Done done) override {
    asked_.push_back({digest, std::string(secret->view().reveal()), std::move(done)});
  }

  std::size_t waiting() const { return asked_.size(); }
  const std::string& secret(std::size_t i) const { return asked_[i].secret; }
  const KeyDigest& digest(std::size_t i) const { return asked_[i].digest; }

  void answer(Result<Found> found) {
    if (asked_.empty()) {
      ADD_FAILURE() << name_ << " was not asked";
      return;
    }
    const Done done = std::move(asked_.front().done);
    asked_.pop_front();
    done(std::move(found));
  }

 private:
  struct Asked {
    KeyDigest digest;
    std::string secret;
    Done done;
  };
  std::string_view name_;
  std::deque<Asked> asked_;
};

Found valid(const std::string& key_id, std::vector<std::string> granted = {"a:read"}) {
  Found found;
  found.answer.state = State::valid;
  found.answer.principal.key_id = key_id;
  found.answer.principal.organization = "org_1";
  found.answer.principal.granted = std::move(granted);
  return found;
}

policy::Catalogue catalogue_of(const std::vector<std::string>& names) {
  std::vector<policy::Catalogue::Scope> scopes(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    scopes[i].name = names[i];
    scopes[i].implied.add(i);
  }
  return policy::Catalogue(std::move(scopes));
}

// One who asked, and what came of it.
struct Asker {
  std::optional<Resolved> outcome;
  bool is_cancelled = false;
};

class ResolverTest : public testing::Test {
 protected:
  void SetUp() override { resolver->apply(catalogue, 1, settings); }

  auto report_to(Asker& asker) {
    return [&asker](const std::exception_ptr& thrown, const Resolved& outcome) {
      asker.is_cancelled = thrown != nullptr;
      if (!thrown) asker.outcome = outcome;
    };
  }

  void ask(Asker& asker, const std::string& key, Clock::duration patience = 60s) {
    net::co_spawn(io, resolver->look_up(hasher(SecretView(key)), SecretView(key), Clock::now() + patience),
                  report_to(asker));
    run_ready();
  }

  void run_ready() {
    io.restart();
    io.poll();
  }

  void answer(ScriptedSource& source, Result<Found> found) {
    source.answer(std::move(found));
    run_ready();
  }

  std::shared_ptr<const Record> recall(const std::string& key) {
    return resolver->recall(hasher(SecretView(key)), Clock::now());
  }

  static error_code error_of(const Asker& asker) { return asker.outcome ? asker.outcome->error() : error_code{}; }

  static std::string key_id_of(const Asker& asker) {
    if (!asker.outcome || asker.outcome->has_error()) return "";
    return (**asker.outcome)->answer.principal.key_id;
  }

  static Resolver::Parts asking(std::vector<Source*> sources) {
    Resolver::Parts parts;
    parts.sources = std::move(sources);
    return parts;
  }

  net::io_context io{1};
  Hasher hasher;
  ScriptedSource first{"redis"}, second{"service"};
  config::ResolutionSettings settings;
  policy::Catalogue catalogue = catalogue_of({"a:read", "a:write"});
  std::unique_ptr<Resolver> resolver = std::make_unique<Resolver>(io, asking({&first, &second}), settings);
  const std::string key_a = "key_a", key_b = "key_b";
};

TEST_F(ResolverTest, FindsOutAndRemembers) {
  Asker asker;
  ask(asker, key_a);
  ASSERT_EQ(first.waiting(), 1U);
  EXPECT_EQ(first.secret(0), key_a);
  EXPECT_EQ(resolver->lookups_in_flight(), 1U);
  EXPECT_EQ(recall(key_a), nullptr);

  answer(first, valid("key_1"));
  ASSERT_EQ(key_id_of(asker), "key_1");
  EXPECT_EQ((**asker.outcome)->source, "redis");
  EXPECT_EQ((**asker.outcome)->held.text, "a:read");
  EXPECT_EQ(recall(key_a), **asker.outcome);
  EXPECT_EQ(resolver->known_keys(), 1U);
  EXPECT_EQ(resolver->lookups_in_flight(), 0U);
}

TEST_F(ResolverTest, C03C09AThousandAskersOfTwoKeysGetTheirOwnFromTwoLookUps) {
  std::vector<Asker> askers(1'000);
  for (std::size_t i = 0; i < askers.size(); ++i) ask(askers[i], i % 2 == 0 ? key_a : key_b);
  ASSERT_EQ(first.waiting(), 2U);
  ASSERT_EQ(first.digest(0), hasher(SecretView(key_a)));
  answer(first, valid("id_a"));
  answer(first, valid("id_b"));
  for (std::size_t i = 0; i < askers.size(); ++i) ASSERT_EQ(key_id_of(askers[i]), i % 2 == 0 ? "id_a" : "id_b") << i;
}

TEST_F(ResolverTest, C03KeysThatJoinToTheSameTextDoNotMix) {
  Asker one, other;
  ask(one, "abc");
  ask(other, "ab");
  ASSERT_EQ(first.waiting(), 2U);
  answer(first, valid("id_abc"));
  answer(first, valid("id_ab"));
  EXPECT_EQ(key_id_of(one), "id_abc");
  EXPECT_EQ(key_id_of(other), "id_ab");
}

TEST_F(ResolverTest, C09ALeaderThatLeavesFailsNobody) {
  Asker leader, follower;
  net::cancellation_signal leave;
  net::co_spawn(io, resolver->look_up(hasher(SecretView(key_a)), SecretView(key_a), Clock::now() + 60s),
                net::bind_cancellation_slot(leave.slot(), report_to(leader)));
  run_ready();
  ask(follower, key_a);
  leave.emit(net::cancellation_type::terminal);
  run_ready();
  EXPECT_TRUE(leader.is_cancelled);
  EXPECT_EQ(first.waiting(), 1U);
  answer(first, valid("key_1"));
  EXPECT_EQ(key_id_of(follower), "key_1");
}

TEST_F(ResolverTest, ALookUpThatEveryoneLeftStillFillsTheMemory) {
  Asker leader;
  ask(leader, key_a, 1ms);
  while (!leader.outcome && io.run_one_for(30s) > 0) continue;
  EXPECT_EQ(error_of(leader), errc::timed_out);
  answer(first, valid("key_1"));
  EXPECT_NE(recall(key_a), nullptr);
}

TEST_F(ResolverTest, AWaiterWhoseFrameIsGoneIsNotTouched) {
  Flight flight(KeyDigest{}, SecretView(key_a));
  Waiter stays(io, Clock::now() + 60s);
  {
    Waiter leaves(io, Clock::now() + 60s);
    flight.join(leaves);
    flight.join(stays);
  }
  flight.land(make_error_code(errc::overloaded));
}

TEST_F(ResolverTest, EachHasItsOwnDeadline) {
  Asker hasty, patient;
  ask(patient, key_a);
  ask(hasty, key_a, 1ms);
  while (!hasty.outcome && io.run_one_for(30s) > 0) continue;
  EXPECT_EQ(error_of(hasty), errc::timed_out);
  EXPECT_FALSE(patient.outcome);
  answer(first, valid("key_1"));
  EXPECT_EQ(key_id_of(patient), "key_1");
}

TEST_F(ResolverTest, ADeadlineThatHasPassedAsksNobody) {
  Asker late;
  ask(late, key_a, 0s);
  EXPECT_EQ(error_of(late), errc::timed_out);
  EXPECT_EQ(first.waiting(), 0U);
}

TEST_F(ResolverTest, C08ErrorsAreNotRememberedAndThenItSucceeds) {
  Asker asker, again;
  ask(asker, key_a);
  answer(first, make_error_code(errc::unavailable));
  answer(second, make_error_code(errc::timed_out));
  EXPECT_EQ(error_of(asker), errc::timed_out) << "the last error";
  EXPECT_EQ(recall(key_a), nullptr);
  EXPECT_EQ(resolver->lookups_in_flight(), 0U);

  ask(again, key_a);
  answer(first, valid("key_1"));
  EXPECT_EQ(key_id_of(again), "key_1");
}

TEST_F(ResolverTest, TheNextSourceIsAskedWhereOneFails) {
  Asker asker;
  ask(asker, key_a);
  answer(first, make_error_code(errc::unavailable));
  ASSERT_EQ(second.waiting(), 1U);
  EXPECT_EQ(second.secret(0), key_a);
  answer(second, valid("key_1"));
  ASSERT_EQ(key_id_of(asker), "key_1");
  EXPECT_EQ((**asker.outcome)->source, "service");
}

TEST_F(ResolverTest, UnknownIsAnAnswerAndIsRemembered) {
  Asker asker;
  ask(asker, key_a);
  answer(first, Found{});
  ASSERT_TRUE(asker.outcome && asker.outcome->has_value());
  EXPECT_EQ((**asker.outcome)->answer.state, State::unknown);
  EXPECT_NE(recall(key_a), nullptr);
  EXPECT_EQ(second.waiting(), 0U);
}

TEST_F(ResolverTest, WithoutSourcesNothingCanBeFoundOut) {
  resolver = std::make_unique<Resolver>(io, asking({}), settings);
  Asker asker;
  ask(asker, key_a);
  EXPECT_EQ(error_of(asker), errc::unavailable);
}

TEST_F(ResolverTest, C06AnAnswerFromBeforeAChangeIsThrownAway) {
  Asker asker;
  ask(asker, key_a);
  resolver->invalidate(hasher(SecretView(key_a)));
  answer(first, valid("before"));
  EXPECT_FALSE(asker.outcome);
  EXPECT_EQ(recall(key_a), nullptr);
  ASSERT_EQ(first.waiting(), 1U) << "asked again";
  Found revoked;
  revoked.answer.state = State::revoked;
  answer(first, revoked);
  ASSERT_TRUE(asker.outcome && asker.outcome->has_value());
  EXPECT_EQ((**asker.outcome)->answer.state, State::revoked);
}

TEST_F(ResolverTest, C06AKeyThatNeverStandsStillIsGivenUpOn) {
  Asker asker;
  ask(asker, key_a);
  int asked = 0;
  for (; first.waiting() > 0 && asked < 100; ++asked) {
    resolver->invalidate(hasher(SecretView(key_a)));
    answer(first, valid("before"));
  }
  EXPECT_EQ(asked, 4);
  EXPECT_EQ(error_of(asker), errc::unavailable);
  EXPECT_EQ(recall(key_a), nullptr);
}

TEST_F(ResolverTest, C06AChangeBeforeTheNextSourceIsAskedIsNoMatter) {
  Asker asker;
  ask(asker, key_a);
  resolver->invalidate(hasher(SecretView(key_a)));
  answer(first, make_error_code(errc::unavailable));
  answer(second, valid("after"));
  EXPECT_EQ(key_id_of(asker), "after");
}

TEST_F(ResolverTest, ForgettingIsOfOneKey) {
  Asker a, b;
  ask(a, key_a);
  answer(first, valid("id_a"));
  ask(b, key_b);
  answer(first, valid("id_b"));
  resolver->invalidate(hasher(SecretView(key_a)));
  EXPECT_EQ(recall(key_a), nullptr);
  EXPECT_NE(recall(key_b), nullptr);
}

TEST_F(ResolverTest, F50TheBoundCountsFromWhenTheServiceWasAsked) {
  Asker asker;
  const auto before = Clock::now();
  ask(asker, key_a);
  Found found = valid("key_1");
  found.age = 50s;
  answer(first, found);
  ASSERT_EQ(key_id_of(asker), "key_1");
  const SteadyTime asked_at = (**asker.outcome)->asked_at;
  EXPECT_GE(asked_at, before - 50s);
  EXPECT_LE(asked_at, Clock::now() - 50s);
  EXPECT_EQ(resolver->recall(hasher(SecretView(key_a)), asked_at + 60s), nullptr);
}

TEST_F(ResolverTest, F21WhatIsKnownServesWhereTheSourceIsTooLate) {
  auto now = Clock::now();
  Resolver::Parts parts = asking({&first});
  parts.now = [&now] { return now; };
  parts.expects_push = true;
  resolver = std::make_unique<Resolver>(io, std::move(parts), settings);
  resolver->apply(catalogue, 1, settings);
  Asker knows, hasty, past_the_bound;
  ask(knows, key_a);
  answer(first, valid("key_1"));
  now += 6s;  // without push that is too old to go unasked
  EXPECT_EQ(resolver->recall(hasher(SecretView(key_a)), now), nullptr);
  ask(hasty, key_a, 1ms);
  while (!hasty.outcome && io.run_one_for(30s) > 0) continue;
  EXPECT_EQ(key_id_of(hasty), "key_1");
  now += 54s;
  ask(past_the_bound, key_a, 1ms);
  while (!past_the_bound.outcome && io.run_one_for(30s) > 0) continue;
  EXPECT_EQ(error_of(past_the_bound), errc::timed_out);
}

TEST_F(ResolverTest, C09F21WhatIsDueIsRenewedWhileItServes) {
  auto now = Clock::now();
  Resolver::Parts parts = asking({&first});
  parts.now = [&now] { return now; };
  resolver = std::make_unique<Resolver>(io, std::move(parts), settings);
  resolver->apply(catalogue, 1, settings);
  Asker knows;
  ask(knows, key_a);
  answer(first, valid("key_1"));
  now += 59'999ms;
  const KeyDigest digest = hasher(SecretView(key_a));
  const auto record = resolver->recall(digest, now);
  ASSERT_NE(record, nullptr) << "within the bound";
  resolver->renew_if_due(digest, SecretView(key_a), *record, now);
  resolver->renew_if_due(digest, SecretView(key_a), *record, now);
  ASSERT_EQ(first.waiting(), 1U) << "one at a time";
  EXPECT_EQ(first.secret(0), key_a);
  answer(first, valid("key_1"));
  const auto renewed = resolver->recall(digest, now);
  ASSERT_NE(renewed, nullptr);
  EXPECT_EQ(renewed->asked_at, now);
  resolver->renew_if_due(digest, SecretView(key_a), *renewed, now + 53s);
  EXPECT_EQ(first.waiting(), 0U) << "nine tenths of its life are not over";
}

TEST_F(ResolverTest, AnAnswerAsOldAsTheBoundIsNone) {
  Asker asker;
  ask(asker, key_a);
  Found found = valid("key_1");
  found.age = 60s;
  answer(first, found);
  answer(second, found);
  EXPECT_EQ(error_of(asker), errc::invalid_answer);
}

TEST_F(ResolverTest, H10AnIdentityThatCannotStandInAHeaderIsNoAnswer) {
  std::vector<Found> unfit(4, valid("key_1"));
  unfit[0].answer.principal.organization = "o\r\nX-Admin: 1";
  unfit[1].answer.principal.organization = std::string(70'000, 'o');
  unfit[2].answer.principal.key_id = "";
  unfit[3].answer.principal.granted.assign(257, "a:read");  // C-14
  for (const Found& found : unfit) {
    Asker asker;
    ask(asker, key_a);
    answer(first, found);
    answer(second, found);
    EXPECT_EQ(error_of(asker), errc::invalid_answer);
    EXPECT_EQ(recall(key_a), nullptr);
  }
}

TEST_F(ResolverTest, C01ANewCatalogueJudgesRememberedGrantsAnew) {
  Asker asker;
  ask(asker, key_a);
  answer(first, valid("key_1", {"a:write", "b:read"}));
  EXPECT_EQ((**asker.outcome)->held.text, "a:write");

  const policy::Catalogue wider = catalogue_of({"b:read", "a:write"});
  resolver->apply(wider, 2, settings);
  const auto judged = recall(key_a);
  ASSERT_NE(judged, nullptr);
  EXPECT_EQ(judged->generation, 2U);
  EXPECT_EQ(judged->held.text, "b:read a:write");
  EXPECT_EQ(judged->asked_at, (**asker.outcome)->asked_at) << "judged anew, not asked anew";
  EXPECT_EQ(recall(key_a), judged) << "once";
  EXPECT_EQ((**asker.outcome)->generation, 1U) << "whoever holds it keeps it";
}

TEST_F(ResolverTest, ALookUpThatOutlivesAReloadCanBeJudgedUnderEither) {
  Asker asker;
  ask(asker, key_a);
  const policy::Catalogue newer = catalogue_of({"b:read", "a:read"});
  resolver->apply(newer, 2, settings);
  answer(first, valid("key_1"));
  const auto record = **asker.outcome;
  EXPECT_EQ(record->generation, 2U);
  EXPECT_TRUE(record->held.set.has(1));
  const auto older = judge_under(catalogue, 1, record);
  EXPECT_EQ(older->generation, 1U);
  EXPECT_TRUE(older->held.set.has(0));
  EXPECT_FALSE(older->held.set.has(1));
}

TEST_F(ResolverTest, AReloadsLimitsCountAtOnce) {
  Asker asker;
  ask(asker, key_a);
  answer(first, valid("key_1"));
  settings.memory.max_keys = 0;
  resolver->apply(catalogue, 2, settings);
  EXPECT_EQ(recall(key_a), nullptr);
}

TEST_F(ResolverTest, WhoeverWaitsWhenItGoesHearsOfItAndLateAnswersFindNobody) {
  std::vector<Asker> askers(3);
  for (Asker& asker : askers) ask(asker, key_a);
  resolver.reset();
  run_ready();
  for (const Asker& asker : askers) EXPECT_EQ(error_of(asker), errc::unavailable);
  answer(first, valid("key_1"));
  EXPECT_EQ(second.waiting(), 0U);
}

TEST(KeyErrors, SayWhatTheyMean) {
  for (const errc error : {errc::unavailable, errc::timed_out, errc::invalid_answer, errc::overloaded}) {
    EXPECT_STREQ(make_error_code(error).category().name(), "keygate.keys");
    EXPECT_NE(make_error_code(error).message(), "unknown error");
  }
}

}  // namespace
}  // namespace keygate::keys
