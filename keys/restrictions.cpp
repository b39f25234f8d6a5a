#include "keys/restrictions.hpp"

#include "config/quantity.hpp"

#include <boost/json/array.hpp>

#include <string>
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

bool read_limit(const json::value& value, std::optional<policy::RateLimit>& limit) {
  const json::object* const object = value.if_object();
  if (object == nullptr || object->size() != 2) return false;
  const json::value* const number = object->if_contains("limit");
  const json::value* const written = object->if_contains("window");
  const bool has_both = number != nullptr && number->is_int64() && written != nullptr && written->is_string();
  if (!has_both || number->get_int64() < 1) return false;
  const auto& text = written->get_string();
  const auto window = config::parse_duration({text.data(), text.size()});
  const auto requests = static_cast<std::uint64_t>(number->get_int64());
  if (!window || !policy::limit_flaw(requests, *window).empty()) return false;
  limit = policy::RateLimit{requests, std::chrono::duration_cast<std::chrono::seconds>(*window), {.key = true}};
  return true;
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

}  // namespace keygate::keys
