// How long a key seals session tickets, how long it opens them, and that nobody else's does.
#include "proxy/ticket_keys.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace keygate::proxy {
namespace {

using namespace std::chrono_literals;

class TicketKeysTest : public testing::Test {
 protected:
  TicketKey sealing() { return *keys.to_seal_with(now); }
  std::optional<TicketKeys::Opening> opening(const TicketKey& key) { return keys.to_open_with(key.name, now); }

  TicketKeys keys;
  SteadyClock::time_point now{100h};
};

TEST_F(TicketKeysTest, WhatWasSealedIsOpenedByTheSameKey) {
  const TicketKey key = sealing();
  const auto found = opening(key);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->key.cipher, key.cipher);
  EXPECT_EQ(found->key.mac, key.mac);
  EXPECT_TRUE(found->is_sealing);
  EXPECT_NE(key.cipher, TicketKey().cipher);
  EXPECT_NE(key.cipher, key.mac);
}

TEST_F(TicketKeysTest, AKeySealsForAnHourAndOpensForTwoMore) {
  const TicketKey first = sealing();
  now += 1h - 1s;
  EXPECT_EQ(sealing().name, first.name);
  now += 1s;
  const TicketKey second = sealing();
  EXPECT_NE(second.name, first.name);
  EXPECT_NE(second.cipher, first.cipher);
  ASSERT_TRUE(opening(first));
  EXPECT_FALSE(opening(first)->is_sealing) << "its client is to be given a new ticket";
  EXPECT_TRUE(opening(second)->is_sealing);
  now += 2h - 1s;
  EXPECT_TRUE(opening(first));
  now += 1s;
  EXPECT_FALSE(opening(first));
  EXPECT_TRUE(opening(second));
}

TEST_F(TicketKeysTest, AfterALongRestNothingIsLeft) {
  const TicketKey key = sealing();
  now += 24h;
  keys.forget_old(now);
  now -= 24h;  // as if it had been kept
  EXPECT_FALSE(opening(key));
}

TEST_F(TicketKeysTest, AnUnknownNameOpensNothing) {
  EXPECT_FALSE(opening(TicketKey()));
  sealing();
  EXPECT_FALSE(opening(TicketKey()));
  TicketKeys others;
  EXPECT_FALSE(opening(*others.to_seal_with(now)));
}

TEST(ConcurrentTicketKeys, ManyWorkersSealAndOpen) {
  TicketKeys keys;
  std::vector<std::thread> workers;
  for (int worker = 0; worker < 4; ++worker) {
    workers.emplace_back([&keys] {
      SteadyClock::time_point now{100h};
      for (int i = 0; i < 2'000; ++i, now += 1min) {
        const auto key = keys.to_seal_with(now);
        ASSERT_TRUE(key);
        keys.to_open_with(key->name, now);
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
}

}  // namespace
}  // namespace keygate::proxy
