// A table of requests and what should become of each: the input of `keygate test` (docs/testing-policies.md).
#pragma once

#include "config/problem.hpp"
#include "config/settings.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keygate::config {

// Who sends the request.
struct CaseCaller {
  enum class Kind { nobody, key, session, admin };
  // What is found out of a key or session; unavailable: nothing can be.
  enum class State { valid, unknown, revoked, disabled, expired, unavailable };
  Kind kind = Kind::nobody;
  State state = State::valid;
  std::optional<std::vector<std::string>> scopes;
  std::optional<std::string> organization, user, key_id;
  std::optional<Environment> environment;
  std::string admin;  // the name of an admin secret
};

struct CaseExpectation {
  std::optional<int> status;                               // of a denial: a grant has the upstream's
  std::optional<std::string> code, path, route, upstream;  // path: the canonical one, without the query
  // What the upstream is sent; nullopt: no such header.
  std::vector<std::pair<Located<std::string>, std::optional<std::string>>> headers;
};

struct PolicyCase {
  Position where;
  std::string name;  // may be empty
  std::string method, url;
  std::vector<std::pair<Located<std::string>, std::string>> headers;
  std::string from = "127.0.0.1";
  std::string client_subject;  // of the certificate that the client shows; empty: none
  CaseCaller caller;
  CaseExpectation expected;
};

struct CaseTable {
  std::vector<PolicyCase> cases;  // to be used only where no problem is an error
  Problems problems;
};

// Reads a file of cases; one that cannot be read is a Problem too.
CaseTable load_cases(const std::string& path);

// The same from text; `name` stands in places.
CaseTable read_cases(std::string_view yaml, const std::string& name);

}  // namespace keygate::config
