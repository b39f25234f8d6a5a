#include "policy/compiler.hpp"
#include "policy/sample_request.hpp"

#include <algorithm>
#include <optional>
#include <span>

namespace keygate::policy {
namespace {

using Segments = std::span<const std::string>;

// What whoever passes `route` holds at least.
ScopeSet held_by_all(const Route& route, const Catalogue& catalogue) {
  ScopeSet held;
  for (std::size_t number = 0; number < catalogue.size(); ++number) {
    if (route.all_scopes.has(number)) held |= catalogue[number].implied;
  }
  return held;
}

// Whether whoever passes `one` would pass `other` as well, as far as that shows without trying every caller.
bool is_as_strict(const Route& one, const Route& other, const Catalogue& catalogue) {
  const bool asks_subjects = other.client_subjects.empty() || one.client_subjects == other.client_subjects;
  if (other.access == Access::anonymous) return asks_subjects;
  const bool asks_credential = one.access == Access::required || one.access == other.access;
  const bool takes_no_more = one.accepts_api_key <= other.accepts_api_key &&
                             one.accepts_session <= other.accepts_session && one.accepts_admin <= other.accepts_admin;
  const ScopeSet held = held_by_all(one, catalogue);
  const bool asks_any = other.any_scopes.empty() || held.meets(other.any_scopes) ||
                        (!one.any_scopes.empty() && other.any_scopes.covers(one.any_scopes));
  const bool asks_organization = !other.organization_segment || one.organization_segment == other.organization_segment;
  const bool asks_environment = other.environment == Environment::none || one.environment == other.environment;
  return asks_subjects && asks_credential && takes_no_more && held.covers(other.all_scopes) && asks_any &&
         asks_organization && asks_environment && (!one.shadow_until || one.shadow_until == other.shadow_until);
}

bool share_an_upstream(const Route& one, const Route& other) {
  return std::ranges::any_of(one.upstream, [&](std::size_t upstream) {
    return upstream != no_upstream && std::ranges::find(other.upstream, upstream) != other.upstream.end();
  });
}

std::vector<std::string> segments_of(std::string_view path) {
  std::vector<std::string> segments;
  for (std::size_t begin = 1; begin < path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    segments.emplace_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return segments;
}

std::string joined(Segments segments, std::string_view separator) {
  std::string text;
  for (const auto& segment : segments) text += std::string(separator) + segment;
  return text;
}

// Other spellings of one path, to an upstream that decodes %2F and takes slashes in a row for one: a slash of it
// escaped, or one put where it makes an empty segment.
std::vector<std::string> with_escaped_slashes(Segments segments) {
  std::vector<std::string> paths;
  for (std::size_t first = 0; first <= segments.size(); ++first) {
    const auto before = joined(segments.first(first), "/");
    const auto after = joined(segments.subspan(first), "/");
    paths.push_back(before + "/%2F" + after);
    if (!after.empty()) paths.push_back(before + "/%2F" + after.substr(1));
    for (std::size_t last = first + 1; last < segments.size(); ++last) {
      const auto within = joined(segments.subspan(first, last - first + 1), "%2F").substr(3);
      paths.push_back(before + '/' + within + joined(segments.subspan(last + 1), "/"));
    }
  }
  return paths;
}

// The same to an upstream that reads what follows a semicolon as a parameter of the segment.
std::vector<std::string> with_parameters(Segments segments) {
  std::vector<std::string> paths;
  for (std::size_t first = 0; first < segments.size(); ++first) {
    paths.push_back(joined(segments.first(first + 1), "/") + ";a=b" + joined(segments.subspan(first + 1), "/"));
  }
  return paths;
}

// One relaxation, and the upstreams that it is not for.
struct Relaxation {
  std::vector<std::string> (*spellings)(Segments);
  std::string_view reader;  // an upstream that …
  std::string_view remedy;  // see that the upstream …
};

constexpr std::size_t most_told = 8;  // routes a relaxation: who sees so many has seen what it is about

class Looking {
 public:
  Looking(const config::Settings& settings, const Policy& policy, Findings& findings)
      : settings_(settings), policy_(policy), word_(policy), findings_(findings) {}

  void look_at_all(const Relaxation& relaxation) {
    std::size_t found = 0;
    for (const auto& route : policy_.routes) {
      if (const auto mix_up = mix_up_of(*route, relaxation); mix_up && ++found <= most_told) {
        warn(*route, *mix_up, relaxation);
      }
    }
    if (found <= most_told) return;
    findings_.warning(settings_.policy.where, "routes",
                      std::to_string(found - most_told) +
                          " more routes can be reached by another's path where an upstream " +
                          std::string(relaxation.reader),
                      "see that the upstream " + std::string(relaxation.remedy));
  }

 private:
  // A path that another route governs, and what an upstream may read it as.
  struct MixUp {
    const Route* other;
    std::string spelling;
    std::string read_as;
  };

  // The first that is found: it tells enough.
  std::optional<MixUp> mix_up_of(const Route& route, const Relaxation& relaxation) const {
    const RouteTable::Entry& entry = policy_.criteria[route.number];
    for (SampleRequest& sample : sample_requests(entry, word_)) {
      const auto segments = segments_of(sample.path);
      if (segments.size() > entry.path.segments.size()) break;  // a longer rest tells no more
      const std::string read_as = sample.path;
      for (std::string& spelling : relaxation.spellings(segments)) {
        sample.path = std::move(spelling);
        if (const Route* other = laxer(route, sample)) return MixUp{other, sample.path, read_as};
      }
    }
    return std::nullopt;
  }

  // Who governs it, is not the route itself, and lets somebody pass whom the route would not.
  const Route* laxer(const Route& route, const SampleRequest& sample) const {
    for (const Method method : methods_of(policy_.criteria[route.number])) {
      const Route* const other = governing(policy_, sample, method);
      if (other == nullptr || other == &route || !share_an_upstream(route, *other)) continue;
      if (!is_as_strict(*other, route, policy_.catalogue)) return other;
    }
    return nullptr;
  }

  void warn(const Route& route, const MixUp& mix_up, const Relaxation& relaxation) {
    const auto& document = settings_.policy.routes[route.number];
    const auto place = document.path.empty() ? "routes[" + std::to_string(route.number) + "]" : document.path;
    findings_.warning(document.match.path.where, place + ".match.path",
                      quoted(mix_up.spelling) + " is governed by the route " + quoted(mix_up.other->name) + " at " +
                          line_of(mix_up.other->where) + ", and is " + quoted(mix_up.read_as) +
                          " to an upstream that " + std::string(relaxation.reader),
                      "see that the upstream " + std::string(relaxation.remedy) + ", or ask the same of both");
  }

  const config::Settings& settings_;
  const Policy& policy_;
  SampleWord word_;
  Findings& findings_;
};

}  // namespace

void compile_paths(const config::Settings& settings, const Policy& policy, Findings& findings) {
  const Relaxation opaque{with_escaped_slashes, "decodes escaped slashes (paths.encoded_slash: opaque)",
                          "leaves %2F as it is"};
  const Relaxation allow{with_parameters, "reads parameters after a semicolon (paths.semicolon: allow)",
                         "takes a semicolon for content"};
  if (!policy.paths.opaque_slashes && !policy.paths.allow_semicolons) return;
  Looking looking(settings, policy, findings);
  if (policy.paths.opaque_slashes) looking.look_at_all(opaque);
  if (policy.paths.allow_semicolons) looking.look_at_all(allow);
}

}  // namespace keygate::policy
