// An OpenAPI document, 3.0 or 3.1, as far as authorization goes: which operations there are, and what each asks of its
// caller. Pure; for `keygate import`.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace keygate::app {

struct Operation {
  std::string method;  // "GET"
  std::string path;    // below the server's own path
  std::string id;      // operationId; may be empty
  // What a caller has to show: one of these sets of scopes. No set at all: nothing, the operation is open.
  std::vector<std::vector<std::string>> alternatives;
  bool is_optional = false;    // nothing is one of the alternatives
  bool is_by_session = false;  // a cookie is one of the ways
  bool is_by_key = false;      // anything else
  bool says_nothing = false;   // neither the operation nor the document has a word of security
};

struct OpenApi {
  std::string title;
  std::string base_path;                                    // of the first server, without a slash at its end
  std::vector<Operation> operations;                        // in the document's order
  std::vector<std::pair<std::string, std::string>> scopes;  // that the document describes, in its order
  std::vector<std::string> notes;                           // what could not be taken over
};

struct OpenApiOptions {
  // Whose value, a name or a list, says which scopes an operation needs, in place of its security requirements.
  std::vector<std::string> extensions{"x-required-scopes", "x-scopes"};
};

// JSON or YAML. The error is a sentence, with its place where there is one.
std::variant<OpenApi, std::string> read_openapi(std::string_view text, const OpenApiOptions& options = {});

}  // namespace keygate::app
