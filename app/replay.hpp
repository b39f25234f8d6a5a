// What would a policy have made of the requests of an access log? Each line against the compiled policy; what has
// changed is grouped and counted, so that memory does not grow with the log. Pure; for `keygate replay`.
#pragma once

#include "app/logged_request.hpp"
#include "policy/decide.hpp"
#include "proxy/snapshot.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace keygate::app {

// Why the log cannot answer.
enum class Unknown : std::uint8_t {
  cut,         // a field is longer than the log keeps
  headers,     // it depends on headers
  credential,  // nobody looked for a credential then, and the policy asks for one
  cross_site,  // it depends on where a session's request came from
  kind,        // it depends on whether what was presented is a session
  method,      // it is none that a route can have
};
inline constexpr std::size_t unknowns = 6;
std::string_view to_string(Unknown why);

struct Fate {
  std::string code, route, upstream;  // "ok" of a grant; the last of a grant alone
  auto operator<=>(const Fate&) const = default;
};

struct Change {
  Fate before, after;
  std::uint64_t count = 0;
  std::string method, path, place;  // of the first one
};

struct Replayed {
  std::uint64_t lines = 0, broken = 0, not_judged = 0, same = 0;
  std::array<std::uint64_t, unknowns> cannot_tell{};
  std::vector<Change> differences;  // another decision or upstream, the most frequent first
  std::vector<Change> moved;        // the same by another route
  std::uint64_t ungrouped = 0;      // differences past max_groups

  std::uint64_t different() const;
};

class Replay {
 public:
  static constexpr std::size_t max_groups = 10'000;

  // `now` in unix seconds, for what a policy has until a date.
  Replay(const proxy::Snapshot& snapshot, std::int64_t now);

  // `place`: file and line, for the first of a group.
  void add(std::string_view line, std::string_view file, std::uint64_t number);
  Replayed result() &&;

 private:
  // What the policy makes of it, or why that cannot be said.
  std::variant<Fate, Unknown> judged(const LoggedRequest& request) const;
  std::variant<Fate, Unknown> judged_by(const policy::Route* route, const LoggedRequest& request,
                                        const policy::RequestTarget& target) const;
  bool is_read_otherwise(const policy::MatchInput& input, const policy::Route* route) const;
  Fate decided(const policy::Route* route, const policy::RequestTarget& target, const policy::Caller& caller) const;
  void note(const LoggedRequest& request, Fate after, std::string_view file, std::uint64_t number);

  using Groups = std::map<std::pair<Fate, Fate>, Change>;

  const proxy::Snapshot& snapshot_;
  const std::int64_t now_;
  std::vector<std::vector<policy::HeaderField>> header_sets_;  // that a route asks for; the first is none
  Replayed counts_;
  Groups differences_, moved_;
};

}  // namespace keygate::app
