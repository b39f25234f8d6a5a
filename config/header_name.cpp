#include "config/header_name.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace keygate::config {
namespace {

constexpr std::array<std::string_view, 43> occupied_names{
    // Framing and hop-by-hop (RFC 9110 section 7.6.1, RFC 9112), and what belongs to the body.
    "host", "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    "http2-settings", "content-length", "content-type", "content-encoding", "content-range", "expect", "range",
    "max-forwards", "date", "cookie", "set-cookie", "origin", "accept", "accept-encoding", "user-agent", "referer",
    // Credentials of somebody else.
    "proxy-authorization", "proxy-authenticate", "www-authenticate", "proxy-status",
    // Who forwards, for whom, and as what.
    "via", "forwarded", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "true-client-ip", "cf-connecting-ip",
    "x-http-method", "x-http-method-override", "x-method-override", "x-request-id", "traceparent", "tracestate",
    "x-url-scheme", "x-host"};

constexpr std::array<std::string_view, 5> occupied_families{"x-forwarded-", "x-original-", "x-rewrite-", "x-keygate-",
                                                            "sec-"};

std::string lower(std::string text) {
  for (auto& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

Fault not_a_name(const std::string& text) {
  return {quoted(text) + " is not a header name", "letters, digits and - will do"};
}

}  // namespace

bool is_token(const std::string& text) {
  constexpr std::string_view characters =
      "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  return !text.empty() && text.find_first_not_of(characters) == std::string::npos;
}

std::string folded_header_name(const std::string& name) {
  auto folded = lower(name);
  for (auto& c : folded) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) c = '-';
  }
  return folded;
}

bool is_occupied_header(const std::string& name) {
  const auto folded = folded_header_name(name);
  if (std::find(occupied_names.begin(), occupied_names.end(), folded) != occupied_names.end()) return true;
  return std::any_of(occupied_families.begin(), occupied_families.end(),
                     [&folded](std::string_view family) { return folded.rfind(family, 0) == 0; });
}

Parsed<std::string> parse_identity_header(const std::string& text) {
  constexpr std::size_t longest = 64;
  if (!is_token(text) || text.size() > longest) return not_a_name(text);
  if (is_occupied_header(text) || folded_header_name(text) == "authorization") {
    return Fault{quoted(text) + " has a meaning of its own and cannot carry an identity", "choose another name"};
  }
  return text;
}

Parsed<std::string> parse_credential_header(const std::string& text) {
  constexpr std::size_t longest = 64;
  if (!is_token(text) || text.size() > longest) return not_a_name(text);
  const auto folded = folded_header_name(text);
  if (folded == "authorization") return Fault{quoted(text) + " is read by the source \"bearer\"", "write bearer"};
  if (folded == "cookie") return Fault{quoted(text) + " cannot carry a credential as a whole", "write {cookie: NAME}"};
  if (is_occupied_header(text))
    return Fault{quoted(text) + " has a meaning of its own and cannot carry a credential", "choose another name"};
  return lower(text);
}

}  // namespace keygate::config
