// May this request pass? The one function that makes a Grant, and so the only way to an upstream. Pure: `now` is passed
// in, nothing is looked up, nothing is allocated, no decision is ever kept.
#pragma once

#include "policy/policy.hpp"
#include "policy/principal.hpp"
#include "policy/reason.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

namespace keygate::policy {

// What is known of the caller once its credential, if it has one, has been looked at.
struct Caller {
  enum class Found : std::uint8_t {
    not_looked,          // the route is anonymous: nothing was extracted
    nothing,             // no credential was presented
    ambiguous,           // two that differ
    malformed,           // one that fits no format
    could_not_find_out,  // a dependency failed: never a denial of the caller's credential
    over_budget,         // not looked up: its address has presented too many unknown keys
    answered,            // `answer` and, where it is valid, `held` are set
  };
  Found found = Found::nothing;
  CredentialKind kind = CredentialKind::none;
  Environment prefix_environment = Environment::none;  // what the key's format says; none: it says nothing
  const KeyAnswer* answer = nullptr;
  const Held* held = nullptr;
  std::string_view client_subject{};  // of the certificate that the client showed, as RFC 2253 writes it; empty: none
  std::optional<AddressBytes> address{};  // of the client; nullopt: nobody knows it
  bool is_cross_site = false;             // a session cookie with an unsafe method, and not from the same origin
};

struct Denial {
  Reason reason = Reason::no_route;
  const Route* route = nullptr;  // null: none matched
};

class Grant;
using Decision = std::variant<Denial, Grant>;

// Permission to forward one request. Views what decide() was given; must not outlive it.
class Grant {
 public:
  const Route& route() const { return *route_; }
  CredentialKind kind() const { return kind_; }
  const Principal* principal() const { return principal_; }  // null: anonymous
  const Held* held() const { return held_; }                 // null: anonymous
  std::size_t upstream() const { return upstream_; }         // index into Settings::upstreams
  // The one that was judged: what the key's format says, or else what the principal says.
  Environment environment() const { return environment_; }
  // Of a route in shadow mode: what it would have been refused for; ok: it meets what the route asks for. There is a
  // principal only where the credential was good, and the route alone not for it.
  Reason shadowed() const { return shadowed_; }

 private:
  friend Decision decide(const Policy&, const Route*, const RequestTarget&, const Caller&, std::int64_t);
  Grant(const Route& route, std::size_t upstream) : route_(&route), upstream_(upstream) {}  // anonymous
  Grant(const Route& route, std::size_t upstream, const Caller& caller, Environment environment)
      : route_(&route),
        principal_(&caller.answer->principal),
        held_(caller.held),
        upstream_(upstream),
        kind_(caller.kind),
        environment_(environment) {}

  const Route* route_;
  const Principal* principal_ = nullptr;
  const Held* held_ = nullptr;
  std::size_t upstream_;
  CredentialKind kind_ = CredentialKind::none;
  Environment environment_ = Environment::none;
  Reason shadowed_ = Reason::ok;
};

// `route` is what policy.table.match found, or nullptr. `now` is unix seconds. Order of judgement: no route, client
// certificate, anonymous, ambiguous, missing, malformed, could not find out, unknown, revoked, disabled, expired, the
// client's address, kind accepted, cross-site, environment, organization (admin excepted), scopes. A valid answer that
// contradicts prefix_environment, or is not presentable, is "could not find out". A denial by a route in shadow mode is
// a Grant, unless it is of a kind that is never let through (docs/policy.md).
Decision decide(const Policy& policy, const Route* route, const RequestTarget& target, const Caller& caller,
                std::int64_t now);

}  // namespace keygate::policy
