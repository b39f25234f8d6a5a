#include "policy/readings.hpp"

#include "policy/percent.hpp"
#include "policy/set_header.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <variant>

namespace keygate::policy {
namespace {

constexpr std::string_view escaped_slash = "%2F";  // as it stands in a canonical path

// What whoever passes `route` holds at least.
ScopeSet held_by_all(const Route& route, const Catalogue& catalogue) {
  ScopeSet held;
  for (std::size_t number = 0; number < catalogue.size(); ++number) {
    if (route.all_scopes.has(number)) held |= catalogue[number].implied;
  }
  return held;
}

bool asks_scopes(const Route& one, const Route& other, const Catalogue& catalogue) {
  const ScopeSet held = held_by_all(one, catalogue);
  const bool asks_any = other.any_scopes.empty() || held.meets(other.any_scopes) ||
                        (!one.any_scopes.empty() && other.any_scopes.covers(one.any_scopes));
  return held.covers(other.all_scopes) && asks_any;
}

bool takes_no_more(const Route& one, const Route& other) {
  return one.accepts_api_key <= other.accepts_api_key && one.accepts_session <= other.accepts_session &&
         one.accepts_admin <= other.accepts_admin;
}

// A page of another site may act with a session on the one and not on the other.
bool asks_origin(const Route& one, const Route& other) {
  return one.cors == nullptr || !one.accepts_session || one.cors == other.cors;
}

bool passes_no_other_environment(const Route& one, const Route& other) {
  for (std::size_t place = 0; place < one.upstream.size(); ++place) {
    if (one.upstream[place] != no_upstream && other.upstream[place] == no_upstream) return false;
  }
  return other.environment == Environment::none || one.environment == other.environment;
}

// Whether whoever passes `one` would pass `other` as well, and be passed on as there, as far as that shows without
// trying every caller. The organization's segment is the same text in both readings: places_are_kept.
bool is_as_strict(const Route& one, const Route& other, const Catalogue& catalogue) {
  if (&one == &other) return true;
  const bool asks_subjects = other.client_subjects.empty() || one.client_subjects == other.client_subjects;
  if (!asks_subjects || !other.limits.empty() || other.set_headers != nullptr) return false;
  if (other.access == Access::anonymous) return true;
  if (!passes_no_other_environment(one, other)) return false;
  const bool asks_credential = one.access == Access::required || one.access == other.access;
  const bool asks_organization = !other.organization_segment || one.organization_segment == other.organization_segment;
  const bool is_enforced = !one.shadow_until || one.shadow_until == other.shadow_until;
  return asks_credential && takes_no_more(one, other) && asks_scopes(one, other, catalogue) && asks_organization &&
         asks_origin(one, other) && is_enforced;
}

// How many segments have to stand where they are: up to the last whose place says what it means, as the organization or
// in a header.
std::size_t placed_segments(const Route& route) {
  std::size_t count = route.organization_segment ? *route.organization_segment + 1 : 0;
  if (route.set_headers == nullptr) return count;
  for (const SetHeader& header : *route.set_headers) {
    for (const HeaderPiece& piece : header.pieces) {
      const bool is_of_path = piece.kind == HeaderPiece::Kind::segment || piece.kind == HeaderPiece::Kind::rest;
      if (is_of_path) count = std::max(count, piece.segment + 1);
    }
  }
  return count;
}

// Whether none but the last of those segments has an escaped slash: behind one, all others move on.
bool places_are_kept(const Route& route, std::string_view path) {
  const std::size_t count = placed_segments(route);
  for (std::size_t number = 0; number + 1 < count; ++number) {
    if (segment(path, number).find(escaped_slash) != std::string_view::npos) return false;
  }
  return true;
}

// Slashes in a row are one to many who decode them.
std::string with_slashes_decoded(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const bool is_escaped = path.starts_with(escaped_slash);
    const char c = is_escaped ? '/' : path.front();
    if (c != '/' || out.empty() || out.back() != '/') out += c;
    path.remove_prefix(is_escaped ? escaped_slash.size() : 1);
  }
  return out;
}

std::string without_parameters(std::string_view path) {
  std::string out;
  bool is_parameter = false;
  for (const char c : path) {
    is_parameter = c == ';' || (is_parameter && c != '/');
    if (!is_parameter) out += c;
  }
  return out;
}

using Way = std::string (*)(std::string_view);

}  // namespace

std::optional<Reading> stricter_reading(const Policy& policy, const Route& route, const MatchInput& input) {
  if (!policy.paths.opaque_slashes && !policy.paths.allow_semicolons) return std::nullopt;
  const std::string_view path = input.target->path();
  const bool has_slash = path.find(escaped_slash) != std::string_view::npos;
  const bool has_parameter = path.find(';') != std::string_view::npos;
  if (!has_slash && !has_parameter) return std::nullopt;
  if (!places_are_kept(route, path)) return Reading{with_slashes_decoded(path), &route};

  // Each way alone, and both in either order: "/a;b%2Fc" is "/a/c" in one, and "/a" in the other.
  constexpr std::array<std::array<Way, 2>, 4> all{{{with_slashes_decoded, nullptr},
                                                   {without_parameters, nullptr},
                                                   {with_slashes_decoded, without_parameters},
                                                   {without_parameters, with_slashes_decoded}}};
  for (const auto& [first, second] : all) {
    std::string room = first(path);
    if (second != nullptr) room = second(room);
    if (room == path) continue;
    std::string read = room;
    const auto parsed = RequestTarget::parse(room, policy.paths);
    const auto* const target = std::get_if<RequestTarget>(&parsed);
    if (target == nullptr) return Reading{std::move(read), nullptr};
    MatchInput as_read = input;
    as_read.target = target;
    const Route* const other = policy.table.match(as_read);
    // What no route names is for the upstream to know: it was said to leave such paths as they are.
    if (other != nullptr && !is_as_strict(route, *other, policy.catalogue)) return Reading{std::move(read), other};
  }
  return std::nullopt;
}

}  // namespace keygate::policy
