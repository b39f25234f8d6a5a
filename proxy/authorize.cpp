#include "proxy/authorize.hpp"

namespace keygate::proxy {
namespace {

using policy::Reason;

// The headers that a dialect names a request by, in lower case; empty: the request itself says it.
struct Names {
  std::string_view method, target, host;
};

constexpr Names names_of(config::DecisionDialect dialect) {
  switch (dialect) {
    case config::DecisionDialect::nginx:
      return {"x-original-method", "x-original-uri", {}};
    case config::DecisionDialect::forwarded:
      return {"x-forwarded-method", "x-forwarded-uri", "x-forwarded-host"};
    case config::DecisionDialect::envoy:
      return {};
  }
  return {};
}

// The one value of a field; nullopt: it is missing, empty or doubled.
std::optional<std::string_view> the_only(const RequestHead& head, std::string_view name) {
  std::optional<std::string_view> found;
  for (const policy::HeaderField& field : head.headers()) {
    if (!equals_ignoring_case(field.name, name)) {
      continue;
    }
    if (found || field.value.empty()) {
      return std::nullopt;
    }
    found = field.value;
  }
  return found;
}

// A proxy asks with an ordinary GET, whatever the client's opens. That is told by what only a handshake has: a session
// cookie is as good as none where another site's page opens the tunnel.
bool asks_for_tunnel(const RequestHead& head) {
  for (const policy::HeaderField& field : head.headers()) {
    if (equals_ignoring_case(field.name, "upgrade") || equals_ignoring_case(field.name, "sec-websocket-key")) {
      return true;
    }
  }
  return head.is_upgrade;
}

std::optional<HeadRefusal> take_method(std::string_view word, RequestHead& head) {
  const auto method = policy::parse_method(word);
  if (!method) {
    return HeadRefusal{Reason::not_implemented, "unknown method"};
  }
  if (*method == policy::Method::trace || *method == policy::Method::connect) {
    return HeadRefusal{Reason::method_not_allowed, "TRACE or CONNECT"};
  }
  head.method = *method;
  head.method_word = word;
  return std::nullopt;
}

void add_field(std::string& out, std::string_view name, std::string_view value) {
  if (!name.empty()) {
    out.append(name).append(": ").append(value).append("\r\n");
  }
}

}  // namespace

std::optional<HeadRefusal> take_original(config::DecisionDialect dialect, std::span<char> bytes,
                                         std::size_t max_target_bytes, RequestHead& head) {
  const Names names = names_of(dialect);
  head.is_original = true;
  head.is_answer_bodiless = head.method == policy::Method::head;
  head.is_asterisk = false;
  head.is_upgrade = asks_for_tunnel(head);
  if (names.target.empty()) {
    return std::nullopt;
  }
  const auto method = the_only(head, names.method);
  const auto target = the_only(head, names.target);
  const auto host = names.host.empty() ? std::optional(head.host) : the_only(head, names.host);
  if (!method || !target || !host) {
    return HeadRefusal{Reason::bad_request, "the headers that name the request are missing, or doubled"};
  }
  if (target->size() > max_target_bytes) {
    return HeadRefusal{Reason::target_too_long, "the target is too long"};
  }
  head.host = *host;
  head.target = bytes.subspan(static_cast<std::size_t>(target->data() - bytes.data()), target->size());
  return take_method(*method, head);
}

std::string write_decision(const config::IdentityHeaderSettings& names, const policy::Grant& grant,
                           const DecisionFacts& facts) {
  static const policy::Principal nobody;
  const policy::Principal& principal = grant.principal() != nullptr ? *grant.principal() : nobody;
  std::string out = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nCache-Control: no-store\r\n";
  add_field(out, names.method, policy::to_string(grant.kind()));
  add_field(out, names.organization, principal.organization);
  add_field(out, names.key, principal.key_id);
  add_field(out, names.user, principal.user);
  add_field(out, names.scopes, grant.held() != nullptr ? std::string_view(grant.held()->text) : std::string_view{});
  add_field(out, names.environment, policy::to_string(grant.environment()));
  add_field(out, "X-Keygate-Degraded", facts.is_degraded ? "true" : "");
  add_field(out, "X-Request-Id", facts.request_id);
  return out + (facts.closes ? "Connection: close\r\n\r\n" : "\r\n");
}

}  // namespace keygate::proxy
