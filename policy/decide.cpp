#include "policy/decide.hpp"

#include "policy/percent.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace keygate::policy {
namespace {

constexpr std::size_t place(Environment environment) { return static_cast<std::size_t>(environment); }

// Whether what was found out may be acted on at all. A service that contradicts the key's own prefix, or names a
// principal that cannot be put into headers, is not believed, whatever else it says (C-13, H-10).
bool is_believed(const Caller& caller) {
  if (caller.answer == nullptr) return false;
  if (caller.answer->state != KeyAnswer::State::valid) return true;
  const auto said = caller.answer->principal.environment;
  const bool contradicts =
      caller.prefix_environment != Environment::none && said != Environment::none && said != caller.prefix_environment;
  const Principal& principal = caller.answer->principal;
  const bool fits_headers =
      caller.kind == CredentialKind::session ? is_presentable_session(principal) : is_presentable(principal);
  return caller.held != nullptr && !contradicts && fits_headers;
}

// What the key's state and expiry say against it.
std::optional<Reason> key_flaw(const KeyAnswer& answer, std::int64_t now) {
  switch (answer.state) {
    case KeyAnswer::State::valid:
      break;
    case KeyAnswer::State::unknown:
      return Reason::invalid_key;
    case KeyAnswer::State::revoked:
      return Reason::revoked_key;
    case KeyAnswer::State::disabled:
      return Reason::disabled_key;
    case KeyAnswer::State::expired:
      return Reason::expired_key;
  }
  const auto expires_at = answer.principal.expires_at;
  return expires_at && now >= *expires_at ? std::optional(Reason::expired_key) : std::nullopt;
}

// A session's owner signs in again, whatever became of it.
std::optional<Reason> session_flaw(const KeyAnswer& answer, std::int64_t now) {
  const bool is_over = key_flaw(answer, now).has_value();
  return is_over ? std::optional(Reason::invalid_session) : std::nullopt;
}

// Why no principal came of the credential; nullopt: one did.
std::optional<Reason> credential_flaw(const Caller& caller, std::int64_t now) {
  switch (caller.found) {
    // The route is not anonymous, or this would not be asked: who did not look cannot vouch that nothing was there.
    case Caller::Found::not_looked:
      return Reason::missing_credential;
    case Caller::Found::nothing:
      return Reason::missing_credential;
    case Caller::Found::ambiguous:
      return Reason::ambiguous_credential;
    case Caller::Found::malformed:
      return Reason::malformed_key;
    case Caller::Found::could_not_find_out:
      return Reason::key_service_unavailable;
    case Caller::Found::over_budget:
      return Reason::too_many_unknown_keys;
    case Caller::Found::answered:
      break;
  }
  if (!is_believed(caller)) return Reason::key_service_unavailable;
  return caller.kind == CredentialKind::session ? session_flaw(*caller.answer, now) : key_flaw(*caller.answer, now);
}

// Where nobody knows the address, a key that is bound to some is used from none of them.
bool is_from_elsewhere(const Caller& caller) {
  const auto& bounds = caller.answer->principal.restrictions;
  if (!bounds || bounds->allowed_from.empty()) return false;
  return !caller.address || !is_in_any(bounds->allowed_from, *caller.address);
}

bool accepts(const Route& route, CredentialKind kind) {
  switch (kind) {
    case CredentialKind::none:
      return false;
    case CredentialKind::api_key:
      return route.accepts_api_key;
    case CredentialKind::session:
      return route.accepts_session;
    case CredentialKind::admin:
      return route.accepts_admin;
  }
  return false;
}

// Decoded as an upstream would, byte by byte: nothing is allocated.
bool names(std::string_view segment, std::string_view organization) {
  if (segment.empty() || organization.empty()) return false;
  Decoded decoded(segment);
  for (const char c : organization) {
    if (decoded.at_end() || decoded.next() != static_cast<unsigned char>(c)) return false;
  }
  return decoded.at_end();
}

// Whoever has no certificate that was verified has an empty subject, which no route lists.
bool shows_certificate(const Route& route, const Caller& caller) {
  return route.client_subjects.empty() ||
         std::ranges::find(route.client_subjects, caller.client_subject) != route.client_subjects.end();
}

std::optional<Reason> route_flaw(const Route& route, const RequestTarget& target, const Caller& caller,
                                 Environment environment) {
  if (!accepts(route, caller.kind)) return Reason::credential_not_accepted;
  if (caller.is_cross_site) return Reason::cross_site;
  if (route.environment != Environment::none && route.environment != environment) return Reason::wrong_environment;
  if (route.upstream[place(environment)] == no_upstream) return Reason::wrong_environment;
  if (route.organization_segment && caller.kind != CredentialKind::admin &&
      !names(segment(target.path(), *route.organization_segment), caller.answer->principal.organization)) {
    return Reason::wrong_organization;
  }
  const auto& held = caller.held->set;
  const bool has_scopes = held.covers(route.all_scopes) && (route.any_scopes.empty() || held.meets(route.any_scopes));
  return has_scopes ? std::nullopt : std::optional(Reason::insufficient_scope);
}

// Only of a key that may be believed is its environment known.
Environment environment_of(const Caller& caller) {
  if (caller.prefix_environment != Environment::none) return caller.prefix_environment;
  const bool is_known = caller.answer != nullptr && caller.answer->state == KeyAnswer::State::valid;
  return is_known ? caller.answer->principal.environment : Environment::none;
}

// What says something against this caller, and nothing against the request: all else is refused in shadow mode too.
bool is_shadowed(Reason reason) {
  constexpr std::array reasons{Reason::missing_credential,
                               Reason::malformed_key,
                               Reason::invalid_key,
                               Reason::expired_key,
                               Reason::revoked_key,
                               Reason::disabled_key,
                               Reason::invalid_session,
                               Reason::insufficient_scope,
                               Reason::wrong_organization,
                               Reason::cross_site,
                               Reason::credential_not_accepted};
  return std::find(reasons.begin(), reasons.end(), reason) != reasons.end();
}

bool is_let_through(const Route& route, const Caller& caller, Reason reason, Environment environment,
                    std::int64_t now) {
  const bool is_in_shadow = route.shadow_until && now < *route.shadow_until;
  if (!is_in_shadow || caller.kind == CredentialKind::admin || !is_shadowed(reason)) return false;
  const bool is_in_environment = route.environment == Environment::none || route.environment == environment;
  return is_in_environment && route.upstream[place(environment)] != no_upstream;
}

// The credential is good, and so is the name that the upstream hears. Not of a page of another site: what it has a
// browser do is not what the browser's user asked for.
bool has_principal(Reason reason) {
  return reason == Reason::insufficient_scope || reason == Reason::wrong_organization ||
         reason == Reason::credential_not_accepted;
}

}  // namespace

Decision decide(const Policy& policy, const Route* route, const RequestTarget& target, const Caller& caller,
                std::int64_t now) {
  if (route == nullptr) return Denial{policy.unmatched_is_404 ? Reason::no_route_as_404 : Reason::no_route, nullptr};

  if (!shows_certificate(*route, caller)) return Denial{Reason::certificate_not_accepted, route};
  const bool passes_without = route->access == Access::anonymous ||
                              (route->access == Access::optional && caller.found == Caller::Found::nothing);
  if (passes_without) {
    const auto upstream = route->upstream[place(Environment::none)];
    if (upstream == no_upstream) return Denial{Reason::wrong_environment, route};
    return Grant(*route, upstream);
  }

  const auto environment = environment_of(caller);
  auto flaw = credential_flaw(caller, now);
  if (!flaw && is_from_elsewhere(caller)) flaw = Reason::address_not_allowed;
  if (!flaw) flaw = route_flaw(*route, target, caller, environment);
  const auto upstream = route->upstream[place(environment)];
  if (!flaw) return Grant(*route, upstream, caller, environment);
  if (!is_let_through(*route, caller, *flaw, environment, now)) return Denial{*flaw, route};
  const bool is_named = has_principal(*flaw) && !caller.is_cross_site;
  Grant grant = is_named ? Grant(*route, upstream, caller, environment) : Grant(*route, upstream);
  grant.shadowed_ = *flaw;
  return grant;
}

}  // namespace keygate::policy
