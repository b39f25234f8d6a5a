#include "config/date.hpp"
#include "policy/compiler.hpp"

namespace keygate::policy {
namespace {

constexpr std::int64_t day = 24 * 60 * 60;
constexpr std::int64_t longest = 30 * day;

// What stays shut, whoever writes `mode: shadow`: nobody shall pass to it by an oversight.
bool check_guarded(const RouteSource& source, const config::Position& where, const Catalogue& catalogue,
                   const Route& route, Findings& findings) {
  const auto path = source.path + ".mode";
  const auto before = findings.size();
  if (route.access == Access::anonymous) {
    findings.error(where, path, "an anonymous route refuses nobody, so there is nothing to let through",
                   "leave out mode");
  }
  if (route.accepts_admin) {
    findings.error(where, path, "a route that takes admin secrets cannot be let open", "leave out mode");
  }
  for (std::size_t number = 0; number < catalogue.size(); ++number) {
    const bool is_needed = route.all_scopes.has(number) || route.any_scopes.has(number);
    if (is_needed && catalogue[number].restricted) {
      findings.error(
          where, path,
          "the route needs " + quoted(catalogue[number].name) + ", which is restricted: it cannot be let open",
          "leave out mode");
    }
  }
  return findings.size() == before;
}

}  // namespace

void compile_shadow(const RouteSource& source, const Catalogue& catalogue, std::optional<std::int64_t> now,
                    Route& route, Findings& findings) {
  const auto& document = source.document;
  const bool is_shadow = document.mode && document.mode->value == "shadow";
  if (!is_shadow) {
    if (document.until) {
      findings.error(document.until->where, source.path + ".until", "says when shadow mode ends, and there is none",
                     "write mode: shadow, or leave it out");
    }
    return;
  }
  const auto& where = document.mode->where;
  const bool may_be_open = check_guarded(source, where, catalogue, route, findings);
  if (!document.until) {
    findings.error(where, source.path + ".mode", "does not say when it ends",
                   "write until: and a date, 30 days from now at most");
    return;
  }
  const auto parsed = config::parse_date(document.until->value);
  if (const auto* fault = std::get_if<config::Fault>(&parsed)) {
    findings.error(document.until->where, source.path + ".until", fault->message, fault->hint);
    return;
  }
  const auto until = std::get<std::int64_t>(parsed);
  route.shadow_until = until;
  if (!now || !may_be_open) return;
  if (until - *now > longest) {
    findings.error(document.until->where, source.path + ".until",
                   quoted(document.until->value) + " is more than 30 days from now",
                   "shadow mode is for a first look; write an earlier date");
  } else if (until <= *now) {
    findings.warning(document.until->where, source.path + ".until", "shadow mode is over, and the route refuses again",
                     "take mode and until out");
  } else {
    findings.warning(where, source.path + ".mode",
                     "the route is open until " + document.until->value + ": whom it would refuse is let through");
  }
}

}  // namespace keygate::policy
