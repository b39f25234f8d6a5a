// How much of a list goes into one answer: 500 keys, or fewer that come to a megabyte, as each may have 256 scopes.
#pragma once

#include "app/key_api.hpp"
#include "keys/store.hpp"

#include <boost/json/array.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace keygate::app {

inline constexpr std::size_t page_size = 500;
inline constexpr std::size_t page_bytes = 1024 * 1024;

// About how long it is in the answer.
std::size_t size_of(const keys::StoredKey& key);
std::size_t size_of(const keys::UsedKey& key);
inline const std::string& id_of(const keys::StoredKey& key) { return key.id; }
inline const std::string& id_of(const keys::UsedKey& used) { return used.key.id; }

// `found`: at most page_size, as the store has them. `render` makes an object of each.
template <class Key, class Render>
boost::json::object page_of(const std::vector<Key>& found, Render render) {
  boost::json::array list;
  std::size_t bytes = 0;
  for (const Key& key : found) {
    if (bytes >= page_bytes) break;
    bytes += size_of(key);
    list.push_back(render(key));
  }
  boost::json::object page;
  const bool is_last = list.size() == found.size() && found.size() < page_size;
  page["next"] = is_last ? boost::json::value(nullptr) : boost::json::value(id_of(found[list.size() - 1]));
  page["keys"] = std::move(list);
  return page;
}

}  // namespace keygate::app
