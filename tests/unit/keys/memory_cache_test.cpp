#include "keys/memory_cache.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

namespace keygate::keys {
namespace {

using namespace std::chrono_literals;
using State = policy::KeyAnswer::State;

const SteadyTime start{1'000h};

KeyDigest digest_of(unsigned number) {
  KeyDigest digest;
  for (std::size_t i = 0; i < 4; ++i) digest.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return digest;
}

std::shared_ptr<const Record> record(State state, SteadyTime asked_at = start, const std::string& id = "key_1") {
  auto made = std::make_shared<Record>();
  made->answer.state = state;
  made->answer.principal.key_id = id;
  made->asked_at = asked_at;
  return made;
}

config::MemorySettings room_for(std::size_t known, std::size_t unknown) {
  config::MemorySettings settings;
  settings.max_keys = known;
  settings.max_unknown_keys = unknown;
  return settings;
}

TEST(MemoryCache, GivesBackWhatItWasGiven) {
  MemoryCache cache({}, 60s);
  const auto kept = record(State::valid);
  cache.put(digest_of(1), kept, start);
  EXPECT_EQ(cache.find(digest_of(1), start), kept);
  EXPECT_EQ(cache.find(digest_of(2), start), nullptr);
}

TEST(MemoryCache, F50TheBoundIsExactAndCountsFromTheAsking) {
  MemoryCache cache({}, 60s);
  cache.put(digest_of(1), record(State::valid, start), start + 20s);
  EXPECT_NE(cache.find(digest_of(1), start + 60s - 1ns), nullptr);
  EXPECT_EQ(cache.find(digest_of(1), start + 60s), nullptr);
  EXPECT_EQ(cache.known_size(), 0U);
}

TEST(MemoryCache, UsingARecordDoesNotProlongIt) {
  MemoryCache cache({}, 60s);
  cache.put(digest_of(1), record(State::valid), start);
  for (auto age = 0s; age < 60s; age += 1s) EXPECT_NE(cache.find(digest_of(1), start + age), nullptr);
  EXPECT_EQ(cache.find(digest_of(1), start + 60s), nullptr);
}

TEST(MemoryCache, WhatIsTooOldIsNotKept) {
  MemoryCache cache({}, 60s);
  cache.put(digest_of(1), record(State::valid, start), start + 1s);
  cache.put(digest_of(1), record(State::valid, start - 60s), start + 1s);
  EXPECT_EQ(cache.find(digest_of(1), start + 1s), nullptr) << "nor what it supersedes";
}

TEST(MemoryCache, C08UnknownKeysHaveATimeOfTheirOwn) {
  MemoryCache cache({}, 60s);
  cache.put(digest_of(1), record(State::unknown), start);
  EXPECT_NE(cache.find(digest_of(1), start + 5s - 1ns), nullptr);
  EXPECT_EQ(cache.find(digest_of(1), start + 5s), nullptr);
  EXPECT_EQ(cache.unknown_size(), 0U);
}

TEST(MemoryCache, TheBoundHoldsForUnknownKeysToo) {
  config::MemorySettings settings;
  settings.unknown_ttl = 10s;
  MemoryCache cache(settings, 2s);
  cache.put(digest_of(1), record(State::unknown), start);
  EXPECT_EQ(cache.find(digest_of(1), start + 2s), nullptr);
}

TEST(MemoryCache, UnknownKeysMayNotBeRememberedAtAll) {
  config::MemorySettings settings;
  settings.unknown_ttl = 0s;
  MemoryCache cache(settings, 60s);
  cache.put(digest_of(1), record(State::valid), start);
  cache.put(digest_of(1), record(State::unknown), start);
  EXPECT_EQ(cache.find(digest_of(1), start), nullptr);
}

TEST(MemoryCache, C08SprayingEvictsNoGoodKey) {
  MemoryCache cache(room_for(100, 1'000), 60s);
  for (unsigned i = 0; i < 100; ++i) cache.put(digest_of(i), record(State::valid), start);
  for (unsigned i = 0; i < 100'000; ++i) cache.put(digest_of(1'000'000 + i), record(State::unknown), start);
  EXPECT_EQ(cache.unknown_size(), 1'000U);
  for (unsigned i = 0; i < 100; ++i) EXPECT_NE(cache.find(digest_of(i), start), nullptr);
}

TEST(MemoryCache, RefusedKeysAreKnownKeys) {
  MemoryCache cache({}, 60s);
  cache.put(digest_of(1), record(State::revoked), start);
  cache.put(digest_of(2), record(State::disabled), start);
  cache.put(digest_of(3), record(State::expired), start);
  EXPECT_EQ(cache.known_size(), 3U);
  EXPECT_NE(cache.find(digest_of(1), start + 59s), nullptr);
}

TEST(MemoryCache, EvictsTheOneUsedLongestAgo) {
  MemoryCache cache(room_for(3, 3), 60s);
  for (unsigned i = 1; i <= 3; ++i) cache.put(digest_of(i), record(State::valid), start);
  cache.find(digest_of(1), start);
  cache.put(digest_of(4), record(State::valid), start);
  EXPECT_EQ(cache.known_size(), 3U);
  EXPECT_NE(cache.find(digest_of(1), start), nullptr);
  EXPECT_EQ(cache.find(digest_of(2), start), nullptr);
  EXPECT_NE(cache.find(digest_of(3), start), nullptr);
  EXPECT_NE(cache.find(digest_of(4), start), nullptr);
}

TEST(MemoryCache, OneDigestHasOneRecord) {
  MemoryCache cache({}, 60s);
  cache.put(digest_of(1), record(State::unknown), start);
  cache.put(digest_of(1), record(State::valid), start);
  EXPECT_EQ(cache.unknown_size(), 0U);
  EXPECT_EQ(cache.find(digest_of(1), start)->answer.state, State::valid);
  cache.put(digest_of(1), record(State::unknown), start);
  EXPECT_EQ(cache.known_size(), 0U);
  EXPECT_EQ(cache.find(digest_of(1), start)->answer.state, State::unknown);
}

TEST(MemoryCache, ForgetsAtOnce) {
  MemoryCache cache({}, 60s);
  cache.put(digest_of(1), record(State::valid), start);
  cache.put(digest_of(2), record(State::unknown), start);
  cache.forget(digest_of(1));
  cache.forget(digest_of(2));
  cache.forget(digest_of(3));
  EXPECT_EQ(cache.find(digest_of(1), start), nullptr);
  EXPECT_EQ(cache.find(digest_of(2), start), nullptr);
}

TEST(MemoryCache, ARecordInUseOutlivesItsEviction) {
  MemoryCache cache(room_for(1, 1), 60s);
  cache.put(digest_of(1), record(State::valid), start);
  const auto held = cache.find(digest_of(1), start);
  cache.put(digest_of(2), record(State::valid), start);
  EXPECT_EQ(held->answer.principal.key_id, "key_1");
}

TEST(MemoryCache, SmallerLimitsEvict) {
  MemoryCache cache(room_for(10, 10), 60s);
  for (unsigned i = 0; i < 10; ++i) {
    cache.put(digest_of(i), record(State::valid), start);
    cache.put(digest_of(100 + i), record(State::unknown), start);
  }
  cache.apply(room_for(2, 3), 60s);
  EXPECT_EQ(cache.known_size(), 2U);
  EXPECT_EQ(cache.unknown_size(), 3U);
  EXPECT_NE(cache.find(digest_of(9), start), nullptr) << "the one used last stays";
}

TEST(MemoryCache, AShorterBoundCountsForWhatIsThere) {
  MemoryCache cache({}, 60s);
  cache.put(digest_of(1), record(State::valid), start);
  cache.apply({}, 10s);
  EXPECT_EQ(cache.find(digest_of(1), start + 10s), nullptr);
}

TEST(MemoryCache, NoRoomMeansNothingIsKept) {
  MemoryCache cache(room_for(0, 0), 60s);
  cache.put(digest_of(1), record(State::valid), start);
  cache.put(digest_of(2), record(State::unknown), start);
  EXPECT_EQ(cache.known_size() + cache.unknown_size(), 0U);
}

}  // namespace
}  // namespace keygate::keys
