// The answers that we make ourselves: problem bodies (RFC 9457) read from the reason table. Pure.
#pragma once

#include "policy/method.hpp"
#include "policy/reason.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace keygate::proxy {

struct ReplyFacts {
  policy::Reason reason = policy::Reason::bad_request;
  std::string_view request_id;
  std::string_view required_scopes;  // of the route, one blank between two; for insufficient_scope
  std::string_view proxy_error;      // RFC 9209 error type; for answers of 500 and above
  std::string_view rate_fields;      // whole lines, where a rate limit has judged
  std::int64_t retry_after = 0;      // seconds, for rate_limited
  bool is_head = false;              // the body is left out, its length is not
  bool closes = true;
  bool is_minimal = false;        // one body for every 401
  bool names_code = false;        // X-Keygate-Code, for a proxy that does not read bodies
  std::string_view more_lines{};  // whole header lines besides
};

// The whole message.
std::string write_reply(const ReplyFacts& facts);

// Without a body: 200 to `OPTIONS *`, 204 to a preflight. `more_lines` are whole header lines.
std::string write_empty_reply(int status, std::string_view more_lines, bool closes);

}  // namespace keygate::proxy
