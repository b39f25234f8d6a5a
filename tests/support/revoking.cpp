#include "tests/support/revoking.hpp"

#include "tests/support/rounds.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <future>
#include <map>
#include <memory>

namespace keygate::test {
namespace {

using Lanes = std::vector<std::unique_ptr<Rounds>>;

// Two connections a proxy, each with half of the keys: a key's requests at one proxy come one after the other.
Lanes lanes_over(const Fleet& fleet, const std::vector<Key>& keys) {
  const auto middle = keys.begin() + static_cast<std::ptrdiff_t>(keys.size() / 2);
  Lanes lanes;
  for (const auto& proxy : fleet.proxies()) {
    lanes.push_back(std::make_unique<Rounds>(*proxy, std::vector<Key>(keys.begin(), middle)));
    lanes.push_back(std::make_unique<Rounds>(*proxy, std::vector<Key>(middle, keys.end())));
  }
  return lanes;
}

template <class Fact>
bool all_of(const Lanes& lanes, Fact fact) {
  return std::all_of(lanes.begin(), lanes.end(), [&](const auto& lane) { return fact(*lane); });
}

// Two more rounds, the first of which may be half over.
bool go_round_twice(const Lanes& lanes) {
  std::vector<std::size_t> before;
  for (const auto& lane : lanes) before.push_back(lane->done());
  return eventually([&] {
    for (std::size_t i = 0; i < lanes.size(); ++i) {
      if (lanes[i]->done() < before[i] + 2) return false;
    }
    return true;
  });
}

std::map<std::string, Revocation> revoke_all(const Fleet& fleet, const std::vector<Key>& keys, bool is_at_once) {
  std::map<std::string, Revocation> revocations;
  std::map<std::string, std::future<Revocation>> under_way;
  for (const Key& key : keys) {
    if (is_at_once) {
      under_way[key.id] = std::async(std::launch::async, [&fleet, id = key.id] { return fleet.service.revoke(id); });
    } else {
      revocations[key.id] = fleet.service.revoke(key.id);
    }
  }
  for (auto& [id, one] : under_way) revocations[id] = one.get();
  return revocations;
}

void look_at(const Rounds& lane, const std::map<std::string, Revocation>& revocations, const RevokingPlan& plan,
             Spread& spread) {
  for (const std::string& surprise : lane.surprises()) ADD_FAILURE() << surprise;
  for (std::size_t i = 0; i < lane.keys().size(); ++i) {
    const Sighting& seen = lane.sightings()[i];
    const Revocation& revocation = revocations.at(lane.keys()[i].id);
    EXPECT_EQ(seen.grants_after_denial, 0U) << "granted again after it had been denied";
    EXPECT_EQ(seen.denied_as, plan.denied_as);
    EXPECT_LE(seen.cuts, 1U) << "cut more than once, so it was granted after its revocation was known";
    if (!seen.first_denial) continue;
    spread.until_denied.push_back(*seen.first_denial - revocation.answered);
    spread.still_granted.push_back(seen.last_grant_asked - revocation.sent);
  }
}

}  // namespace

Spread revoke_under_load(const Fleet& fleet, const RevokingPlan& plan) {
  const std::vector<Key> keys = fleet.make_keys(plan.keys);
  const Lanes lanes = lanes_over(fleet, keys);
  EXPECT_TRUE(eventually([&] {
    return all_of(lanes, [](const Rounds& lane) { return lane.granted_keys() == lane.keys().size(); });
  })) << "not every key is granted to begin with";
  if (plan.disturb) plan.disturb();
  const auto revocations = revoke_all(fleet, keys, plan.is_at_once);
  EXPECT_TRUE(eventually([&] {
    return all_of(lanes, [](const Rounds& lane) { return lane.denied_keys() == lane.keys().size(); });
  })) << "not every key is ever denied";
  EXPECT_TRUE(go_round_twice(lanes));
  Spread spread;
  for (const auto& lane : lanes) {
    lane->stop();
    look_at(*lane, revocations, plan, spread);
  }
  for (const auto& [id, revocation] : revocations) spread.pushed += revocation.is_pushed ? 1 : 0;
  std::sort(spread.until_denied.begin(), spread.until_denied.end());
  std::sort(spread.still_granted.begin(), spread.still_granted.end());
  if (spread.until_denied.empty()) {
    ADD_FAILURE() << "nothing was measured";
    spread.until_denied.emplace_back(0);
    spread.still_granted.emplace_back(0);
  }
  return spread;
}

void Spread::print(const std::string& what) const {
  const auto at = [this](double part) {
    return until_denied[static_cast<std::size_t>(part * static_cast<double>(until_denied.size() - 1))].count();
  };
  std::printf("%s: denied after p50 %.1f ms, p90 %.1f ms, p99 %.1f ms, at most %.1f ms (%zu keys at proxies)\n",
              what.c_str(), at(0.5), at(0.9), at(0.99), at(1), until_denied.size());
  testing::Test::RecordProperty("denied_p50_us", static_cast<int>(at(0.5) * 1000));
  testing::Test::RecordProperty("denied_p90_us", static_cast<int>(at(0.9) * 1000));
  testing::Test::RecordProperty("denied_p99_us", static_cast<int>(at(0.99) * 1000));
  testing::Test::RecordProperty("denied_max_us", static_cast<int>(at(1) * 1000));
}

}  // namespace keygate::test
