// A policy for the operations of an OpenAPI document: its text, in an order that depends on the document alone. Pure;
// for `keygate import`.
#pragma once

#include "app/openapi.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace keygate::app {

struct PolicyDraft {
  std::string text;  // YAML
  std::size_t routes = 0, scopes = 0;
  std::vector<std::string> notes;  // what is not quite as in the document; they stand in the text too
};

// Never more open than the document: what it does not say, or what a policy cannot say, needs a key; what had to be
// left out is refused, and so falls to no more general route. std::length_error where paths cross too often to be told
// apart.
PolicyDraft draft_policy(const OpenApi& document);

}  // namespace keygate::app
