// Rate limits as Redis counts them: all of a request's in one step, on Redis' own clock, with the arithmetic of
// policy/rate_limit. Pure. Used by rate_limiter.
#pragma once

#include "keys/digest.hpp"
#include "keys/redis_reply.hpp"
#include "keys/redis_script.hpp"
#include "policy/rate_limit.hpp"

#include <boost/container/static_vector.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::keys {

// A count that a request has to pass: the limit, and whose count it is (a digest, so that Redis holds no address and no
// name in clear).
struct LimitUse {
  policy::RateLimit limit;
  KeyDigest counter;
};
using LimitUses = boost::container::static_vector<LimitUse, policy::most_limits + 1>;
using Counts = boost::container::static_vector<policy::Count, policy::most_limits + 1>;

// KEYS: the counts. ARGV: of each, its limit and the microseconds that a request takes up, 0 where it is of a day.
// Takes one from each, or where one has no room, from none. Answers {1 or 0, the time in unix microseconds, and of each
// count its mark and what is used of it}.
const RedisScript& limit_script();
// The same with the time as the last argument, for who looks at the arithmetic.
std::string limit_script_with_time_passed_in();

std::string limit_name(std::string_view name_space, const KeyDigest& counter);
std::vector<std::string> limit_arguments(std::span<const LimitUse> uses);

struct LimitAnswer {
  bool has_passed = false;
  std::int64_t now = 0;  // on Redis' clock
  Counts counts;         // in the order that was asked for
};

// nullopt: it makes no sense.
std::optional<LimitAnswer> read_limit_answer(const RedisReply& reply, std::size_t counts);

}  // namespace keygate::keys
