// Every reason for which the key server refuses, with its status, code and public sentence; docs/errors.md has each.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace keygate::app {

enum class ApiReason : std::uint8_t {
  bad_request,
  missing_credential,
  invalid_token,
  token_not_accepted,
  wrong_organization,
  insufficient_scope,
  not_found,
  method_not_allowed,
  conflict,
  body_too_large,
  invalid_scope,
  invalid_field,
  header_too_large,
  store_unavailable,
  overloaded,
};

struct ApiRow {
  ApiReason reason;
  int status;
  std::string_view code;
  std::string_view title;
  std::string_view detail;  // where nothing more exact is known
};

const ApiRow& row(ApiReason reason);
std::span<const ApiRow> api_reasons();

}  // namespace keygate::app
