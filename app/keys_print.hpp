// How keys are shown: as a JSON object, as lines for one, as a table for many. Times are RFC 3339, in UTC.
#pragma once

#include "keys/store.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

namespace keygate::app {

std::string rfc3339(std::int64_t unix_seconds);

// Everything the store knows of it; what a key does not have is null. `now`, here and below: unix seconds.
boost::json::object to_json(const keys::StoredKey& key, std::int64_t now);

// One "field: value" a line.
void print_lines(std::ostream& out, const keys::StoredKey& key, std::int64_t now);

void print_table(std::ostream& out, const std::vector<keys::StoredKey>& keys, std::int64_t now);

}  // namespace keygate::app
