// Fifty identities that ask every proxy of a fleet all the time, and know what they may be answered: good keys, keys
// that are revoked in the course of it, one by one, revoked ones and unknown ones.
#pragma once

#include "tests/support/fleet.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace keygate::test {

class Crowd {
 public:
  Crowd(Fleet& fleet, std::chrono::milliseconds bound);
  ~Crowd() { stop(); }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  void revoke_one();  // the next of those who are to be; nothing where all are
  void stop();
  // Until each good key is granted at each proxy; which one is not, where that takes longer.
  std::string wait_for_calm(std::chrono::milliseconds limit) const;

  std::size_t asked() const { return asked_; }
  std::size_t grants() const { return grants_; }
  std::string summary() const;
  // After stop(): the first few answers that nobody may be given.
  const std::vector<std::string>& wrongs() const { return wrongs_; }
  // From the proxy's access log: requests that were answered "could not find out" although this worker (there is one)
  // knew the good key's record, within the bound. Of keys that are revoked it may have been told to forget it.
  std::vector<std::string> known_and_turned_away(const Keygate& proxy) const;

 private:
  using Clock = std::chrono::steady_clock;
  enum class Kind : std::uint8_t { good, doomed, revoked, unknown };
  struct Member {
    Key key;
    Kind kind = Kind::good;
    std::string organization{};
    // Of doomed ones; 0: not yet.
    std::atomic<Clock::rep> revoking_since{0}, revoked_since{0};
  };

  void ask_all(std::uint16_t port, unsigned seed);
  void ask_one(RawClient& client, std::size_t number, bool is_admin_wanted);
  // Empty: such an answer may be given.
  std::string flaw_in(const Member& member, bool is_admin_wanted, const Response& response, Clock::time_point begin);
  bool may_still_be_granted(const Member& member, Clock::time_point begin) const;

  Fleet& fleet_;
  const std::chrono::milliseconds bound_;
  std::array<Member, 50> members_;
  std::size_t next_doomed_ = 0;
  std::atomic<std::size_t> asked_ = 0, grants_ = 0, unavailable_ = 0, revoked_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable told_;
  bool is_stopped_ = false;
  std::vector<std::string> wrongs_;
  std::vector<std::thread> threads_;
};

}  // namespace keygate::test
