#include "app/case_run.hpp"

#include "app/explain_request.hpp"
#include "app/explained.hpp"
#include "app/keys_place.hpp"
#include "app/stated_record.hpp"
#include "config/fault.hpp"
#include "policy/reason.hpp"
#include "proxy/rehearsal.hpp"

#include <boost/algorithm/string/predicate.hpp>
#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace keygate::app {
namespace {

using config::CaseCaller;
using Kind = CaseCaller::Kind;
using State = CaseCaller::State;

std::string place(const config::Position& where) {
  return where.file ? *where.file + ":" + std::to_string(where.line) : std::string();
}

StatedRecord stated_by(const CaseCaller& caller) {
  return {caller.organization, caller.user, caller.key_id, caller.environment, caller.scopes};
}

AskedRequest request_of(const config::PolicyCase& one, const config::Settings& settings) {
  std::vector<std::string> lines;
  for (const auto& [name, value] : one.headers) lines.push_back(name.value + ": " + value);
  AskedRequest request = asked_request(one.method, one.url, default_host(settings), std::move(lines));
  switch (one.caller.kind) {
    case Kind::nobody:
      return request;
    case Kind::key: {
      const SampleKey sample = sample_key(settings.credentials, one.caller.environment);
      return with_key(std::move(request), settings.credentials, keys::SecretView(sample.text));
    }
    case Kind::session:
      return with_session(std::move(request), settings);
    case Kind::admin:
      return with_admin_secret(std::move(request), settings, one.caller.admin);
  }
  return request;
}

// nullopt: nothing could be found out.
std::optional<policy::KeyAnswer> answer_for(const CaseCaller& caller, const proxy::Rehearsal& rehearsal) {
  using Found = policy::KeyAnswer::State;
  const bool is_session = rehearsal.caller().kind == policy::CredentialKind::session;
  if (caller.kind != (is_session ? Kind::session : Kind::key)) {
    throw Refusal{2, std::string("the request carries ") + (is_session ? "a session" : "a key") +
                         ": say whose it is with \"" + (is_session ? "session" : "key") + "\""};
  }
  if (caller.state == State::unavailable) return std::nullopt;
  policy::KeyAnswer answer =
      is_session ? session_of(stated_by(caller), *rehearsal.snapshot().settings, "") : record_of(stated_by(caller), "");
  constexpr std::array states{Found::valid, Found::unknown, Found::revoked, Found::disabled, Found::expired};
  answer.state = states[static_cast<std::size_t>(caller.state)];
  return answer;
}

// What the upstream is sent under a name; nullopt: nothing.
std::optional<std::string> sent_value(const proxy::HeaderWork& work, const AskedRequest& request,
                                      const std::string& name) {
  for (const proxy::AddedHeader& added : work.added) {
    if (boost::algorithm::iequals(added.name, name)) return added.value;
  }
  const auto sent = std::ranges::find_if(work.sent, [&](const auto& header) {
    return boost::algorithm::iequals(header.name, name) && header.fate == proxy::HeaderFate::kept;
  });
  if (sent == work.sent.end()) return std::nullopt;
  for (const std::string& line : request.lines) {
    const std::size_t colon = line.find(':');
    if (boost::algorithm::iequals(line.substr(0, colon), name)) {
      const std::size_t begin = line.find_first_not_of(" \t", colon + 1);
      return begin == std::string::npos ? std::string() : line.substr(begin);
    }
  }
  return request.host;  // the only one without a line
}

class Comparison {
 public:
  explicit Comparison(CaseResult& result) : result_(result) {}

  void compare(const char* what, const std::string& is, const std::optional<std::string>& should_be,
               const std::string& aside = "") {
    if (!should_be || is == *should_be) return;
    result_.differences.push_back(std::string(what) + " is " + (is.empty() ? "none" : is) +
                                  (aside.empty() ? "" : " (" + aside + ")") + ", not " + *should_be);
  }
  void compare_header(const std::string& name, const std::optional<std::string>& is,
                      const std::optional<std::string>& should_be) {
    if (is == should_be) return;
    const auto shown = [](const std::optional<std::string>& value) { return value ? "\"" + *value + "\"" : "absent"; };
    result_.differences.push_back(name + " is " + shown(is) + ", not " + shown(should_be));
  }

 private:
  CaseResult& result_;
};

void compare(CaseResult& result, const config::CaseExpectation& expected, const proxy::Rehearsal& rehearsal,
             const AskedRequest& request) {
  Comparison comparison(result);
  const bool is_granted = result.code == "ok";
  std::optional<std::string> code = expected.code;
  if (!code && !expected.status) code = "ok";
  std::string why(rehearsal.flaw());
  if (!is_granted && why.empty()) {
    const Explained told = explained(rehearsal, {}, {}, {});
    why = told.remedies.empty() ? "" : told.remedies.front();
  }
  comparison.compare("code", result.code, code, why);
  if (expected.status) {
    const bool is_upstreams = is_granted && result.status == 0;
    comparison.compare("status", is_upstreams ? "the upstream's" : std::to_string(result.status),
                       std::to_string(*expected.status));
  }
  comparison.compare("path", rehearsal.target() ? std::string(rehearsal.target()->path()) : "", expected.path);
  const auto* const route = rehearsal.route();
  const std::string at =
      route == nullptr ? "" : place(rehearsal.snapshot().settings->policy.routes[route->number].where);
  comparison.compare("route", result.route, expected.route, at);
  comparison.compare("upstream", result.upstream, expected.upstream);
  for (const auto& [name, value] : expected.headers) {
    if (!rehearsal.headers() && !is_granted) break;  // which has been said
    if (!rehearsal.headers()) {                      // answered here: the upstream is sent nothing
      comparison.compare_header(name.value, std::nullopt, value);
      continue;
    }
    comparison.compare_header(name.value, sent_value(*rehearsal.headers(), request, name.value), value);
  }
}

config::Problem no_such(const config::PolicyCase& one, const std::string& what, const std::string& name,
                        const std::vector<std::string>& known) {
  config::Problem problem;
  problem.where = one.where;
  problem.message = "there is no " + what + " " + config::quoted(name);
  const std::string near = config::nearest_word(name, known);
  problem.hint = near.empty() ? "" : "did you mean " + config::quoted(near) + "?";
  return problem;
}

}  // namespace

config::Problems problems_in(const config::CaseTable& table, const proxy::Snapshot& snapshot) {
  std::vector<std::string> codes{"ok"}, routes, upstreams;
  for (const policy::ReasonRow& row : policy::reasons()) codes.emplace_back(row.code);
  for (const auto& route : snapshot.settings->policy.routes) routes.push_back(route.name.value);
  for (const auto& upstream : snapshot.settings->upstreams) upstreams.push_back(upstream.name);
  config::Problems problems;
  const auto check = [&](const config::PolicyCase& one, const char* what, const std::optional<std::string>& name,
                         const std::vector<std::string>& known) {
    if (name && std::ranges::find(known, *name) == known.end()) problems.push_back(no_such(one, what, *name, known));
  };
  for (const config::PolicyCase& one : table.cases) {
    check(one, "code", one.expected.code, codes);
    check(one, "route", one.expected.route, routes);
    check(one, "upstream", one.expected.upstream, upstreams);
  }
  return problems;
}

CaseResult run_case(const config::PolicyCase& one, const proxy::Snapshot& snapshot, std::int64_t now) {
  const config::Settings& settings = *snapshot.settings;
  boost::system::error_code no_address;
  const auto peer = boost::asio::ip::make_address(one.from, no_address);
  if (no_address) throw Refusal{2, "from: \"" + one.from + "\" is no address"};
  const AskedRequest request = request_of(one, settings);
  proxy::Rehearsal rehearsal(snapshot, head_of(request), peer, request.is_secure, one.client_subject);
  std::optional<policy::KeyAnswer> answer;
  if (rehearsal.needs_answer()) answer = answer_for(one.caller, rehearsal);
  rehearsal.judge(std::move(answer), now);

  const policy::ReasonRow& row = policy::row(rehearsal.reason());
  CaseResult result;
  result.code = row.code;
  result.status = rehearsal.reason() == policy::Reason::ok ? 0 : row.status;
  if (rehearsal.preflight()) result.status = 204;
  if (rehearsal.route() != nullptr) result.route = settings.policy.routes[rehearsal.route()->number].name.value;
  if (rehearsal.upstream()) result.upstream = settings.upstreams[*rehearsal.upstream()].name;
  compare(result, one.expected, rehearsal, request);
  return result;
}

}  // namespace keygate::app
