#include "app/key_api_reason.hpp"

#include <array>

namespace keygate::app {
namespace {

constexpr std::array rows{
    ApiRow{ApiReason::bad_request, 400, "bad_request", "Bad Request", "The request is not what this operation takes."},
    ApiRow{ApiReason::missing_credential, 401, "missing_credential", "Unauthorized",
           "This request needs a token: send it as \"Authorization: Bearer <token>\"."},
    ApiRow{ApiReason::invalid_token, 401, "invalid_token", "Unauthorized", "This is none of the key server's tokens."},
    ApiRow{ApiReason::token_not_accepted, 403, "credential_not_accepted", "Forbidden",
           "The token is good, but not for this operation."},
    ApiRow{ApiReason::wrong_organization, 403, "wrong_organization", "Forbidden",
           "The request is not on behalf of the organization that it names, or of none."},
    ApiRow{ApiReason::insufficient_scope, 403, "insufficient_scope", "Forbidden",
           "The key can do what the one who asks may not."},
    ApiRow{ApiReason::not_found, 404, "not_found", "Not Found", "There is nothing here."},
    ApiRow{ApiReason::method_not_allowed, 405, "method_not_allowed", "Method Not Allowed",
           "This path does not have this method."},
    ApiRow{ApiReason::conflict, 409, "conflict", "Conflict",
           "The key is revoked or has expired, which is for good: create a new one."},
    ApiRow{ApiReason::body_too_large, 413, "body_too_large", "Content Too Large", "A body has at most 64 KiB here."},
    ApiRow{ApiReason::invalid_scope, 422, "invalid_scope", "Unprocessable Content", "A scope cannot be granted."},
    ApiRow{ApiReason::invalid_field, 422, "invalid_field", "Unprocessable Content", "A field of the key cannot be."},
    ApiRow{ApiReason::header_too_large, 431, "header_too_large", "Request Header Fields Too Large",
           "The request headers are larger than is accepted."},
    ApiRow{ApiReason::store_unavailable, 503, "key_service_unavailable", "Service Unavailable",
           "The key store cannot be read or written just now: try again."},
    ApiRow{ApiReason::overloaded, 503, "overloaded", "Service Unavailable",
           "There are more requests just now than can be served: try again."},
};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (static_cast<std::size_t>(rows[i].reason) != i) return false;
  }
  return rows.size() == static_cast<std::size_t>(ApiReason::overloaded) + 1;
}
static_assert(is_in_order(), "every reason has exactly one row, in the order of the enumeration");

}  // namespace

const ApiRow& row(ApiReason reason) { return rows[static_cast<std::size_t>(reason)]; }

std::span<const ApiRow> api_reasons() { return rows; }

}  // namespace keygate::app
