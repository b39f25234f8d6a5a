// THE table: every reason for which a request ends, with its status, code, public sentence, whose fault it is, and when
// to try again. Replies, logs, metrics and docs are all read from here (docs/errors.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace keygate::policy {

enum class Reason : std::uint8_t {
  ok,
  bad_request,
  ambiguous_path,
  ambiguous_credential,
  missing_credential,
  malformed_key,
  invalid_key,
  expired_key,
  revoked_key,
  disabled_key,
  invalid_session,
  insufficient_scope,
  wrong_organization,
  wrong_environment,
  credential_not_accepted,
  certificate_not_accepted,
  address_not_allowed,
  cross_site,
  no_route,
  no_route_as_404,  // the same code with the status that `unmatched: 404` asks for
  method_not_allowed,
  request_timeout,
  body_too_large,
  target_too_long,
  expectation_failed,
  misdirected_request,
  upgrade_required,
  header_too_large,
  rate_limited,
  too_many_unknown_keys,
  not_implemented,
  version_not_supported,
  loop_detected,
  upstream_unreachable,
  upstream_protocol_error,
  key_service_unavailable,
  no_healthy_upstream,
  overloaded,
  draining,
  upstream_timeout,
  client_closed,       // log only: the client left before it had its answer
  upstream_truncated,  // log only: the upstream's body broke off after its head had been sent on
  tunnel_timeout,      // log only: ended by us, as it stood still or had been open for long
};

enum class Fault : std::uint8_t { nobody, client, upstream, dependency, proxy };

struct ReasonRow {
  Reason reason;
  int status;  // 499 and 0 never go on the wire
  std::string_view code;
  std::string_view title;   // the status phrase of the problem body
  std::string_view detail;  // one public sentence: no key, no scope held, no internal address
  Fault fault;
  int retry_after;  // seconds; 0: no Retry-After
};

const ReasonRow& row(Reason reason);
std::span<const ReasonRow> reasons();

// The phrase for a status line ("Forbidden"); "Unknown" for a status the table does not use.
std::string_view phrase(int status);

}  // namespace keygate::policy
