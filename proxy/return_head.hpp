// The response head as the client gets it: the upstream's, less what concerned only its connection to us. Pure.
#pragma once

#include "config/settings.hpp"
#include "policy/rate_limit.hpp"
#include "proxy/request_head.hpp"
#include "proxy/response_head.hpp"

#include <cstddef>
#include <span>
#include <string_view>

namespace keygate::proxy {

// How the body goes to the client, whatever form it came in.
enum class BodyDelivery : std::uint8_t {
  none,
  length,      // counted: as it came
  chunks,      // chunked, as it came, extensions and trailers left out
  new_chunks,  // the upstream ends its body by closing: chunked by us, so that the client can tell the end from a break
  until_close,  // for HTTP/1.0 clients
};

BodyDelivery delivery_of(const ResponseHead& response, const RequestHead& request);

struct ReturnFacts {
  const ResponseHead& response;
  const RequestHead& request;
  BodyDelivery delivery = BodyDelivery::none;
  bool closes = false;             // the client's connection ends with this answer
  bool is_granted_by_key = false;  // an API key decided, and it came from…
  config::CredentialSource::Kind key_source = config::CredentialSource::Kind::bearer;
  const policy::Standing* standing = nullptr;  // where a rate limit has judged; an upstream's own words go
  std::string_view more_lines{};               // whole header lines besides
};

// Of what is written for `response`, without more_lines.
std::size_t return_head_bound(const ResponseHead& response);
std::size_t write_return_head(const ReturnFacts& facts, std::span<char> room);

// An interim response (RFC 9110 §15.2) as it goes on.
std::size_t write_interim_head(const ResponseHead& response, std::span<char> room);

// A 101 that agrees to WebSocket. What follows it is no HTTP.
std::size_t write_switching_head(const ResponseHead& response, std::span<char> room,
                                 const policy::Standing* standing = nullptr);

}  // namespace keygate::proxy
