// A matcher that is nothing but the rules of docs/policy.md: every criterion asked of every route, and the ranks of
// those that match compared from the first to the last. Property tests and the fuzz target hold the route table and
// explain against it. It knows nothing of respelled literals (an escaped byte where the policy has it plain): there the
// table finds none.
#pragma once

#include "config/policy_document.hpp"
#include "policy/reserved_names.hpp"
#include "policy/route_table.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace keygate::policy::testing {

struct Asked {
  std::string host = {};  // canonical
  Method method = Method::get;
  std::string target = "/";  // canonical
  std::vector<HeaderField> headers = {};
};

struct Winner {
  std::string name;      // empty: no route matches
  bool is_tied = false;  // two routes of one rank match, which compile should have called an overlap
};

// Higher is better, compared from the left: host, path, method, headers.
using Rank = std::tuple<std::vector<std::size_t>, std::vector<int>, int, std::size_t>;

inline std::vector<std::string> split(const std::string& path) {
  std::vector<std::string> segments;
  for (std::size_t at = 1; at < path.size();) {
    const auto slash = std::min(path.find('/', at), path.size());
    segments.push_back(path.substr(at, slash - at));
    at = slash + 1;
  }
  return segments;
}

inline bool is_rest(const std::string& segment) { return segment.starts_with('{') && segment.ends_with("...}"); }
inline bool is_parameter(const std::string& segment) { return segment.starts_with('{') && !is_rest(segment); }

inline std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// Case, port and one trailing dot do not count.
inline std::string folded_host(const std::string& written) {
  const auto bracket = written.find(']');
  const auto colon = written.find(':', bracket == std::string::npos ? 0 : bracket);
  auto host = lower(written.substr(0, colon));
  if (host.ends_with('.')) host.pop_back();
  return host;
}

inline std::optional<std::vector<std::size_t>> host_rank(const config::MatchDocument& match, const std::string& host) {
  if (match.hosts.empty()) return std::vector<std::size_t>{0, 0};
  std::optional<std::vector<std::size_t>> best;
  for (const auto& written : match.hosts) {
    const auto pattern = folded_host(written.value);
    std::optional<std::vector<std::size_t>> rank;
    if (pattern == host) rank = {2, 0};
    if (pattern.starts_with("*.")) {
      const auto suffix = pattern.substr(1);
      if (host.size() > suffix.size() && host.ends_with(suffix)) rank = {1, suffix.size()};
    }
    if (rank && (!best || *rank > *best)) best = rank;
  }
  return best;
}

inline std::optional<std::vector<int>> path_rank(const std::string& pattern, const std::string& path) {
  enum { rest = 0, end = 1, parameter = 2, literal = 3 };
  const auto wanted = split(pattern);
  const auto given = split(path);
  std::vector<int> rank;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (is_rest(wanted[i])) {
      rank.push_back(rest);
      return rank;
    }
    if (i >= given.size()) return std::nullopt;
    if (!is_parameter(wanted[i]) && wanted[i] != given[i]) return std::nullopt;
    rank.push_back(is_parameter(wanted[i]) ? parameter : literal);
  }
  if (given.size() > wanted.size()) return std::nullopt;
  rank.push_back(end);
  return rank;
}

inline std::optional<int> method_rank(const config::MatchDocument& match, Method method) {
  if (match.methods.empty()) return 0;
  const auto names = [&](std::string_view word) {
    return std::any_of(match.methods.begin(), match.methods.end(), [&](const auto& m) { return m.value == word; });
  };
  if (names(to_string(method))) return 2;
  if (method == Method::head && names("GET")) return 1;
  return std::nullopt;
}

// A header that comes twice meets no condition, nor does one beside another spelling of its name.
inline bool headers_match(const config::MatchDocument& match, const std::vector<HeaderField>& headers) {
  return std::all_of(match.headers.begin(), match.headers.end(), [&](const auto& wanted) {
    const auto is_it = [&](const HeaderField& h) { return folds_alike(h.name, wanted.name.value); };
    const auto found = std::find_if(headers.begin(), headers.end(), is_it);
    return std::count_if(headers.begin(), headers.end(), is_it) == 1 && found->value == wanted.value.value &&
           lower(std::string(found->name)) == lower(wanted.name.value);
  });
}

// nullopt: it misses something.
inline std::optional<Rank> reference_rank(const config::MatchDocument& match, const Asked& asked) {
  const auto host = host_rank(match, asked.host);
  const auto path = path_rank(match.path.value, asked.target);
  const auto method = method_rank(match, asked.method);
  if (!host || !path || !method || !headers_match(match, asked.headers)) return std::nullopt;
  return Rank{*host, *path, *method, match.headers.size()};
}

inline Winner reference_winner(const std::vector<config::RouteDocument>& routes, const Asked& asked) {
  std::map<Rank, std::string> matching;
  Winner winner;
  for (const auto& route : routes) {
    const auto rank = reference_rank(route.match, asked);
    if (rank && !matching.emplace(*rank, route.name.value).second) winner.is_tied = true;
  }
  if (!matching.empty()) winner.name = matching.rbegin()->second;
  return winner;
}

inline bool reference_overlap(const config::MatchDocument& a, const config::MatchDocument& b) {
  const auto values = [](const std::vector<config::Text>& texts) {
    std::set<std::string> result;
    for (const auto& text : texts) result.insert(text.value);
    if (result.empty()) result.insert("any");
    return result;
  };
  const auto meet = [](const std::set<std::string>& x, const std::set<std::string>& y) {
    return std::any_of(x.begin(), x.end(), [&](const auto& word) { return y.contains(word); });
  };
  const auto shape = [](const std::string& path) {
    auto segments = split(path);
    for (auto& segment : segments) {
      if (is_rest(segment)) segment = "{...}";
      if (is_parameter(segment)) segment = "{}";
    }
    return segments;
  };
  const bool contradict = std::any_of(a.headers.begin(), a.headers.end(), [&](const auto& x) {
    return std::any_of(b.headers.begin(), b.headers.end(),
                       [&](const auto& y) { return x.name.value == y.name.value && x.value.value != y.value.value; });
  });
  return meet(values(a.hosts), values(b.hosts)) && shape(a.path.value) == shape(b.path.value) &&
         meet(values(a.methods), values(b.methods)) && a.headers.size() == b.headers.size() && !contradict;
}

}  // namespace keygate::policy::testing
