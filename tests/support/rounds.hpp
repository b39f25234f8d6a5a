// Load that looks closely: one connection that asks a proxy for each of its keys in turn, until it is told to stop, and
// keeps when each was granted last and denied first.
#pragma once

#include "tests/support/fleet.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace keygate::test {

struct Sighting {
  using Time = std::chrono::steady_clock::time_point;
  std::size_t grants = 0;
  std::size_t grants_after_denial = 0;
  std::size_t cuts = 0;  // connections that ended without an answer: of one whose key was revoked while it waited
  Time last_grant_asked{};
  std::optional<Time> first_denial{};  // when its answer had come
  std::string denied_as{};             // "401 revoked_key"
};

class Rounds {
 public:
  Rounds(const Keygate& proxy, std::vector<Key> keys, std::string organization = "org_1");
  ~Rounds() { stop(); }
  Rounds(const Rounds&) = delete;
  Rounds& operator=(const Rounds&) = delete;

  std::size_t done() const { return rounds_; }
  std::size_t granted_keys() const { return granted_; }  // at least once
  std::size_t denied_keys() const { return denied_; }
  void stop();

  // After stop().
  const std::vector<Key>& keys() const { return keys_; }
  const std::vector<Sighting>& sightings() const { return sightings_; }  // one for each key
  std::size_t cuts() const;
  // Answers that are neither a grant to the right one nor a denial; the first few of them.
  const std::vector<std::string>& surprises() const { return surprises_; }
  std::chrono::milliseconds slowest() const { return slowest_; }

 private:
  void ask_all();
  void ask_for(RawClient& client, std::size_t number);
  void be_surprised(const std::string& what);

  const std::uint16_t port_;
  const std::vector<Key> keys_;
  const std::string organization_;
  std::vector<Sighting> sightings_;
  std::vector<std::string> surprises_;
  std::chrono::milliseconds slowest_{0};
  std::atomic<std::size_t> rounds_ = 0, granted_ = 0, denied_ = 0;
  std::atomic<bool> is_stopped_ = false;
  std::thread thread_;
};

}  // namespace keygate::test
