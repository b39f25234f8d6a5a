// Revokes keys at the key server while all proxies of a fleet are asked for them, and measures how long each of them
// goes on to grant.
#pragma once

#include "tests/support/fleet.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace keygate::test {

// What a promise is allowed to be late in a test: a key's turn comes round only so often, on a machine that does other
// things too.
inline constexpr std::chrono::milliseconds slack{is_sanitized ? 3000 : 500};

struct RevokingPlan {
  std::size_t keys = 20;
  bool is_at_once = false;          // all DELETEs together, as each may take a second
  std::function<void()> disturb{};  // once all keys are in every memory, before the first DELETE
  std::string denied_as = "401 revoked_key";
};

struct Spread {
  using Milliseconds = std::chrono::duration<double, std::milli>;
  // One for each key and proxy, in order of size: from the DELETE's answer to the first denial (negative: before it).
  std::vector<Milliseconds> until_denied;
  // From the DELETE's sending to the last granted request's.
  std::vector<Milliseconds> still_granted;
  std::size_t pushed = 0;  // DELETEs that said so

  Milliseconds longest_until_denied() const { return until_denied.back(); }
  Milliseconds longest_granted() const { return still_granted.back(); }
  // To stdout and into the test's record: 50th, 90th and 99th of a hundred, and the longest.
  void print(const std::string& what) const;
};

// Fails the test where a key is granted once more after it was denied, a proxy never denies, or an answer is neither a
// grant to the right identity nor a denial.
Spread revoke_under_load(const Fleet& fleet, const RevokingPlan& plan);

}  // namespace keygate::test
