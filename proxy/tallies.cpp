#include "proxy/tallies.hpp"

#include <set>
#include <utility>

namespace keygate::proxy {
namespace {

// "memory", "redis", "store" and "service" differ in their lengths but for two.
std::size_t index_of(std::string_view source) {
  for (std::size_t i = 1; i < Tallies::source_names.size(); ++i) {
    if (source == Tallies::source_names[i]) return i;
  }
  return 0;
}

std::shared_ptr<RouteTally> make_tally(std::string_view name, bool is_timed) {
  auto made = std::make_shared<RouteTally>();
  made->name = name;
  if (is_timed) made->times.emplace();
  return made;
}

}  // namespace

Tallies::Tallies() : none_(make_tally(no_route_name, true)), others_(make_tally(other_routes_name, true)) {}

std::shared_ptr<RouteTallies> Tallies::begin(std::shared_ptr<const policy::Policy> policy) {
  std::set<std::string_view> names;
  for (const auto* const of : {policy.get(), before_.get()}) {
    if (of == nullptr) continue;
    for (const auto& route : of->routes) names.insert(route->name);
  }
  std::erase_if(by_name_, [&](const auto& entry) { return !names.contains(entry.first); });
  before_ = policy;
  return std::make_shared<RouteTallies>(std::move(policy));
}

RouteTally& Tallies::tally_of(RouteTallies& of, std::int32_t number) {
  if (number < 0) return *none_;
  const auto place = static_cast<std::size_t>(number);
  auto& known = of.by_number_[place];
  if (!known) [[unlikely]] {
    const std::string& name = of.policy_->routes[place]->name;
    const bool is_timed = place < max_timed_routes;
    auto& named = by_name_[name];
    if (!named) named = make_tally(name, is_timed);
    if (is_timed && !named->times) named->times.emplace();
    known = named;
  }
  return *known;
}

void Tallies::note(RouteTallies& of, const telemetry::Outcome& outcome) {
  RouteTally& tally = tally_of(of, outcome.route_number);
  const std::size_t reason = outcome.reason_number % RouteTally::max_reasons;
  if (outcome.is_shadowed) {
    ++tally.shadowed[outcome.shadow_number % RouteTally::max_reasons];
  }
  ++tally.by_reason[reason];
  (tally.times ? *tally.times : *others_->times).add(outcome.duration);
  if (outcome.was_judged) auth_[index_of(outcome.source)].add(outcome.auth);
  if (outcome.is_degraded) ++degraded_;
}

std::shared_ptr<telemetry::RequestTimes> Tallies::upstream(const std::string& name) {
  auto& known = upstreams_[name];
  if (!known) known = std::make_shared<telemetry::RequestTimes>();
  return known;
}

std::vector<RouteTally> Tallies::routes() const {
  std::vector<RouteTally> all;
  all.reserve(by_name_.size() + 2);
  for (const auto& [name, tally] : by_name_) all.push_back(*tally);
  for (const auto& shared : {none_, others_}) {
    if (shared->times->total() > 0) all.push_back(*shared);
  }
  return all;
}

std::map<std::string, telemetry::RequestTimes> Tallies::upstreams() const {
  std::map<std::string, telemetry::RequestTimes> all;
  for (const auto& [name, times] : upstreams_) all.emplace(name, *times);
  return all;
}

}  // namespace keygate::proxy
