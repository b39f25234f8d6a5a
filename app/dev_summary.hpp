// What `keygate dev` says at its end: which routes were asked for, how often they refused, and the least that a key has
// to hold for all of it.
#pragma once

#include "proxy/snapshot.hpp"
#include "telemetry/outcome.hpp"

#include <cstdint>
#include <iosfwd>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace keygate::app {

class DevSummary {
 public:
  // Of each exchange as it ends; any thread.
  void note(const telemetry::Outcome& outcome, const proxy::Snapshot& judged_by);

  void print(std::ostream& out, bool has_colour) const;

 private:
  struct OfRoute {
    std::uint64_t hits = 0, denials = 0;
    std::map<std::string, std::uint64_t, std::less<>> by_code;  // but for ok
  };

  mutable std::mutex mutex_;
  std::map<std::string, OfRoute, std::less<>> routes_;
  std::shared_ptr<const policy::Policy> policy_;  // the newest one that judged
  std::uint64_t generation_ = 0;                  // of it
  std::set<std::string, std::less<>> asked_;      // names of the routes that were judged
};

}  // namespace keygate::app
