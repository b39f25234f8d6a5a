#include "app/key_api_body.hpp"

#include "app/key_api.hpp"
#include "config/quantity.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <utility>

namespace keygate::app {

namespace json = boost::json;

namespace {

[[noreturn]] void refuse(std::string detail) { throw ApiProblem{ApiReason::bad_request, std::move(detail), {}}; }

std::string named(std::string_view name) { return '"' + std::string(name) + '"'; }

json::object parsed_object(std::string_view text) {
  if (text.empty()) return {};
  json::parse_options options;
  options.max_depth = 8;
  boost::system::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error, {}, options);
  if (error || !value.is_object()) refuse("The body has to be one JSON object.");
  return std::move(value.as_object());
}

}  // namespace

ApiBody::ApiBody(std::string_view text, std::initializer_list<std::string_view> known) : object_(parsed_object(text)) {
  check_members(known);
}

ApiBody::ApiBody(json::object object, std::initializer_list<std::string_view> known) : object_(std::move(object)) {
  check_members(known);
}

void ApiBody::check_members(std::initializer_list<std::string_view> known) const {
  for (const auto& member : object_) {
    const std::string_view name(member.key().data(), member.key().size());
    if (std::ranges::find(known, name) != known.end()) continue;
    std::string list;
    for (const std::string_view one : known) list += (list.empty() ? "" : ", ") + std::string(one);
    refuse("The body may have these members: " + list + ".");
  }
}

const json::value* ApiBody::find(std::string_view name) const {
  const json::value* const value = object_.if_contains({name.data(), name.size()});
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::string ApiBody::text(std::string_view name) const {
  const json::value* const value = find(name);
  if (value == nullptr) return {};
  if (!value->is_string()) refuse(named(name) + " has to be a text.");
  return std::string(value->as_string());
}

std::string ApiBody::required_text(std::string_view name) const {
  std::string found = text(name);
  if (found.empty()) refuse(named(name) + " is missing.");
  return found;
}

std::vector<std::string> ApiBody::texts(std::string_view name) const {
  std::vector<std::string> found;
  const json::value* const value = find(name);
  if (value == nullptr) return found;
  if (!value->is_array()) refuse(named(name) + " has to be a list of texts.");
  for (const json::value& one : value->as_array()) {
    if (!one.is_string()) refuse(named(name) + " has to be a list of texts.");
    found.emplace_back(one.as_string());
  }
  return found;
}

std::vector<json::object> ApiBody::objects(std::string_view name) const {
  std::vector<json::object> found;
  const json::value* const value = find(name);
  if (value == nullptr || !value->is_array()) refuse(named(name) + " has to be a list of objects.");
  for (const json::value& one : value->as_array()) {
    if (!one.is_object()) refuse(named(name) + " has to be a list of objects.");
    found.push_back(one.as_object());
  }
  return found;
}

std::int64_t ApiBody::required_integer(std::string_view name) const {
  const json::value* const value = find(name);
  if (value == nullptr || !value->is_int64()) refuse(named(name) + " has to be a whole number.");
  return value->as_int64();
}

std::optional<std::int64_t> ApiBody::seconds(std::string_view name) const {
  const json::value* const value = find(name);
  if (value == nullptr) return std::nullopt;
  constexpr std::int64_t most = std::int64_t{100} * 366 * 24 * 3600;
  if (value->is_int64() && value->as_int64() >= 0 && value->as_int64() <= most) return value->as_int64();
  if (value->is_string()) {
    const auto duration = config::parse_duration(std::string(value->as_string()));
    if (duration && duration->count() >= 0 && duration->count() % 1'000 == 0 && duration->count() / 1'000 <= most) {
      return duration->count() / 1'000;
    }
  }
  refuse(named(name) + " has to be a number of seconds, or a duration in whole seconds such as \"90d\".");
}

}  // namespace keygate::app
