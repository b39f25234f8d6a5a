// Paths of an OpenAPI document as a policy can write them, and which requests two of them share. Pure; for
// policy_draft.
#pragma once

#include "config/path_settings.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace keygate::app {

// The segments; a parameter is empty. Two paths of one shape match the same requests.
using PathShape = std::vector<std::string>;

struct PolicyPath {
  std::string text;  // "/files/{id}"; empty: no request can have such a path
  PathShape shape;
  // Not every request of this shape is one of the document's path: it has a parameter beside other text, or text that
  // no request may have.
  bool is_wider = false;
};

// `rules`: those that requests are read by.
PolicyPath policy_path(const std::string& written, config::PathSettings rules = {});

// Every request of `inner` is one of `outer`, and not the other way about.
bool covers(const PathShape& outer, const PathShape& inner);

// Some requests are of both shapes, and neither covers the other.
bool cross(const PathShape& one, const PathShape& other);

// The requests that are of both.
PathShape meeting(const PathShape& one, const PathShape& other);

// Which of two that cross Keygate matches first: the one with the first literal segment.
bool goes_first(const PathShape& one, const PathShape& other);

// As a policy has it, with parameters p1, p2, …
std::string text_of(const PathShape& shape);

}  // namespace keygate::app
