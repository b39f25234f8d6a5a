#include "config/rate_limit_reader.hpp"

#include "config/collection_readers.hpp"
#include "config/scalar_readers.hpp"

#include <string>
#include <utility>

namespace keygate::config {
namespace {

constexpr std::uint64_t most_requests = 1'000'000;
constexpr std::chrono::milliseconds shortest = std::chrono::seconds(1), longest = std::chrono::hours(24);

// What 100/min or 10/s, as other proxies have it, is here.
std::string spelled_out(const std::string& text) {
  const auto slash = text.find('/');
  const bool is_rate = slash != std::string::npos && slash > 0 && slash + 1 < text.size() &&
                       text.find_first_not_of("0123456789") == slash;
  const std::string unit = is_rate ? text.substr(slash + 1, 1) : "";
  if (unit.empty() || std::string("smhd").find(unit) == std::string::npos) return {};
  return "write {limit: " + text.substr(0, slash) + ", window: 1" + unit + ", per: key}";
}

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
  one.take = [take = std::move(one.take), form = one.form](const Value& value) -> std::optional<L> {
    if (!value.is_scalar()) return take(value);
    if (const auto written = value.scalar(form)) value.refuse(form, spelled_out(written->text));
    return std::nullopt;
  };
  return list_or_one(std::move(one));
}

}  // namespace keygate::config
