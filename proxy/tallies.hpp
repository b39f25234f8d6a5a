// What one worker has counted of its exchanges, by route: metrics sum it up over the workers. Plain numbers on the
// worker's own thread; an exchange finds its route's by number, without a look-up.
#pragma once

#include "policy/policy.hpp"
#include "policy/reason.hpp"
#include "telemetry/histogram.hpp"
#include "telemetry/outcome.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::proxy {

// Of a request that no route was found for; and of the routes past the timed ones, together. A route's own name may be
// the same: then they are counted together.
inline constexpr std::string_view no_route_name = "(none)";
inline constexpr std::string_view other_routes_name = "(other)";

struct RouteTally {
  static constexpr std::size_t max_reasons = 64;  // there are fewer; indexed by policy::Reason

  std::string name;
  std::array<std::uint64_t, max_reasons> by_reason{};
  std::array<std::uint32_t, max_reasons> shadowed{};  // what would have been denied, had the route not been in shadow
  std::optional<telemetry::RequestTimes> times;       // of timed routes
};

// The tallies of one generation's routes, by number. Entries come to be when a route is first asked for.
class RouteTallies {
 public:
  explicit RouteTallies(std::shared_ptr<const policy::Policy> policy) : policy_(std::move(policy)) {
    by_number_.resize(policy_->routes.size());
  }

 private:
  friend class Tallies;
  std::shared_ptr<const policy::Policy> policy_;
  std::vector<std::shared_ptr<RouteTally>> by_number_;
};

class Tallies {
 public:
  static constexpr std::size_t max_timed_routes = 500;  // a histogram each; the rest share one

  Tallies();

  // A new generation. What was counted of a route goes on under its name. One that is gone is forgotten with the next
  // generation but one, so that names do not pile up over many reloads.
  std::shared_ptr<RouteTallies> begin(std::shared_ptr<const policy::Policy> policy);

  void note(RouteTallies& of, const telemetry::Outcome& outcome);

  // The histogram of the upstream of that name, to be kept by whoever counts.
  std::shared_ptr<telemetry::RequestTimes> upstream(const std::string& name);

  // Copies, for who reads them elsewhere.
  std::vector<RouteTally> routes() const;
  std::map<std::string, telemetry::RequestTimes> upstreams() const;

  // How long auth took, by who answered: see source_names.
  static constexpr std::array<std::string_view, 5> source_names{"none", "memory", "redis", "store", "service"};
  const std::array<telemetry::AuthTimes, source_names.size()>& auth() const { return auth_; }
  std::uint64_t degraded() const { return degraded_; }

 private:
  RouteTally& tally_of(RouteTallies& of, std::int32_t number);

  std::map<std::string, std::shared_ptr<RouteTally>, std::less<>> by_name_;
  std::shared_ptr<RouteTally> none_, others_;
  std::map<std::string, std::shared_ptr<telemetry::RequestTimes>> upstreams_;
  std::array<telemetry::AuthTimes, source_names.size()> auth_{};
  std::uint64_t degraded_ = 0;
  std::shared_ptr<const policy::Policy> before_;  // of the last generation
};

}  // namespace keygate::proxy
