#include "app/replay.hpp"

#include "policy/decide.hpp"
#include "policy/readings.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <variant>

namespace keygate::app {
namespace {

using policy::Caller;
using policy::Reason;
using State = policy::KeyAnswer::State;

// What was made of it, or would have been but for shadow mode.
const std::string& verdict(const LoggedRequest& request) {
  return request.shadowed.empty() ? request.code : request.shadowed;
}

// What was found of the caller then; nullopt: nobody looked, or it does not say enough.
std::optional<Caller::Found> found_by(const LoggedRequest& request) {
  if (request.is_granted && request.shadowed.empty()) {
    return request.kind == policy::CredentialKind::none ? std::nullopt : std::optional(Caller::Found::answered);
  }
  switch (reason_named(verdict(request)).value_or(Reason::no_route)) {
    case Reason::no_route:
    case Reason::no_route_as_404:
    case Reason::certificate_not_accepted:
    case Reason::address_not_allowed:
      return std::nullopt;
    case Reason::missing_credential:
      return Caller::Found::nothing;
    case Reason::ambiguous_credential:
      return Caller::Found::ambiguous;
    case Reason::malformed_key:
      return Caller::Found::malformed;
    case Reason::key_service_unavailable:
      return Caller::Found::could_not_find_out;
    case Reason::too_many_unknown_keys:
      return Caller::Found::over_budget;
    default:
      return Caller::Found::answered;
  }
}

State state_by(const LoggedRequest& request) {
  if (request.is_granted && request.shadowed.empty()) return State::valid;
  switch (reason_named(verdict(request)).value_or(Reason::ok)) {
    case Reason::invalid_key:
      return State::unknown;
    case Reason::revoked_key:
      return State::revoked;
    case Reason::disabled_key:
      return State::disabled;
    case Reason::expired_key:
    case Reason::invalid_session:
      return State::expired;
    default:
      return State::valid;
  }
}

policy::KeyAnswer answer_by(const LoggedRequest& request) {
  const auto or_some = [](const std::string& text, const char* some) {
    return text.empty() ? std::string(some) : text;
  };
  policy::KeyAnswer answer;
  answer.state = state_by(request);
  answer.principal.key_id = or_some(request.key_id, "key_logged");
  answer.principal.organization = request.organization;
  answer.principal.user = "user_logged";
  answer.principal.environment = request.environment;
  answer.principal.granted = request.granted;
  return answer;
}

// Refused for its path, before anybody is asked.
Fate ambiguous(std::string route) {
  return {std::string(policy::row(Reason::ambiguous_path).code), std::move(route), ""};
}

}  // namespace

std::string_view to_string(Unknown why) {
  switch (why) {
    case Unknown::cut:
      return "a field is longer than the log keeps";
    case Unknown::headers:
      return "it depends on headers, which are not logged";
    case Unknown::credential:
      return "no credential was looked for then, and one is needed now";
    case Unknown::cross_site:
      return "it depends on where the session's request came from";
    case Unknown::kind:
      return "it depends on whether what was presented is a session";
    case Unknown::method:
      return "the method is none that a route can have";
  }
  return "";
}

std::uint64_t Replayed::different() const {
  std::uint64_t count = ungrouped;
  for (const Change& change : differences) count += change.count;
  return count;
}

Replay::Replay(const proxy::Snapshot& snapshot, std::int64_t now) : snapshot_(snapshot), now_(now), header_sets_(1) {
  const auto texts = [](const std::vector<policy::HeaderField>& fields) {
    std::vector<std::pair<std::string_view, std::string_view>> pairs;
    for (const auto& field : fields) pairs.emplace_back(field.name, field.value);
    return pairs;
  };
  for (const auto& entry : snapshot.policy->criteria) {
    std::vector<policy::HeaderField> fields;
    for (const auto& condition : entry.headers) fields.push_back({condition.name, condition.value});
    const auto is_known = [&](const auto& known) { return texts(known) == texts(fields); };
    if (std::ranges::none_of(header_sets_, is_known)) header_sets_.push_back(std::move(fields));
  }
}

void Replay::add(std::string_view line, std::string_view file, std::uint64_t number) {
  ++counts_.lines;
  const LoggedRequest request = read_logged(line);
  switch (request.line) {
    case LoggedRequest::Line::broken:
      ++counts_.broken;
      return;
    case LoggedRequest::Line::not_judged:
      ++counts_.not_judged;
      return;
    case LoggedRequest::Line::judged:
      break;
  }
  auto fate = request.is_cut ? std::variant<Fate, Unknown>(Unknown::cut) : judged(request);
  if (const auto* why = std::get_if<Unknown>(&fate)) {
    ++counts_.cannot_tell[static_cast<std::size_t>(*why)];
    return;
  }
  note(request, std::get<Fate>(std::move(fate)), file, number);
}

bool Replay::is_read_otherwise(const policy::MatchInput& input, const policy::Route* route) const {
  return route != nullptr && policy::stricter_reading(*snapshot_.policy, *route, input);
}

std::variant<Fate, Unknown> Replay::judged(const LoggedRequest& request) const {
  // A preflight is answered, or decided, by headers.
  if (request.method == "OPTIONS" && request.is_granted && request.upstream.empty()) return Unknown::headers;
  const auto method = policy::parse_method(request.method);
  std::string room = request.path;
  const auto parsed = policy::RequestTarget::parse(room, snapshot_.policy->paths);
  const auto* const target = std::get_if<policy::RequestTarget>(&parsed);
  if (!method) return Unknown::method;
  if (target == nullptr) return ambiguous({});
  std::optional<Fate> fate;
  const policy::Route* last = nullptr;
  for (const auto& headers : header_sets_) {
    const auto* const route = snapshot_.policy->table.match({request.host, *method, target, headers});
    if (fate && route == last) continue;
    last = route;
    auto next = is_read_otherwise({request.host, *method, target, headers}, route)
                    ? std::variant<Fate, Unknown>(ambiguous(route->name))
                    : judged_by(route, request, *target);
    const auto* const told = std::get_if<Fate>(&next);
    if (told == nullptr) return next;
    if (fate && (fate->code != told->code || fate->upstream != told->upstream)) return Unknown::headers;
    if (!fate) fate = *told;
  }
  return *fate;
}

std::variant<Fate, Unknown> Replay::judged_by(const policy::Route* route, const LoggedRequest& request,
                                              const policy::RequestTarget& target) const {
  Caller caller;
  caller.found = Caller::Found::not_looked;
  caller.client_subject = request.client_subject;
  if (route == nullptr || route->access == policy::Access::anonymous) return decided(route, target, caller);
  const auto found = found_by(request);
  if (!found) return Unknown::credential;
  // What no key is like may be a session's token, where sessions pass.
  if (found == Caller::Found::malformed && route->accepts_session) return Unknown::kind;
  const policy::KeyAnswer answer = answer_by(request);
  const policy::Held held = snapshot_.policy->catalogue.expand(answer.principal.granted);
  caller.found = *found;
  caller.kind = request.kind;
  if (caller.found == Caller::Found::answered) {
    if (caller.kind == policy::CredentialKind::none) return Unknown::credential;
    caller.answer = &answer;
    caller.held = &held;
    caller.prefix_environment = request.environment;
  }
  caller.is_cross_site = verdict(request) == "cross_site";
  Fate fate = decided(route, target, caller);
  const bool may_be_either = request.kind == policy::CredentialKind::session &&
                             verdict(request) == "credential_not_accepted" && request.method != "GET" &&
                             request.method != "HEAD" && request.method != "OPTIONS";
  if (may_be_either) {
    caller.is_cross_site = true;
    if (decided(route, target, caller) != fate) return Unknown::cross_site;
  }
  return fate;
}

Fate Replay::decided(const policy::Route* route, const policy::RequestTarget& target, const Caller& caller) const {
  const auto decision = policy::decide(*snapshot_.policy, route, target, caller, now_);
  Fate fate;
  if (route != nullptr) fate.route = route->name;
  if (const auto* denial = std::get_if<policy::Denial>(&decision)) {
    fate.code = policy::row(denial->reason).code;
  } else {
    fate.code = "ok";
    fate.upstream = snapshot_.settings->upstreams[std::get<policy::Grant>(decision).upstream()].name;
  }
  return fate;
}

void Replay::note(const LoggedRequest& request, Fate after, std::string_view file, std::uint64_t number) {
  Fate before{request.code, request.route, request.is_granted ? request.upstream : ""};
  // Not every grant is logged with its upstream: of one that came to none, any will do.
  if (request.is_granted && before.upstream.empty()) before.upstream = after.upstream;
  if (before == after) {
    ++counts_.same;
    return;
  }
  const bool is_moved = before.code == after.code && (before.upstream == after.upstream || after.code != "ok");
  if (is_moved) ++counts_.same;
  Groups& groups = is_moved ? moved_ : differences_;
  auto key = std::pair(std::move(before), std::move(after));
  const auto known = groups.find(key);
  if (known != groups.end()) {
    ++known->second.count;
  } else if (groups.size() < max_groups) {
    Change change{key.first,      key.second,   1,
                  request.method, request.path, std::string(file) + ":" + std::to_string(number)};
    groups.emplace(std::move(key), std::move(change));
  } else if (!is_moved) {
    ++counts_.ungrouped;
  }
}

Replayed Replay::result() && {
  const auto take = [](Groups& groups, std::vector<Change>& into) {
    for (auto& [key, change] : groups) into.push_back(std::move(change));
    std::ranges::stable_sort(into, std::ranges::greater(), &Change::count);
  };
  take(differences_, counts_.differences);
  take(moved_, counts_.moved);
  return std::move(counts_);
}

}  // namespace keygate::app
