#include "policy/reason.hpp"

#include <array>

namespace keygate::policy {
namespace {

constexpr std::array rows{
    ReasonRow{Reason::ok, 200, "ok", "OK", "The request was let through.", Fault::nobody, 0},

    ReasonRow{Reason::bad_request, 400, "bad_request", "Bad Request",
              "The request is not valid HTTP/1.1, or its headers or body framing are ambiguous.", Fault::client, 0},
    ReasonRow{Reason::ambiguous_path, 400, "ambiguous_path", "Bad Request",
              "The path can be read in more than one way: send it without dot segments, empty segments, semicolons, "
              "backslashes, and escaped separators or control characters.",
              Fault::client, 0},
    ReasonRow{Reason::ambiguous_credential, 400, "ambiguous_credential", "Bad Request",
              "The request carries more than one credential: send exactly one.", Fault::client, 0},

    ReasonRow{Reason::missing_credential, 401, "missing_credential", "Unauthorized",
              "This request needs an API key: send it as \"Authorization: Bearer <key>\".", Fault::client, 0},
    ReasonRow{Reason::malformed_key, 401, "malformed_key", "Unauthorized",
              "The credential is not of the form that an API key has here: check that it was copied whole.",
              Fault::client, 0},
    ReasonRow{Reason::invalid_key, 401, "invalid_key", "Unauthorized", "No API key like this one exists.",
              Fault::client, 0},
    ReasonRow{Reason::expired_key, 401, "expired_key", "Unauthorized", "The API key has expired: create a new one.",
              Fault::client, 0},
    ReasonRow{Reason::revoked_key, 401, "revoked_key", "Unauthorized",
              "The API key has been revoked, which is permanent: create a new one.", Fault::client, 0},
    ReasonRow{Reason::disabled_key, 401, "disabled_key", "Unauthorized",
              "The API key is disabled: ask its owner to enable it.", Fault::client, 0},
    ReasonRow{Reason::invalid_session, 401, "invalid_session", "Unauthorized",
              "The session is unknown or has ended: sign in again.", Fault::client, 0},

    ReasonRow{Reason::insufficient_scope, 403, "insufficient_scope", "Forbidden",
              "The API key is valid but lacks a scope that this request requires.", Fault::client, 0},
    ReasonRow{Reason::wrong_organization, 403, "wrong_organization", "Forbidden",
              "The API key does not belong to the organization that the path names.", Fault::client, 0},
    ReasonRow{Reason::wrong_environment, 403, "wrong_environment", "Forbidden",
              "This request is not open to the environment, live or test, of the API key.", Fault::client, 0},
    ReasonRow{Reason::credential_not_accepted, 403, "credential_not_accepted", "Forbidden",
              "This request does not accept a credential of this kind.", Fault::client, 0},
    ReasonRow{Reason::certificate_not_accepted, 403, "certificate_not_accepted", "Forbidden",
              "This request is open to clients with certain TLS certificates only.", Fault::client, 0},
    ReasonRow{Reason::address_not_allowed, 403, "address_not_allowed", "Forbidden",
              "The API key may not be used from this address.", Fault::client, 0},
    ReasonRow{Reason::cross_site, 403, "cross_site", "Forbidden",
              "A session cookie was sent with a request from another site, or one that does not say where it is from.",
              Fault::client, 0},
    ReasonRow{Reason::no_route, 403, "no_route", "Forbidden", "No route allows this method on this path: check both.",
              Fault::client, 0},
    ReasonRow{Reason::no_route_as_404, 404, "no_route", "Not Found",
              "There is nothing here for this method and path: check both.", Fault::client, 0},

    ReasonRow{Reason::method_not_allowed, 405, "method_not_allowed", "Method Not Allowed",
              "TRACE and CONNECT are not available.", Fault::client, 0},
    ReasonRow{Reason::request_timeout, 408, "request_timeout", "Request Timeout", "The request did not arrive in time.",
              Fault::client, 0},
    ReasonRow{Reason::body_too_large, 413, "body_too_large", "Content Too Large",
              "The request body is larger than is accepted.", Fault::client, 0},
    ReasonRow{Reason::target_too_long, 414, "target_too_long", "URI Too Long",
              "The path and query together are longer than is accepted.", Fault::client, 0},
    ReasonRow{Reason::expectation_failed, 417, "expectation_failed", "Expectation Failed",
              "The only expectation that can be met is \"100-continue\".", Fault::client, 0},
    ReasonRow{Reason::misdirected_request, 421, "misdirected_request", "Misdirected Request",
              "The request target and the Host header name different hosts.", Fault::client, 0},
    ReasonRow{Reason::upgrade_required, 426, "upgrade_required", "Upgrade Required",
              "The only version of WebSocket that is spoken here is 13.", Fault::client, 0},
    ReasonRow{Reason::header_too_large, 431, "header_too_large", "Request Header Fields Too Large",
              "The request headers are larger, or more, than are accepted.", Fault::client, 0},
    ReasonRow{Reason::rate_limited, 429, "rate_limited", "Too Many Requests",
              "There have been as many requests as are allowed in this time: wait, and try again.", Fault::client, 1},
    ReasonRow{Reason::too_many_unknown_keys, 429, "too_many_unknown_keys", "Too Many Requests",
              "Too many API keys that do not exist came from this address: check the key, and try again.",
              Fault::client, 1},
    ReasonRow{Reason::not_implemented, 501, "not_implemented", "Not Implemented",
              "The request method is not known here.", Fault::client, 0},
    ReasonRow{Reason::version_not_supported, 505, "version_not_supported", "HTTP Version Not Supported",
              "Only HTTP/1.1 and HTTP/1.0 are spoken here.", Fault::client, 0},
    ReasonRow{Reason::loop_detected, 508, "loop_detected", "Loop Detected",
              "The request has passed through this proxy too many times.", Fault::proxy, 0},

    ReasonRow{Reason::upstream_unreachable, 502, "upstream_unreachable", "Bad Gateway",
              "The service behind this proxy could not be reached.", Fault::upstream, 0},
    ReasonRow{Reason::upstream_protocol_error, 502, "upstream_protocol_error", "Bad Gateway",
              "The service behind this proxy did not answer in valid HTTP.", Fault::upstream, 0},

    ReasonRow{Reason::key_service_unavailable, 503, "key_service_unavailable", "Service Unavailable",
              "The API key could not be checked just now, which says nothing against it: try again.", Fault::dependency,
              1},
    ReasonRow{Reason::no_healthy_upstream, 503, "no_healthy_upstream", "Service Unavailable",
              "The service behind this proxy is not healthy just now: try again.", Fault::upstream, 1},
    ReasonRow{Reason::overloaded, 503, "overloaded", "Service Unavailable",
              "There are more requests just now than can be served: try again.", Fault::proxy, 1},
    ReasonRow{Reason::draining, 503, "draining", "Service Unavailable", "This proxy is shutting down: try again.",
              Fault::proxy, 1},

    ReasonRow{Reason::upstream_timeout, 504, "upstream_timeout", "Gateway Timeout",
              "The service behind this proxy did not answer in time.", Fault::upstream, 0},

    ReasonRow{Reason::client_closed, 499, "client_closed", "Client Closed Request",
              "The client left before it had its answer.", Fault::client, 0},
    ReasonRow{Reason::upstream_truncated, 0, "upstream_truncated", "Broken Off",
              "The response broke off before its end.", Fault::upstream, 0},
    ReasonRow{Reason::tunnel_timeout, 0, "tunnel_timeout", "Broken Off",
              "The tunnel stood still, or was open, for longer than is allowed.", Fault::nobody, 0},
};

// row() indexes the table by the enumerator, so a row out of place would answer with another reason's status.
constexpr bool is_in_order() {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (static_cast<std::size_t>(rows[i].reason) != i) return false;
  }
  return rows.size() == static_cast<std::size_t>(Reason::tunnel_timeout) + 1;
}
static_assert(is_in_order(), "every reason has exactly one row, in the order of the enumeration");

}  // namespace

const ReasonRow& row(Reason reason) { return rows[static_cast<std::size_t>(reason)]; }

std::span<const ReasonRow> reasons() { return rows; }

std::string_view phrase(int status) {
  for (const auto& row : rows) {
    if (row.status == status) return row.title;
  }
  return "Unknown";
}

}  // namespace keygate::policy
