// Which counts does a granted request go against? In words, and as JSON. Used by explain's text and JSON.
#pragma once

#include "proxy/rehearsal.hpp"

#include <boost/json/array.hpp>

#include <string>
#include <vector>

namespace keygate::app {

// "600 in 1m per key and address", "10 in 1s, of the key itself"; none of what was denied.
std::vector<std::string> limit_texts(const proxy::Rehearsal& rehearsal);

// {"limit": 600, "window": "1m", "per": ["key"], "of": "route"}; of the key itself: "of": "key".
boost::json::array limits_json(const proxy::Rehearsal& rehearsal);

}  // namespace keygate::app
