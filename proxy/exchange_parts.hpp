// The large parts of an exchange, which its worker keeps between exchanges.
#pragma once

#include "policy/rate_limit.hpp"
#include "proxy/exchange_trace.hpp"
#include "proxy/request_head.hpp"
#include "proxy/response_head.hpp"

#include <array>
#include <optional>

namespace keygate::proxy {

struct ExchangeParts {
  RequestHead request;
  ResponseHead response;
  std::array<char, 32> request_id;
  std::array<char, 512> host;
  ExchangeTrace trace;
  std::optional<policy::Standing> standing;  // once a rate limit has judged: every answer from then on says so
};

}  // namespace keygate::proxy
