// What a record or a key service's answer says of one key beyond its scopes: `allowed_cidrs` and `rate_limit`. Pure.
// A restriction that is not understood to the last letter is none that can be enforced: whoever reads it then knows
// nothing of the key.
#pragma once

#include "policy/principal.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::keys {

// The two members; null: not there. Each of `allowed_cidrs` is an address block as text, and there is one at least;
// `rate_limit` is {"limit": 600, "window": "1m"}.
struct RestrictionMembers {
  const boost::json::value* allowed_cidrs = nullptr;
  const boost::json::value* rate_limit = nullptr;
};

// nullopt: not understood. Null in it: no restriction.
std::optional<std::shared_ptr<const policy::Restrictions>> read_restrictions(const RestrictionMembers& members);

// The same members, added to `object`.
void write_restrictions(const policy::Restrictions& restrictions, boost::json::object& object);

// As a command line and the embedded store have them: "600/1m" of all its requests together, and address blocks with a
// blank between them. nullopt: not understood. Empty text is no block.
std::optional<policy::RateLimit> parse_rate(std::string_view text);
std::optional<std::vector<policy::AddressBlock>> parse_blocks(std::string_view text);
std::string rate_text(const policy::RateLimit& limit);
std::string blocks_text(const std::vector<policy::AddressBlock>& blocks);

// Whether a key may have them: no more blocks than may be named, and a limit that can be counted.
bool are_fit(const policy::Restrictions& restrictions);

}  // namespace keygate::keys
