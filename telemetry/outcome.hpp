// The facts of one finished exchange: all that logs and metrics ever see (docs/configuration.md). Filled once by
// proxy's exchange and handed over once. Never holds a key, a cookie or a query string.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace keygate::telemetry {

// Every view is valid for the duration of the call that hands the Outcome over, and no longer. Empty: not known, or
// none.
struct Outcome {
  std::chrono::system_clock::time_point started;
  std::string_view request_id;
  std::string_view trace_id;        // where tracing is on
  std::string_view client;          // the client's address as policy sees it
  std::string_view client_subject;  // of the certificate it showed
  std::string_view method;
  std::string_view host;  // canonical
  std::string_view path;  // canonical, no query
  std::string_view route;
  std::string_view code;         // of the reason table; "ok" for a grant that went well
  std::string_view shadow_code;  // what a route in shadow mode would have refused it for
  int status = 0;                // what the client was sent; 0: nothing
  std::string_view key_id;
  std::string_view organization_id;
  std::string_view environment;
  std::string_view auth_method;
  std::string_view scopes;           // held
  std::string_view grants;           // what the key was granted, where these are not the same
  std::string_view required_scopes;  // of the route, where they were lacking
  std::string_view remedy;           // what would have to change, for who develops: no log of a proxy in service has it
  std::string_view conditions;       // names of the header criteria that the route matched on
  std::string_view source;           // memory, or the name of the source that answered
  std::int64_t age_ms = -1;          // of the record that decided; -1: none did
  bool is_degraded = false;          // that record was past the bound, and nobody could be asked
  std::uint64_t generation = 0;
  std::uint64_t bytes_in = 0;   // body bytes received from the client
  std::uint64_t bytes_out = 0;  // body bytes sent to the client
  std::chrono::microseconds duration{0};
  std::chrono::nanoseconds auth{0};
  std::string_view upstream;
  std::chrono::microseconds upstream_wait{-1};  // from the request's last byte to the response's head; -1: never asked
  // For metrics: what the names above are, by number.
  std::uint8_t reason_number = 0;  // policy::Reason of `code`
  std::uint8_t shadow_number = 0;  // where is_shadowed: the reason it would have been denied for
  bool is_shadowed = false;        // let through only because its route is in shadow
  bool was_judged = false;         // it came so far that somebody asked who it is: `auth` says how long that took
  std::int32_t route_number = -1;  // in its generation's policy; -1: none
};

}  // namespace keygate::telemetry
