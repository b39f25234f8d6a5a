#include "app/logged_request.hpp"

#include "keys/strict_json.hpp"

#include <boost/json/value.hpp>

#include <algorithm>

namespace keygate::app {
namespace {

namespace json = boost::json;
using policy::Reason;

constexpr std::size_t longest_field = 512;  // the log cuts what is longer

std::string text_in(const json::object& line, json::string_view name, bool& is_cut) {
  const json::value* const value = line.if_contains(name);
  if (value == nullptr || !value->is_string()) return {};
  std::string text(value->get_string());
  is_cut = is_cut || text.size() >= longest_field;
  return text;
}

std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> found;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    if (end > begin) found.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return found;
}

// Whether the reason is one that a policy gives, or what a look-up says to it.
bool is_of_policy(Reason reason) {
  switch (reason) {
    case Reason::ok:
    case Reason::ambiguous_credential:
    case Reason::missing_credential:
    case Reason::malformed_key:
    case Reason::invalid_key:
    case Reason::expired_key:
    case Reason::revoked_key:
    case Reason::disabled_key:
    case Reason::invalid_session:
    case Reason::insufficient_scope:
    case Reason::wrong_organization:
    case Reason::wrong_environment:
    case Reason::credential_not_accepted:
    case Reason::certificate_not_accepted:
    case Reason::address_not_allowed:
    case Reason::cross_site:
    case Reason::no_route:
    case Reason::no_route_as_404:
    case Reason::too_many_unknown_keys:
    case Reason::key_service_unavailable:
      return true;
    default:
      return false;
  }
}

policy::CredentialKind kind_named(const std::string& word) {
  for (const auto kind :
       {policy::CredentialKind::api_key, policy::CredentialKind::session, policy::CredentialKind::admin}) {
    if (word == policy::to_string(kind)) return kind;
  }
  return policy::CredentialKind::none;
}

}  // namespace

std::optional<Reason> reason_named(std::string_view code) {
  const auto rows = policy::reasons();
  const auto found = std::ranges::find(rows, code, &policy::ReasonRow::code);
  return found == rows.end() ? std::nullopt : std::optional(found->reason);
}

LoggedRequest read_logged(std::string_view line) {
  constexpr std::size_t max_depth = 4;
  LoggedRequest read;
  const auto parsed = keys::parse_strict_json(line, max_depth);
  const json::object* const object = parsed ? parsed->if_object() : nullptr;
  if (object == nullptr || !object->contains("code") || !object->contains("status")) return read;
  bool is_cut = false;
  const auto text = [&](json::string_view name) { return text_in(*object, name, is_cut); };
  read.code = text("code");
  read.method = text("method");
  read.path = text("path");
  read.upstream = text("upstream");
  // An upstream is chosen for a grant alone; a limit on the rate is counted after one.
  read.is_granted = read.code == "ok" || read.code == "rate_limited" || !read.upstream.empty();
  const auto reason = reason_named(read.code);
  const bool is_judged = read.is_granted || (reason && is_of_policy(*reason));
  if (!is_judged || read.method.empty() || read.path.empty()) {
    read.line = LoggedRequest::Line::not_judged;
    return read;
  }
  if (read.is_granted) read.code = "ok";
  read.line = LoggedRequest::Line::judged;
  read.shadowed = text("shadow_code");
  read.client_subject = text("client_subject");
  read.host = text("host");
  read.route = text("route");
  read.kind = kind_named(text("auth_method"));
  read.key_id = text("key_id");
  read.organization = text("organization_id");
  const std::string environment = text("environment");
  read.environment = environment == "live"   ? policy::Environment::live
                     : environment == "test" ? policy::Environment::test
                                             : policy::Environment::none;
  read.granted = words(text(object->contains("grants") ? "grants" : "scopes"));
  read.is_cut = is_cut;
  return read;
}

}  // namespace keygate::app
