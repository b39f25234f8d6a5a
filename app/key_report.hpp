// Which scopes does a key need, going by what it was used for? Pure.
#pragma once

#include "keys/store.hpp"
#include "policy/scopes.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

namespace keygate::app {

struct KeyNeeds {
  std::vector<std::string> needed;  // the smallest set of scopes that would have let every recorded use through
  std::vector<std::string> spare;   // granted, and not needed as they stand
};

// `catalogue` may be null: what implies what is not known then, so that less is left out.
KeyNeeds needs_of(const keys::UsedKey& used, const policy::Catalogue* catalogue);

boost::json::object report_json(const keys::UsedKey& used, const policy::Catalogue* catalogue, std::int64_t now);

struct ReportLine {
  std::string key_id, organization, name, last_used;  // each perhaps empty
  std::vector<std::string> granted, needed;
};
void print_report(std::ostream& out, const std::vector<ReportLine>& lines);

}  // namespace keygate::app
