// What a route says to browsers whose page is of another origin (docs/policy.md), ready to be sent: the lines of an
// answer are put together at load. Made by compile, read by proxy's cross_origin.
#pragma once

#include "policy/method.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace keygate::policy {

struct Cors {
  struct Origin {
    std::string text;             // serialized, as browsers send it
    std::string lines;            // of an answer to it: whole header lines
    std::string preflight_lines;  // of the answer to its preflight, less the methods
  };
  std::vector<Origin> origins;
  bool is_any = false;       // "*": `origins` has it alone
  bool credentials = false;  // never with is_any
  MethodSet methods;         // empty: every method that the route has
  std::string methods_text;  // of `methods`: "GET, POST"

  // What is said to a page of this origin; null: nothing, and its browser keeps the answer from it.
  const Origin* find(std::string_view origin) const {
    if (is_any && !origin.empty()) return &origins.front();
    for (const Origin& one : origins) {
      if (one.text == origin) return &one;
    }
    return nullptr;
  }
};

// What any other request is answered on such a route: whoever caches it must know that the next one may differ.
inline constexpr std::string_view vary_by_origin = "Vary: Origin\r\n";

}  // namespace keygate::policy
