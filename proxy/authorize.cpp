#include "proxy/authorize.hpp"

#include <algorithm>

namespace keygate::proxy {
namespace {

using policy::Reason;

// The headers that a dialect names a request by, in lower case; empty: the request itself says it.
struct Names {
  std::string_view method, target, host;
};

constexpr Names by_nginx{"x-original-method", "x-original-uri", {}};
constexpr Names by_others{"x-forwarded-method", "x-forwarded-uri", "x-forwarded-host"};

constexpr Names names_of(config::DecisionDialect dialect) {
  switch (dialect) {
    case config::DecisionDialect::nginx:
      return by_nginx;
    case config::DecisionDialect::forwarded:
      return by_others;
    case config::DecisionDialect::envoy:
      return {};
  }
  return {};
}

// A header of another dialect's that names another request: somebody is mistaken, or was made to be (P-21).
bool is_contradicted(const RequestHead& head, std::string_view method, std::string_view target) {
  for (const policy::HeaderField& field : head.headers()) {
    const bool is_method =
        equals_ignoring_case(field.name, by_nginx.method) || equals_ignoring_case(field.name, by_others.method);
    const bool is_target =
        equals_ignoring_case(field.name, by_nginx.target) || equals_ignoring_case(field.name, by_others.target);
    if ((is_method && field.value != method) || (is_target && field.value != target)) {
      return true;
    }
  }
  return false;
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

// What a connection is to become, behind which nobody is asked any more: a WebSocket, or nothing. A proxy that hands on
// another one, h2c for one, would tunnel requests that nobody has judged. (Two lines of it are refused as any
// request's.)
bool asks_for_another_protocol(const RequestHead& head) {
  return std::ranges::any_of(head.headers(), [](const policy::HeaderField& field) {
    return equals_ignoring_case(field.name, "upgrade") && !equals_ignoring_case(field.value, "websocket");
  });
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

// "http, https"
bool names_https(std::string_view list) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string_view word = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    word.remove_prefix(std::min(word.find_first_not_of(" \t"), word.size()));
    word = word.substr(0, word.find_last_not_of(" \t") + 1);
    if (equals_ignoring_case(word, "https")) {
      return true;
    }
  }
  return false;
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

}  // namespace

std::optional<HeadRefusal> take_original(config::DecisionDialect dialect, std::span<char> bytes,
                                         std::size_t max_target_bytes, RequestHead& head) {
  const Names names = names_of(dialect);
  const std::string_view line_target(head.target.data(), head.target.size());
  head.is_original = true;
  head.is_answer_bodiless = head.method == policy::Method::head;
  head.is_asterisk = false;
  head.is_upgrade = asks_for_tunnel(head);
  const bool is_line = names.target.empty();
  const auto method = is_line ? std::optional(head.method_word) : the_only(head, names.method);
  const auto target = is_line ? std::optional(line_target) : the_only(head, names.target);
  const auto host = names.host.empty() ? std::optional(head.host) : the_only(head, names.host);
  if (!method || !target || !host) {
    return HeadRefusal{Reason::bad_request, "the headers that name the request are missing, empty or doubled"};
  }
  if (is_contradicted(head, *method, *target)) {
    return HeadRefusal{Reason::bad_request, "headers of another dialect name another request"};
  }
  if (asks_for_another_protocol(head)) {
    return HeadRefusal{Reason::bad_request, "Upgrade names another protocol than websocket"};
  }
  if (is_line) {
    return std::nullopt;
  }
  const auto end = static_cast<std::size_t>(target->data() - bytes.data()) + target->size();
  if (end < bytes.size() && (bytes[end] == ' ' || bytes[end] == '\t')) {
    return HeadRefusal{Reason::bad_request, "a blank follows the target"};
  }
  if (target->size() > max_target_bytes) {
    return HeadRefusal{Reason::target_too_long, "the target is too long"};
  }
  head.host = *host;
  head.target = bytes.subspan(static_cast<std::size_t>(target->data() - bytes.data()), target->size());
  return take_method(*method, head);
}

// Every proxy on the way adds a word, and the client's own came by one of them: the stricter one counts.
bool is_said_to_be_secure(const RequestHead& head) {
  return std::ranges::any_of(head.headers(), [](const policy::HeaderField& field) {
    return equals_ignoring_case(field.name, "x-forwarded-proto") && names_https(field.value);
  });
}

}  // namespace keygate::proxy
