// Does something bad to a fleet's Redis or key server each few hundred milliseconds, chosen by chance from a seed:
// cuts, freezes, delays and garbles through the relays, flushes, kills and starts again.
#pragma once

#include "tests/support/fleet.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <string>

namespace keygate::test {

class Havoc {
 public:
  // `meanwhile` is called now and then, whatever else is the matter; the key server runs then.
  Havoc(Fleet& fleet, std::uint32_t seed, std::function<void()> meanwhile);

  // On the calling thread: what it starts again lives as long as that. Everything is in order when it returns.
  void wreak_for(std::chrono::seconds length);

  std::size_t deeds() const { return deeds_; }
  std::string summary() const;  // "cut Redis 3, freeze Redis 5, …"

 private:
  using Clock = std::chrono::steady_clock;

  void act();
  void harm(Relay& relay, const std::string& whose);
  void restart_redis();
  void restart_service();
  void wait(unsigned least_ms, unsigned most_ms);
  void wait_meanwhile(unsigned least_ms, unsigned most_ms);

  Fleet& fleet_;
  std::minstd_rand random_;
  const std::function<void()> meanwhile_;
  std::map<std::string, unsigned> count_;
  std::size_t deeds_ = 0;
  Clock::time_point end_{};
};

}  // namespace keygate::test
