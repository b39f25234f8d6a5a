#include "proxy/judging.hpp"

#include "proxy/forward_head.hpp"

#include <algorithm>

namespace keygate::proxy {
namespace {

using policy::Reason;

Reason reason_of(policy::TargetFlaw flaw) {
  const bool is_malformed = flaw == policy::TargetFlaw::not_origin_form || flaw == policy::TargetFlaw::forbidden_byte;
  return is_malformed ? Reason::bad_request : Reason::ambiguous_path;
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
  auto parsed = policy::RequestTarget::parse(head.target);
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
                  const policy::RequestTarget& target) {
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
      result.caller.found = Found::could_not_find_out;
      result.caller.kind = policy::CredentialKind::api_key;
      result.caller.prefix_environment = result.presented.environment;
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
