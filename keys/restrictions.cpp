#include "keys/restrictions.hpp"

#include "config/quantity.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string>
#include <system_error>
#include <utility>

namespace keygate::keys {

namespace {

namespace json = boost::json;

bool read_blocks(const json::value& value, std::vector<policy::AddressBlock>& blocks) {
  const json::array* const list = value.if_array();
  if (list == nullptr || list->empty() || list->size() > policy::max_blocks) return false;
  for (const json::value& element : *list) {
    const json::string* const text = element.if_string();
    const auto block = text == nullptr ? std::nullopt : policy::parse_block({text->data(), text->size()});
    if (!block) return false;
    blocks.push_back(*block);
  }
  return true;
}

constexpr policy::CountedBy by_key{.key = true};

std::optional<policy::RateLimit> limit_of(std::uint64_t requests, std::string_view written) {
  const auto window = config::parse_duration(written);
  if (!window || !policy::limit_flaw(requests, *window).empty()) return std::nullopt;
  return policy::RateLimit{requests, std::chrono::duration_cast<std::chrono::seconds>(*window), by_key};
}

bool read_limit(const json::value& value, std::optional<policy::RateLimit>& limit) {
  const json::object* const object = value.if_object();
  if (object == nullptr || object->size() != 2) return false;
  const json::value* const number = object->if_contains("limit");
  const json::value* const written = object->if_contains("window");
  const bool has_both = number != nullptr && number->is_int64() && written != nullptr && written->is_string();
  if (!has_both || number->get_int64() < 1) return false;
  const auto& text = written->get_string();
  limit = limit_of(static_cast<std::uint64_t>(number->get_int64()), {text.data(), text.size()});
  return limit.has_value();
}

}  // namespace

std::optional<std::shared_ptr<const policy::Restrictions>> read_restrictions(const RestrictionMembers& members) {
  if (members.allowed_cidrs == nullptr && members.rate_limit == nullptr) return nullptr;
  auto restrictions = std::make_shared<policy::Restrictions>();
  if (members.allowed_cidrs != nullptr && !read_blocks(*members.allowed_cidrs, restrictions->allowed_from)) {
    return std::nullopt;
  }
  if (members.rate_limit != nullptr && !read_limit(*members.rate_limit, restrictions->rate_limit)) return std::nullopt;
  return restrictions;
}

void write_restrictions(const policy::Restrictions& restrictions, json::object& object) {
  if (!restrictions.allowed_from.empty()) {
    json::array list;
    for (const auto& block : restrictions.allowed_from) {
      const std::string text = policy::to_string(block);
      list.emplace_back(json::string_view(text.data(), text.size()));
    }
    object["allowed_cidrs"] = std::move(list);
  }
  if (restrictions.rate_limit) {
    const std::string window = std::to_string(restrictions.rate_limit->window.count()) + "s";
    json::object limit;
    limit["limit"] = restrictions.rate_limit->limit;
    limit["window"] = json::string_view(window.data(), window.size());
    object["rate_limit"] = std::move(limit);
  }
}

std::optional<policy::RateLimit> parse_rate(std::string_view text) {
  std::uint64_t requests = 0;
  const auto [rest, fault] = std::from_chars(text.data(), text.data() + text.size(), requests);
  const auto done = static_cast<std::size_t>(rest - text.data());
  if (fault != std::errc{} || !text.substr(done).starts_with('/')) return std::nullopt;
  return limit_of(requests, text.substr(done + 1));
}

std::optional<std::vector<policy::AddressBlock>> parse_blocks(std::string_view text) {
  std::vector<policy::AddressBlock> blocks;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const auto block = policy::parse_block(std::string(text.substr(0, end)));
    if (!block) return std::nullopt;
    blocks.push_back(*block);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return blocks;
}

std::string rate_text(const policy::RateLimit& limit) {
  const auto seconds = limit.window.count();
  const std::string window = seconds % 86'400 == 0  ? std::to_string(seconds / 86'400) + "d"
                             : seconds % 3'600 == 0 ? std::to_string(seconds / 3'600) + "h"
                             : seconds % 60 == 0    ? std::to_string(seconds / 60) + "m"
                                                    : std::to_string(seconds) + "s";
  return std::to_string(limit.limit) + "/" + window;
}

std::string blocks_text(const std::vector<policy::AddressBlock>& blocks) {
  std::string text;
  for (const auto& block : blocks) text += (text.empty() ? "" : " ") + policy::to_string(block);
  return text;
}

bool are_fit(const policy::Restrictions& restrictions) {
  const auto& limit = restrictions.rate_limit;
  return restrictions.allowed_from.size() <= policy::max_blocks &&
         (!limit || policy::limit_flaw(limit->limit, limit->window).empty());
}

}  // namespace keygate::keys
