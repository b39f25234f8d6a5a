#include "config/rate_limit_reader.hpp"

#include "config/collection_readers.hpp"
#include "config/scalar_readers.hpp"

namespace keygate::config {
namespace {

constexpr std::uint64_t most_requests = 1'000'000;
constexpr std::chrono::milliseconds shortest = std::chrono::seconds(1), longest = std::chrono::hours(24);

}  // namespace

Reader<std::vector<RateLimitDocument>> rate_limits_reader() {
  using L = RateLimitDocument;
  auto subject = located(word_of({"key", "organization", "ip"}));
  auto one = object<L>({
      required(key("limit", &L::limit, whole_number(1, most_requests), "requests in a window, and at once")),
      required(key("window", &L::window, duration(shortest, longest), "1d is the day in UTC, anything else rolls")),
      required(key("per", &L::per, list_or_one(std::move(subject)), "key, organization or ip; a list: combined")),
  });
  one.form = "a map {limit: 600, window: 1m, per: key}";
  return list_or_one(std::move(one));
}

}  // namespace keygate::config
