#include "proxy/reply.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace keygate::proxy {
namespace {

using policy::Reason;
using policy::ReasonRow;

// What a 401 says where it must not tell one cause from another (C-10).
constexpr std::string_view minimal_code = "unauthorized";
constexpr std::string_view minimal_detail = "This request needs a valid API key.";

boost::json::array words(std::string_view text) {
  boost::json::array list;
  while (!text.empty()) {
    const std::size_t blank = text.find(' ');
    list.emplace_back(boost::json::string_view(text.data(), std::min(blank, text.size())));
    text = blank == std::string_view::npos ? std::string_view{} : text.substr(blank + 1);
  }
  return list;
}

boost::json::string_view json_view(std::string_view text) { return {text.data(), text.size()}; }

std::int64_t retry_after(const ReplyFacts& facts, const ReasonRow& row) {
  return facts.reason == Reason::rate_limited && facts.retry_after > 0 ? facts.retry_after : row.retry_after;
}

std::string body_of(const ReplyFacts& facts, const ReasonRow& row) {
  const bool is_minimal = facts.is_minimal && row.status == 401;
  const std::string_view code = is_minimal ? minimal_code : row.code;
  boost::json::object body;
  body["type"] = "urn:keygate:error:" + std::string(code);
  body["title"] = json_view(row.title);
  body["status"] = row.status;
  body["code"] = json_view(code);
  body["detail"] = json_view(is_minimal ? minimal_detail : row.detail);
  body["request_id"] = json_view(facts.request_id);
  if (facts.reason == Reason::insufficient_scope && !facts.required_scopes.empty()) {
    body["required_scopes"] = words(facts.required_scopes);
  }
  if (const std::int64_t seconds = retry_after(facts, row); seconds > 0) {
    body["retry_after"] = seconds;
  }
  return boost::json::serialize(body) + "\n";
}

// RFC 6750 §3: no error code where no credential was sent.
std::string challenge(const ReplyFacts& facts, const ReasonRow& row) {
  if (row.status == 401) {
    const bool has_error = facts.reason != Reason::missing_credential && !facts.is_minimal;
    return std::string("WWW-Authenticate: Bearer realm=\"keygate\"") +
           (has_error ? ", error=\"invalid_token\"\r\n" : "\r\n");
  }
  if (facts.reason == Reason::insufficient_scope) {
    return "WWW-Authenticate: Bearer realm=\"keygate\", error=\"insufficient_scope\", scope=\"" +
           std::string(facts.required_scopes) + "\"\r\n";
  }
  return {};
}

// The RFC 9209 error type for an answer of 500 and above that no upstream was asked for.
std::string_view own_error(Reason reason) {
  switch (reason) {
    case Reason::not_implemented:
    case Reason::version_not_supported:
      return "http_request_error";
    case Reason::loop_detected:
      return "proxy_loop_detected";
    case Reason::overloaded:
      return "connection_limit_reached";
    default:  // a dependency of ours, or our own state
      return "proxy_internal_error";
  }
}

}  // namespace

std::string write_reply(const ReplyFacts& facts) {
  const ReasonRow& row = policy::row(facts.reason);
  const std::string body = body_of(facts, row);
  std::string out = "HTTP/1.1 " + std::to_string(row.status) + " " + std::string(policy::phrase(row.status)) + "\r\n";
  out += "Content-Type: application/problem+json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  out += "Cache-Control: no-store\r\n";
  out += challenge(facts, row);
  if (row.status == 405) {
    out += "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n";
  }
  if (const std::int64_t seconds = retry_after(facts, row); seconds > 0) {
    out += "Retry-After: " + std::to_string(seconds) + "\r\n";
  }
  out += facts.rate_fields;
  if (row.status >= 500) {
    const std::string_view error = facts.proxy_error.empty() ? own_error(facts.reason) : facts.proxy_error;
    out += "Proxy-Status: keygate; error=" + std::string(error) + "\r\n";
  }
  if (row.status == 426) {  // with the fields that RFC 9110 §15.5.22 and RFC 6455 §4.4 ask for
    out += "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nConnection: upgrade\r\n";
  }
  if (facts.names_code) {
    const bool is_minimal = facts.is_minimal && row.status == 401;
    out += "X-Keygate-Code: " + std::string(is_minimal ? minimal_code : row.code) + "\r\n";
  }
  out += facts.more_lines;
  out += facts.closes ? "Connection: close\r\n\r\n" : "\r\n";
  if (!facts.is_head) {
    out += body;
  }
  return out;
}

std::string write_empty_reply(int status, std::string_view more_lines, bool closes) {
  // RFC 9110 §8.6: a 204 has no length.
  std::string out = status == 204 ? "HTTP/1.1 204 No Content\r\n" : "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n";
  out += more_lines;
  out += closes ? "Connection: close\r\n\r\n" : "\r\n";
  return out;
}

}  // namespace keygate::proxy
