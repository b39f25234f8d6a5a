// A policy of any bytes, and requests to match: the table finds the route that the rules name (or none, where a path is
// a respelling), and what no route opens is denied to who presents nothing.
// Input: a policy, a line of "%%", and a request a line: METHOD HOST TARGET [NAME:VALUE]…
#include "config/policy_reader.hpp"
#include "policy/decide.hpp"
#include "tests/fuzz/probe.hpp"
#include "tests/unit/policy/reference_matcher.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace keygate::fuzz {
namespace {

std::string_view take(std::string_view& text, char separator) {
  const auto end = std::min(text.find(separator), text.size());
  const auto taken = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return taken;
}

std::optional<config::Settings> read_policy(std::string_view text) {
  config::Reading reading{
      std::make_shared<const std::string>("policy.yaml"), [](const std::string&) { return std::nullopt; }, {}};
  const auto document = config::read_yaml(text, reading.file);
  if (!document.root || config::has_errors(document.problems)) return std::nullopt;
  static const auto reader =
      config::policy_reader(config::Purpose::proxy);  // building it takes longer than reading most policies
  auto policy = reader.read(config::Value(*document.root, reading));
  if (!policy || config::has_errors(reading.problems)) return std::nullopt;
  config::Settings settings;
  settings.file = "keygate.yaml";
  for (const auto* name : {"default", "app", "sandbox"}) settings.upstreams.emplace_back().name = name;
  settings.policy = *std::move(policy);
  return settings;
}

bool has_escape(const std::vector<config::RouteDocument>& routes, std::string_view target) {
  return target.find('%') != std::string_view::npos ||
         std::any_of(routes.begin(), routes.end(), [](const config::RouteDocument& route) {
           return route.match.path.value.find('%') != std::string::npos;
         });
}

void check_decision(const policy::Policy& compiled, const policy::Route* route, const policy::RequestTarget& target,
                    const config::RouteDocument* document) {
  using Found = policy::Caller::Found;
  for (const Found found : {Found::not_looked, Found::nothing, Found::malformed, Found::could_not_find_out}) {
    policy::Caller caller;
    caller.found = found;
    const auto decision = policy::decide(compiled, route, target, caller, 0);
    const bool is_open =
        document != nullptr && (document->anonymous || (document->optional && found == Found::nothing));
    hold(is_open || std::holds_alternative<policy::Denial>(decision), "nothing is open that no route opens");
  }
}

void check_request(const policy::Policy& compiled, const std::vector<config::RouteDocument>& routes,
                   std::string_view line) {
  const auto method = policy::parse_method(take(line, ' '));
  const auto host = take(line, ' ');
  const auto raw = take(line, ' ');
  std::vector<char> host_room(host.size());
  const auto canonical_host = policy::canonical_host(host, host_room);
  std::vector<char> target_room(raw.begin(), raw.end());
  const auto parsed = policy::RequestTarget::parse(target_room);
  const auto* target = std::get_if<policy::RequestTarget>(&parsed);
  if (!method || target == nullptr) return;

  policy::testing::Asked wanted{std::string(canonical_host.value_or("")), *method, std::string(target->path()), {}};
  while (!line.empty()) {
    auto value = take(line, ' ');
    const auto name = take(value, ':');
    wanted.headers.push_back({name, value});
  }
  const auto* route = compiled.table.match({wanted.host, *method, target, wanted.headers});
  const auto due = policy::testing::reference_winner(routes, wanted);
  hold(!due.is_tied, "no two routes of one rank are left beside each other");
  const std::string won = route == nullptr ? "" : routes.at(route->number).name.value;
  if (!(won.empty() && has_escape(routes, wanted.target))) hold_equal(won, due.name, "the route that the rules name");
  check_decision(compiled, route, *target, route == nullptr ? nullptr : &routes.at(route->number));
}

void check_host(std::string_view host) {
  std::vector<char> room(host.size());
  const auto canonical = policy::canonical_host(host, room);
  if (!canonical) return;
  std::vector<char> again(canonical->size());
  const auto second = policy::canonical_host(*canonical, again);
  hold(second.has_value(), "a canonical host is a host");
  hold_equal(*second, *canonical, "and its own canonical form");
}

}  // namespace

void probe(std::string_view input) {
  const auto end = input.find("\n%%\n");
  const auto settings = read_policy(input.substr(0, end));
  if (!settings) return;
  const auto compiled = policy::compile(*settings);
  hold_equal(compiled.policy == nullptr, config::has_errors(compiled.problems), "a policy or errors");
  if (!compiled.policy || end == std::string_view::npos) return;
  for (auto requests = input.substr(end + 4); !requests.empty();) {
    const auto line = take(requests, '\n');
    check_request(*compiled.policy, settings->policy.routes, line);
    check_host(line);
  }
}

}  // namespace keygate::fuzz
