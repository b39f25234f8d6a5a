// What can be asked of a running proxy, and what is answered: the calls of the admin listener, apart from how bytes
// come and go (app/admin_server). On the control thread.
#pragma once

#include "app/metrics.hpp"
#include "app/survey.hpp"
#include "config/problem.hpp"
#include "proxy/snapshot.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::app {

// How the last reload went.
struct ReloadState {
  std::chrono::system_clock::time_point at;  // of the start, where there has been none
  bool was_good = true;
  std::string message{};  // why it was refused; else empty
};

// What the calls work on; all of it outlives them.
struct AdminDesk {
  Survey& survey;
  std::function<std::shared_ptr<const proxy::Snapshot>()> snapshot;  // in force
  std::function<ServerFigures()> figures;
  std::function<ReloadState()> last_reload;
  std::function<bool()> is_live;
  std::function<bool()> is_draining;
  std::function<std::optional<std::string>()> reload;  // now; a sentence where it is refused
  std::function<void()> drain;                         // begins to leave, and goes on serving until it is told to stop
  std::function<void(std::optional<keys::KeyDigest>)> forget;  // of every worker's memory; none: everything
  std::chrono::system_clock::time_point started_at;
};

boost::json::object status_json(const AdminDesk& desk, const Totals& totals);
boost::json::object dependencies_json(const proxy::Snapshot& snapshot, const Totals& totals);

// By hits, then as the policy has them; `most`: no more than so many, the rest is a number beside them.
boost::json::object routes_json(const proxy::Snapshot& snapshot, const Totals& totals, std::size_t most);

// What is wanted of the last decisions: every part that is not empty has to fit.
struct DecisionFilter {
  std::string code, route, key_id, organization_id, text;
  bool denied_only = false;
  std::size_t limit = 100;

  // From a query such as "code=invalid_key&denied=1&limit=20"; a fault's sentence where it is none.
  static std::optional<std::string> read(std::string_view query, DecisionFilter& into);
  bool fits(const boost::json::object& decision, std::string_view line) const;
};

// The youngest that fit, oldest first. A line that is no JSON is left out. `left_out`: how many more would have fitted.
boost::json::array decisions_json(const std::vector<proxy::Recent>& recent, const DecisionFilter& filter,
                                  std::uint64_t* left_out = nullptr);

// Explains a request by the policy in force: {"method", "url", "scopes", "organization", "user", "environment",
// "anonymous", "headers"}. Throws Refusal with a sentence where the question is none. Real secrets are not looked at.
boost::json::object explain_json(const proxy::Snapshot& snapshot, const boost::json::object& question);

}  // namespace keygate::app
