#include "tests/support/havoc.hpp"

#include <stdexcept>
#include <utility>

namespace keygate::test {
namespace {

using std::chrono::milliseconds;

}  // namespace

Havoc::Havoc(Fleet& fleet, std::uint32_t seed, std::function<void()> meanwhile)
    : fleet_(fleet), random_(seed), meanwhile_(std::move(meanwhile)) {}

void Havoc::wreak_for(std::chrono::seconds length) {
  end_ = Clock::now() + length;
  while (Clock::now() < end_) {
    act();
    ++deeds_;
    wait(50, 400);
  }
}

std::string Havoc::summary() const {
  std::string text;
  for (const auto& [deed, times] : count_) text += (text.empty() ? "" : ", ") + deed + " " + std::to_string(times);
  return text;
}

// Ends early where the time is over.
void Havoc::wait(unsigned least_ms, unsigned most_ms) {
  const milliseconds length(least_ms + random_() % (most_ms - least_ms));
  eventually([this] { return Clock::now() >= end_; }, length);
}

void Havoc::wait_meanwhile(unsigned least_ms, unsigned most_ms) {
  wait(least_ms, most_ms);
  if (random_() % 2 == 0) meanwhile_();
  wait(least_ms, most_ms);
}

void Havoc::act() {
  switch (random_() % 8) {
    case 0:
      return restart_redis();
    case 1:
      return restart_service();
    case 2:
      ++count_["flush Redis"];
      fleet_.redis.command({"FLUSHALL"});
      return;
    case 3:
      ++count_["stop Redis for a while"];
      fleet_.redis.freeze();
      wait_meanwhile(50, 500);
      return fleet_.redis.thaw();
    case 4:
    case 5:
      return harm(fleet_.redis_relay, "Redis");
    default:
      return harm(fleet_.service_relay, "the service");
  }
}

void Havoc::harm(Relay& relay, const std::string& whose) {
  switch (random_() % 5) {
    case 0:
      ++count_["cut " + whose];
      relay.cut();
      break;
    case 1:
      ++count_["cut " + whose + " once"];
      return relay.cut_once();
    case 2:
      ++count_["freeze " + whose];
      relay.freeze();
      break;
    case 3:
      ++count_["delay " + whose];
      relay.delay(milliseconds(150));
      break;
    default:
      ++count_["garble " + whose];
      relay.garble();
  }
  wait_meanwhile(50, 700);
  relay.let_through();
}

void Havoc::restart_redis() {
  ++count_["restart Redis"];
  fleet_.redis.kill();
  wait_meanwhile(30, 350);
  // Its port may be somebody's for a moment.
  for (int attempt = 0;; ++attempt) {
    try {
      return fleet_.redis.start();
    } catch (const std::runtime_error&) {
      if (attempt == 4) throw;
    }
  }
}

void Havoc::restart_service() {
  ++count_["restart the service"];
  fleet_.service.kill();
  wait(50, 700);
  fleet_.service.start();
  fleet_.service_relay.aim_at(fleet_.service.port());
}

}  // namespace keygate::test
