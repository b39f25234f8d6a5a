// The paths of a policy that is being drafted from an OpenAPI document, and what each asks of whom. Pure; for
// policy_draft.
#pragma once

#include "app/demand.hpp"
#include "app/path_shape.hpp"

#include <array>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

namespace keygate::app {

inline constexpr std::array<const char*, 7> all_methods{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

struct Use {
  std::string method, id;
  Demand demand;
};

// All requests of one shape.
struct Place {
  PathShape shape;
  std::string path;
  std::vector<Use> uses;
  bool is_of_document = false;  // one of its paths has this shape exactly
};

// Null: it has none.
Use* use_of(Place& place, const std::string& method);

// What HEAD asks is what GET asks, where it is not named. Null: it has none.
const Demand* demand_at(Place& place, const std::string& method);

// `crossings` are places that no path of the document has: where two of its paths meet. One goes before every path that
// covers it, and so needs from now on what each of them needs, but for those that another path of the document, more
// specific, stands before.
void fold_into_crossings(std::vector<Place>& places, const std::set<std::size_t>& crossings);

}  // namespace keygate::app
