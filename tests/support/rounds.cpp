#include "tests/support/rounds.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace keygate::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t most_surprises = 5;

}  // namespace

Rounds::Rounds(const Keygate& proxy, std::vector<Key> keys, std::string organization)
    : port_(proxy.port()),
      keys_(std::move(keys)),
      organization_(std::move(organization)),
      sightings_(keys_.size()),
      thread_([this] { ask_all(); }) {}

void Rounds::stop() {
  is_stopped_ = true;
  if (thread_.joinable()) thread_.join();
}

void Rounds::be_surprised(const std::string& what) {
  if (surprises_.size() < most_surprises) surprises_.push_back(what);
}

std::size_t Rounds::cuts() const {
  return std::accumulate(sightings_.begin(), sightings_.end(), std::size_t{0},
                         [](std::size_t sum, const Sighting& seen) { return sum + seen.cuts; });
}

void Rounds::ask_all() {
  std::optional<RawClient> client;
  while (!is_stopped_) {
    for (std::size_t i = 0; i < keys_.size() && !is_stopped_; ++i) {
      try {
        if (!client) client.emplace(port_);
        ask_for(*client, i);
      } catch (const std::exception&) {
        ++sightings_[i].cuts;
        client.reset();
      }
    }
    ++rounds_;
  }
}

void Rounds::ask_for(RawClient& client, std::size_t number) {
  Sighting& seen = sightings_[number];
  const auto begin = Clock::now();
  const Response response = client.ask(request_with(keys_[number]));
  const auto end = Clock::now();
  slowest_ = std::max(slowest_, std::chrono::duration_cast<std::chrono::milliseconds>(end - begin));
  if (response.status == 200) {
    if (response.body != identity_of(keys_[number], organization_)) {
      be_surprised("the upstream was told of " + response.body + " for " + keys_[number].id);
    }
    granted_ += seen.grants++ == 0 ? 1 : 0;
    seen.grants_after_denial += seen.first_denial ? 1 : 0;
    seen.last_grant_asked = begin;
  } else if (response.status == 401 || response.status == 403) {
    if (!seen.first_denial) {
      seen.first_denial = end;
      seen.denied_as = outcome_of(response);
      ++denied_;
    }
  } else {
    be_surprised("answered " + outcome_of(response) + " for " + keys_[number].id);
  }
}

}  // namespace keygate::test
