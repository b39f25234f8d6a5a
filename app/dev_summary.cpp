#include "app/dev_summary.hpp"

#include "app/explain_paper.hpp"
#include "app/scope_choice.hpp"
#include "policy/reason.hpp"

#include <ostream>

namespace keygate::app {
namespace {

constexpr std::string_view no_route = "(no route)";

// By us, and for what it asked: not what an upstream or a key service did wrong.
bool is_denied(const telemetry::Outcome& outcome) {
  const auto reason = static_cast<policy::Reason>(outcome.reason_number);
  return reason != policy::Reason::client_closed && policy::row(reason).fault == policy::Fault::client;
}

std::string counted(std::uint64_t number, const std::string& one) {
  return std::to_string(number) + " " + one + (number == 1 ? "" : "s");
}

}  // namespace

void DevSummary::note(const telemetry::Outcome& outcome, const proxy::Snapshot& judged_by) {
  const std::scoped_lock lock(mutex_);
  const std::string_view name = outcome.route.empty() ? no_route : outcome.route;
  OfRoute& route = routes_.try_emplace(std::string(name)).first->second;
  ++route.hits;
  if (is_denied(outcome)) ++route.denials;
  if (outcome.code != "ok") ++route.by_code.try_emplace(std::string(outcome.code)).first->second;
  if (outcome.was_judged && !outcome.route.empty()) asked_.emplace(outcome.route);
  if (policy_ != nullptr && judged_by.generation < generation_) return;  // it began before a reload, and ended after
  policy_ = judged_by.policy;
  generation_ = judged_by.generation;
}

void DevSummary::print(std::ostream& out, bool has_colour) const {
  const std::scoped_lock lock(mutex_);
  Paper paper(out, has_colour);
  out << '\n';
  if (routes_.empty()) return paper.line("No request came.");
  std::uint64_t hits = 0, denials = 0;
  Table rows{{paper.faint("route"), paper.faint("requests"), paper.faint("denied"), ""}};
  for (const auto& [name, route] : routes_) {
    hits += route.hits;
    denials += route.denials;
    std::string codes;
    for (const auto& [code, count] : route.by_code) {
      codes += (codes.empty() ? "" : ", ") + code + " " + std::to_string(count);
    }
    const std::string denied = std::to_string(route.denials);
    rows.push_back({name, std::to_string(route.hits), route.denials > 0 ? paper.bad(denied) : denied, codes});
  }
  paper.line(paper.strong(counted(hits, "request")) + ", " + std::to_string(denials) + " denied");
  paper.table(rows);
  std::vector<RouteScopes> asked;
  std::string keyless;
  for (const auto& route : policy_->routes) {
    if (!asked_.contains(route->name)) continue;
    if (route->accepts_api_key) {
      asked.push_back({route->all_scopes, route->any_scopes});
    } else {
      keyless += (keyless.empty() ? "" : ", ") + route->name;
    }
  }
  out << '\n';
  if (!keyless.empty()) paper.line("Left out of the rest, as no API key is taken there:  " + keyless);
  if (asked.empty() && !keyless.empty()) return;
  std::string scopes;
  for (const std::string& scope : smallest_scopes(policy_->catalogue, asked))
    scopes += (scopes.empty() ? "" : ",") + scope;
  if (scopes.empty()) return paper.line("No scope is needed for these.");
  paper.line("The least that a key for these needs:  " + paper.strong(scopes));
  paper.line(paper.faint("  keygate keys create --organization ORGANIZATION --scopes " + scopes));
}

}  // namespace keygate::app
