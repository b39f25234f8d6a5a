// An OpenAPI document, 3.0 or 3.1, as far as authorization goes: which operations there are, and what each asks of its
// caller. Whatever is not understood to the letter is a fault. Pure; for `keygate import` and `keygate lint`.
#pragma once

#include "config/problem.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace keygate::app {

// One alternative of a security requirement that Keygate can judge: a credential of one of these kinds, with all these
// scopes.
struct Way {
  bool by_key = false;
  bool by_session = false;  // a cookie
  std::vector<std::string> scopes;
};

struct Operation {
  enum class Who {
    anybody,  // security: [], or nothing is one of the alternatives and no other can be judged
    unsaid,   // neither the operation nor the document has a word of security
    ways,     // one of `ways`; none: nobody, as no alternative can be judged
  };
  std::string method;  // "GET"
  std::string path;    // below `base_path`, as it is written
  std::string base_path;
  std::string id;  // operationId; may be empty
  config::Position where;
  Who who = Who::ways;
  std::vector<Way> ways;
  bool is_optional = false;  // nothing is one of the alternatives
};

// A path, whether or not it has operations: where it has none of a method, no path that covers it stands in for it.
struct PathItem {
  std::string path, base_path;
  bool is_elsewhere = false;  // described in another file: what it has is not known
};

struct OpenApi {
  std::string title;
  std::vector<PathItem> paths;                              // in the document's order
  std::vector<Operation> operations;                        // likewise
  std::vector<std::pair<std::string, std::string>> scopes;  // that the document describes, in its order
  std::vector<std::string> notes;                           // what could not be taken over
};

struct OpenApiOptions {
  // Whose value, a word or a list of words, names scopes that an operation needs beside those of its security.
  std::vector<std::string> extensions{"x-required-scopes", "x-scopes"};
  // In place of what the document's servers say; see base_path_of.
  std::optional<std::string> base_path;
};

// JSON or YAML; `file` is what the problem calls it.
std::variant<OpenApi, config::Problem> read_openapi(std::string_view text, const std::string& file,
                                                    const OpenApiOptions& options = {});

// "/v1" for "/v1/", and "" for "/"; nullopt where `text` is no path that all others can stand below.
std::optional<std::string> base_path_of(std::string text);

}  // namespace keygate::app
