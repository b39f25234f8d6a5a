#include "policy/explain.hpp"

#include <algorithm>
#include <tuple>

namespace keygate::policy {
namespace {

using Entry = RouteTable::Entry;
using Kind = PathTemplate::Segment::Kind;

// Meets every request, so that one criterion set in it is all there is to meet.
Entry meets_all() {
  Entry entry;
  entry.path.segments.push_back({Kind::rest, "all"});
  return entry;
}

// `criteria` with nothing but that one criterion.
Entry only(Criterion criterion, const Entry& criteria) {
  Entry entry = meets_all();
  switch (criterion) {
    case Criterion::host:
      entry.hosts = criteria.hosts;
      break;
    case Criterion::path:
      entry.path = criteria.path;
      break;
    case Criterion::method:
      entry.methods = criteria.methods;
      break;
    case Criterion::headers:
      entry.headers = criteria.headers;
      break;
  }
  return entry;
}

bool meets(const Entry& entry, const MatchInput& input) {
  const Route route;
  RouteTable table;
  table.add(route, entry);
  return table.match(input) != nullptr;
}

// How far from the left the path agrees, by asking with the template cut off after one segment, two, three…
std::size_t depth_of(const Entry& criteria, const MatchInput& input) {
  const auto& segments = criteria.path.segments;
  std::size_t depth = 0;
  while (depth < segments.size() && segments[depth].kind != Kind::rest) {
    Entry cut = meets_all();
    cut.path.segments.insert(cut.path.segments.begin(), segments.begin(),
                             segments.begin() + static_cast<std::ptrdiff_t>(depth) + 1);
    if (!meets(cut, input)) break;
    ++depth;
  }
  return depth;
}

// The literal at `depth`, where the request's segment is so near to it that it may be a slip.
std::string slip_at(std::size_t depth, const Entry& criteria, const MatchInput& input) {
  const auto& segments = criteria.path.segments;
  const auto given = segment(input.target->path(), depth);
  if (depth >= segments.size() || segments[depth].kind != Kind::literal || given.empty()) return {};
  return config::nearest_word(std::string(given), {segments[depth].text});
}

Candidate candidate_of(const Route& route, const Entry& criteria, const MatchInput& input) {
  Candidate candidate;
  candidate.route = &route;
  candidate.criteria = &criteria;
  candidate.host = meets(only(Criterion::host, criteria), input);
  candidate.path = meets(only(Criterion::path, criteria), input);
  candidate.method = meets(only(Criterion::method, criteria), input);
  for (const auto& condition : criteria.headers) {
    Entry one = meets_all();
    one.headers.push_back(condition);
    candidate.headers.push_back(meets(one, input));
  }
  candidate.missed = static_cast<std::size_t>(!candidate.host) + static_cast<std::size_t>(!candidate.path) +
                     static_cast<std::size_t>(!candidate.method) +
                     static_cast<std::size_t>(std::ranges::count(candidate.headers, false));
  candidate.depth = depth_of(criteria, input);
  if (!candidate.path) candidate.slip = slip_at(candidate.depth, criteria, input);
  return candidate;
}

// Each alternative of a criterion as an entry of its own: every host, every method.
std::vector<Entry> alternatives(Criterion criterion, const Entry& criteria) {
  std::vector<Entry> result;
  if (criterion == Criterion::host) {
    for (const auto& host : criteria.hosts) result.emplace_back(meets_all()).hosts.push_back(host);
  } else if (criterion == Criterion::method) {
    for (std::size_t number = 0; number < method_count; ++number) {
      const auto method = static_cast<Method>(number);
      if (criteria.methods.has(method)) result.emplace_back(meets_all()).methods.add(method);
    }
  }
  if (result.empty()) result.push_back(only(criterion, criteria));
  return result;
}

// The alternative by which `input` meets it.
Entry best_alternative(Criterion criterion, const Entry& criteria, const MatchInput& input) {
  const auto entries = alternatives(criterion, criteria);
  const std::vector<Route> routes(entries.size());
  RouteTable table;
  for (std::size_t i = 0; i < entries.size(); ++i) table.add(routes[i], entries[i]);
  const Route* best = table.match(input);
  return entries[best == nullptr ? 0 : static_cast<std::size_t>(best - routes.data())];
}

// The first criterion in which `winner`, with which `loser` meets the same request, is the more specific.
std::optional<Criterion> deciding(const Entry& winner, const Entry& loser, const MatchInput& input) {
  for (const auto criterion : {Criterion::host, Criterion::path, Criterion::method, Criterion::headers}) {
    const Route better;
    const Route worse;
    RouteTable table;
    table.add(worse, best_alternative(criterion, loser, input));
    const bool is_tie = table.add(better, best_alternative(criterion, winner, input)) != nullptr;
    if (!is_tie) return table.match(input) == &better ? std::optional(criterion) : std::nullopt;
  }
  return std::nullopt;
}

bool is_respelling_of(const Candidate& literal, const Candidate& met, const MatchInput& input) {
  RouteTable table;
  table.add(*met.route, only(Criterion::path, *met.criteria));
  table.add(*literal.route, only(Criterion::path, *literal.criteria));
  return table.match(input) == nullptr;
}

// The table with those of `candidates` that meet all and have no rank yet.
const Route* best_unranked(const std::vector<Candidate>& candidates, const MatchInput& input) {
  RouteTable table;
  for (const auto& candidate : candidates) {
    if (candidate.missed == 0 && candidate.rank == 0) table.add(*candidate.route, *candidate.criteria);
  }
  return table.match(input);
}

void rank(Candidates& found, const MatchInput& input) {
  const Entry* first = nullptr;
  std::size_t next = 0;
  // A path that respells a literal has no winner in the policy, and neither has anything that met all the same.
  for (const Route* best = found.winner; best != nullptr; best = best_unranked(found.all, input)) {
    const auto candidate = std::ranges::find(found.all, best, &Candidate::route);
    candidate->rank = ++next;
    if (first == nullptr) {
      first = candidate->criteria;
    } else {
      candidate->lost_by = deciding(*first, *candidate->criteria, input);
    }
  }
}

const Route* respelled_route(const Candidates& found, const MatchInput& input) {
  for (const auto& met : found.all) {
    if (met.missed != 0 || found.winner != nullptr) continue;
    for (const auto& literal : found.all) {
      if (literal.host && !literal.path && is_respelling_of(literal, met, input)) return literal.route;
    }
  }
  return nullptr;
}

// Ranked before unranked, few misses before many, then who agrees with most of the path; else the order of the file.
auto relevance(const Candidate& candidate) {
  const std::size_t rank = candidate.rank == 0 ? static_cast<std::size_t>(-1) : candidate.rank;
  return std::tuple(rank, candidate.missed, !candidate.path, !candidate.host, candidate.slip.empty(),
                    -static_cast<long>(candidate.depth), candidate.route->number);
}

}  // namespace

std::string_view to_string(Criterion criterion) {
  switch (criterion) {
    case Criterion::host:
      return "host";
    case Criterion::path:
      return "path";
    case Criterion::method:
      return "method";
    case Criterion::headers:
      return "headers";
  }
  return "";
}

Candidates explain_match(const Policy& policy, const MatchInput& input) {
  Candidates found;
  found.winner = policy.table.match(input);
  for (const auto& route : policy.routes) {
    found.all.push_back(candidate_of(*route, policy.criteria[route->number], input));
  }
  rank(found, input);
  found.respelled = respelled_route(found, input);
  std::ranges::sort(found.all, {}, relevance);
  return found;
}

std::vector<GrantShare> explain_grants(const Catalogue& catalogue, std::span<const std::string> granted) {
  std::vector<GrantShare> shares;
  for (const auto& grant : granted) {
    const Held held = catalogue.expand({&grant, 1});
    GrantShare share{grant, {}, held.unlisted == 0};
    for (std::size_t number = 0; number < catalogue.size(); ++number) {
      if (held.set.has(number)) share.scopes.push_back(number);
    }
    shares.push_back(std::move(share));
  }
  return shares;
}

std::vector<std::string> names_of(const Catalogue& catalogue, const ScopeSet& set) {
  std::vector<std::string> names;
  for (std::size_t number = 0; number < catalogue.size(); ++number) {
    if (set.has(number)) names.push_back(catalogue[number].name);
  }
  return names;
}

ScopeSet missing_scopes(const ScopeSet& needed, const ScopeSet& held) {
  ScopeSet missing;
  for (std::size_t number = 0; number < max_catalogue; ++number) {
    if (needed.has(number) && !held.has(number)) missing.add(number);
  }
  return missing;
}

}  // namespace keygate::policy
