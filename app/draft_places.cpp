#include "app/draft_places.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace keygate::app {
namespace {

// The places that cover `shape` and count for it.
std::vector<std::size_t> covering(const std::vector<Place>& places, const PathShape& shape) {
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (covers(places[i].shape, shape)) all.push_back(i);
  }
  std::vector<std::size_t> nearest;
  std::ranges::copy_if(all, std::back_inserter(nearest), [&](std::size_t outer) {
    return std::ranges::none_of(all, [&](std::size_t inner) {
      return places[inner].is_of_document && covers(places[outer].shape, places[inner].shape);
    });
  });
  return nearest;
}

void fold(std::vector<Place>& places, std::size_t crossing, const char* method,
          const std::vector<std::size_t>& around) {
  const Demand* const here = demand_at(places[crossing], method);
  if (here == nullptr) return;
  Demand all = *here;
  for (const std::size_t outer : around) {
    if (const Demand* const there = demand_at(places[outer], method)) all = stricter(all, *there);
  }
  if (all == *here) return;
  if (Use* const use = use_of(places[crossing], method)) {
    use->demand = std::move(all);
  } else {
    places[crossing].uses.push_back({method, "", std::move(all)});  // HEAD, which had been GET's
  }
}

}  // namespace

Use* use_of(Place& place, const std::string& method) {
  const auto found = std::ranges::find(place.uses, method, &Use::method);
  return found == place.uses.end() ? nullptr : &*found;
}

const Demand* demand_at(Place& place, const std::string& method) {
  const Use* use = use_of(place, method);
  if (use == nullptr && method == "HEAD") use = use_of(place, "GET");
  return use == nullptr ? nullptr : &use->demand;
}

void fold_into_crossings(std::vector<Place>& places, const std::set<std::size_t>& crossings) {
  for (const std::size_t crossing : crossings) {
    const auto around = covering(places, places[crossing].shape);
    for (const char* const method : all_methods) fold(places, crossing, method, around);
  }
}

}  // namespace keygate::app
