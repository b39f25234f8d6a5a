#include "proxy/judging.hpp"

#include "proxy/cross_origin.hpp"
#include "proxy/forward_head.hpp"
#include "proxy/request_target.hpp"

#include <algorithm>

namespace keygate::proxy {
namespace {

using policy::Reason;

Reason reason_of(policy::TargetFlaw flaw) {
  const bool is_malformed = flaw == policy::TargetFlaw::not_origin_form || flaw == policy::TargetFlaw::forbidden_byte;
  return is_malformed ? Reason::bad_request : Reason::ambiguous_path;
}

using Source = config::CredentialSource::Kind;

// Browsers send cookies with what other sites make them ask. A site that `cors` lets ask with credentials may. GET,
// HEAD and OPTIONS change nothing, unless a GET opens a tunnel, in which anything may be said; anything else has to
// come from the page's own origin and say so: Sec-Fetch-Site, or for a browser that has none, Origin.
bool is_cross_site(const policy::Route& route, const RequestHead& head, bool is_secure) {
  const bool is_safe = head.method == policy::Method::get || head.method == policy::Method::head ||
                       head.method == policy::Method::options;
  if (is_safe && !head.is_upgrade) {
    return false;
  }
  std::optional<std::string_view> origin, site;
  for (const policy::HeaderField& field : head.headers()) {
    const bool is_origin = equals_ignoring_case(field.name, "origin");
    const bool is_site = equals_ignoring_case(field.name, "sec-fetch-site");
    if ((is_origin && origin) || (is_site && site)) {
      return true;  // said twice: nobody knows which is read
    }
    origin = is_origin ? std::optional(field.value) : origin;
    site = is_site ? std::optional(field.value) : site;
  }
  if (origin && may_act_from(route, *origin, head.method)) {
    return false;
  }
  if (site) {
    return *site != "same-origin";
  }
  if (origin) {
    // Over TLS a page that came without may be anybody's on the way. Without, the scheme is not known: a proxy before
    // this one may end TLS. The port that goes with it is left out by browsers.
    const std::size_t scheme = origin->find("://");
    const bool is_weaker = is_secure && !origin->starts_with("https://");
    return scheme == std::string_view::npos || is_weaker ||
           !same_authority(origin->substr(scheme + 3), head.host, origin->starts_with("https") ? 443 : 80);
  }
  return true;
}

// What was presented is an admin secret, an API key or a session; where it is none, it is malformed.
void name_kind(const Snapshot& snapshot, const policy::Route& route, const RequestHead& head, bool is_secure,
               Approach& result) {
  using Found = policy::Caller::Found;
  policy::Caller& caller = result.caller;
  const Source source = result.presented.source;
  const bool may_be_admin = source == Source::bearer || source == Source::header;
  if (const auto* admin = may_be_admin ? snapshot.secrets.admins.find(result.digest) : nullptr) {
    caller.found = Found::answered;
    caller.kind = policy::CredentialKind::admin;
    caller.answer = &admin->answer;
    caller.held = &snapshot.admins_hold[static_cast<std::size_t>(admin - snapshot.secrets.admins.all().data())];
    return;
  }
  caller.found = Found::could_not_find_out;
  if (result.presented.kind == keys::Presented::Kind::one) {
    caller.kind = policy::CredentialKind::api_key;
    caller.prefix_environment = result.presented.environment;
    return;
  }
  const bool may_be_session =
      snapshot.reads_sessions && (source == Source::cookie || (source == Source::bearer && route.accepts_session));
  if (!may_be_session) {
    caller.found = Found::malformed;
    return;
  }
  caller.kind = policy::CredentialKind::session;
  caller.is_cross_site = source == Source::cookie && is_cross_site(route, head, is_secure);
}

}  // namespace

std::optional<std::string_view> settled_host(const RequestHead& head, std::span<char> room) {
  if (head.host.size() + 1 > room.size()) {
    return std::nullopt;
  }
  return policy::canonical_host(head.host, room);
}

std::string_view host_with_port(const RequestHead& head, std::string_view host, std::span<char> room) {
  const std::size_t bracket = head.host.rfind(']');
  const std::size_t colon = head.host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  const std::string_view port = head.host.substr(std::min(colon, head.host.size()));
  std::copy(port.begin(), port.end(), room.data() + host.size());
  return {room.data(), host.size() + port.size()};
}

std::variant<policy::RequestTarget, HeadRefusal> settled_target(const Snapshot& snapshot, const RequestHead& head) {
  auto parsed = policy::RequestTarget::parse(head.target, snapshot.policy->paths);
  if (const auto* flaw = std::get_if<policy::TargetFlaw>(&parsed)) {
    return HeadRefusal{reason_of(*flaw), policy::to_string(*flaw)};
  }
  const auto& target = std::get<policy::RequestTarget>(parsed);
  if (snapshot.credentials.is_query_ambiguous(target.query())) {
    return HeadRefusal{Reason::bad_request, "a query that can be read with the credential or without"};
  }
  if (own_via_count(head) > max_own_via) {
    return HeadRefusal{Reason::loop_detected, "by its Via it has been here too often"};
  }
  return target;
}

Approach approach(const Snapshot& snapshot, const policy::Route* route, const RequestHead& head,
                  const policy::RequestTarget& target, keys::Hasher& hash, bool is_secure) {
  using Found = policy::Caller::Found;
  Approach result;
  if (route == nullptr || route->access == policy::Access::anonymous) {
    result.caller.found = Found::not_looked;
    return result;
  }
  result.presented = snapshot.credentials.extract(head.headers(), target.query());
  switch (result.presented.kind) {
    case keys::Presented::Kind::nothing:
      result.caller.found = Found::nothing;
      break;
    case keys::Presented::Kind::ambiguous:
      result.caller.found = Found::ambiguous;
      break;
    case keys::Presented::Kind::malformed:
      result.caller.found = Found::malformed;
      break;
    case keys::Presented::Kind::one:
    case keys::Presented::Kind::unfit:
      result.digest = hash(result.presented.secret);
      name_kind(snapshot, *route, head, is_secure, result);
      break;
  }
  return result;
}

std::string_view adopted_request_id(const RequestHead& head) {
  std::string_view id;
  for (const policy::HeaderField& field : head.headers()) {
    if (equals_ignoring_case(field.name, "x-request-id") && policy::is_identity_value(field.value)) {
      id = field.value;
    }
  }
  return id;
}

bool is_body_too_large(const Snapshot& snapshot, const RequestHead& head) {
  return head.content_length > snapshot.settings->limits.body_bytes;
}

}  // namespace keygate::proxy
