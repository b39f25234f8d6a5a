// Which route, if any, governs a request: the most specific one (docs/policy.md). Built by policy::compile, then
// immutable. The cost of a match grows with the path's segments, not with the number of routes.
#pragma once

#include "config/problem.hpp"
#include "policy/method.hpp"
#include "policy/principal.hpp"
#include "policy/rate_limit.hpp"
#include "policy/scopes.hpp"
#include "policy/target.hpp"

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::policy {

// A request header as the matcher sees it. Views into the request.
struct HeaderField {
  std::string_view name;
  std::string_view value;
};

// What is matched. `host` is canonical: lower case, no port, no trailing dot (see canonical_host); it may be empty.
struct MatchInput {
  std::string_view host;
  Method method = Method::get;
  const RequestTarget* target = nullptr;
  std::span<const HeaderField> headers;
};

enum class Access : std::uint8_t { required, optional, anonymous };

inline constexpr std::size_t no_upstream = static_cast<std::size_t>(-1);

struct Cors;       // policy/cors.hpp
struct SetHeader;  // policy/set_header.hpp

// One rule of the policy, compiled. Lives as long as its Policy.
struct Route {
  std::size_t number = 0;  // in the order of the file
  std::string name;
  config::Position where;
  Access access = Access::required;
  ScopeSet all_scopes;
  ScopeSet any_scopes;          // empty: no such condition
  std::string scopes_text;      // what a 403 says is needed: names separated by one space
  std::string conditions_text;  // names of its header criteria, lower case, separated by one space: for the access log
  bool accepts_api_key = true;
  bool accepts_session = false;
  bool accepts_admin = false;
  std::vector<std::string> client_subjects;  // the client's certificate must have one of them; empty: it need show none
  std::optional<std::size_t>
      organization_segment;  // 0-based segment of the path that must name the principal's organization
  Environment environment = Environment::none;  // none: any
  // Index into Settings::upstreams by the principal's environment (none, live, test); no_upstream where that
  // environment may not pass.
  std::array<std::size_t, 3> upstream{no_upstream, no_upstream, no_upstream};
  bool forward_credential = false;
  std::vector<RateLimit> limits;               // every one is to have room; at most most_limits
  std::optional<std::int64_t> shadow_until{};  // unix seconds: before that, most refusals are let through
  std::shared_ptr<const Cors> cors;            // null: nothing is said to browsers
  std::shared_ptr<const std::vector<SetHeader>> set_headers;  // null: none
};

class RouteTable {
 public:
  struct Entry;  // a route with its criteria, as compile hands it over: policy/route_entry.hpp

  RouteTable();
  RouteTable(RouteTable&&) noexcept;
  RouteTable& operator=(RouteTable&&) noexcept;
  ~RouteTable();

  // Adds `route`, which the caller keeps alive. Returns the route it overlaps with (docs/policy.md), or nullptr; a
  // table that has seen an overlap is fit for nothing but finding more of them.
  const Route* add(const Route& route, const Entry& entry);

  // Pure, allocates nothing. nullptr: no route, which is a denial.
  const Route* match(const MatchInput& input) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Longer than any DNS name may be (RFC 1035 §2.3.4); it also bounds what a match may spend on wildcard hosts.
inline constexpr std::size_t max_host = 253;

// Lower case, without the port, without one trailing dot, written into `buffer` (at least host.size() bytes). nullopt
// where `host` is not a host at all: empty, over max_host bytes, a byte outside the unreserved set, an empty label, a
// port that is no number up to 65535 (H-11). An empty port is folded (RFC 3986 §3.2.3). "[::1]:8080" gives "[::1]".
std::optional<std::string_view> canonical_host(std::string_view host, std::span<char> buffer);

// The n-th segment of a canonical path, counted from 0; empty past the end.
std::string_view segment(std::string_view path, std::size_t number);

}  // namespace keygate::policy
