// JSON of strangers: taken exactly where the grammar takes it and no member stands twice, and what it says is what the
// grammar finds in it.
#include "keys/strict_json.hpp"
#include "tests/fuzz/naive_json.hpp"
#include "tests/fuzz/probe.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <cmath>
#include <string>

namespace keygate::fuzz {
namespace {

namespace json = boost::json;

void hold_same(const json::value& value, const Json& naive);

void hold_same_number(const json::value& value, const Json& naive) {
  hold(value.is_number(), "a number is a number");
  if (const auto whole = naive.integer()) {
    hold(value.is_int64() && value.get_int64() == *whole, "a whole number is the same");
    return;
  }
  hold(!value.is_int64(), "no other number passes for a whole one of 64 bits");
}

void hold_same_object(const json::object& object, const Json& naive) {
  hold_equal(object.size(), naive.members.size(), "as many members");
  std::size_t at = 0;
  for (const auto& [name, value] : object) {
    hold_equal(std::string_view(name.data(), name.size()), naive.members[at].first, "members by their names, in order");
    hold_same(value, naive.members[at++].second);
  }
}

void hold_same(const json::value& value, const Json& naive) {
  switch (naive.kind) {
    case Json::Kind::null:
      return hold(value.is_null(), "null is null");
    case Json::Kind::boolean:
      return hold(value.is_bool() && value.get_bool() == naive.is_true, "a boolean is the same");
    case Json::Kind::number:
      return hold_same_number(value, naive);
    case Json::Kind::string:
      hold(value.is_string(), "a string is a string");
      return hold_equal(std::string_view(value.get_string().data(), value.get_string().size()), naive.text,
                        "and means the same");
    case Json::Kind::array:
      hold(value.is_array() && value.get_array().size() == naive.items.size(), "an array has as many elements");
      for (std::size_t i = 0; i < naive.items.size(); ++i) hold_same(value.get_array()[i], naive.items[i]);
      return;
    case Json::Kind::object:
      hold(value.is_object(), "an object is an object");
      return hold_same_object(value.get_object(), naive);
  }
}

// Boost.JSON gives up on an exponent that no double has room for.
bool has_huge_exponent(const Json& value) {
  const auto exponent = value.kind == Json::Kind::number ? value.text.find_first_of("eE") : std::string::npos;
  if (exponent != std::string::npos && value.text.size() - exponent > 8) return true;
  for (const Json& item : value.items) {
    if (has_huge_exponent(item)) return true;
  }
  for (const auto& [name, member] : value.members) {
    if (has_huge_exponent(member)) return true;
  }
  return false;
}

}  // namespace

void probe(std::string_view input) {
  for (const std::size_t depth : {std::size_t{8}, std::size_t{1}}) {
    const auto naive = naive_json(input, depth);
    const auto read = keys::parse_strict_json(input, depth);
    hold(!read || naive, "what is taken is JSON without a member twice, and not too deep");
    if (!read && naive && !has_huge_exponent(*naive)) broken("JSON is taken");
    if (!read) continue;
    hold_same(*read, *naive);
    const std::string written = json::serialize(*read);
    const auto again = naive_json(written, depth);
    if (!again) continue;  // a number over what a double holds is written as no JSON
    hold(keys::parse_strict_json(written, depth).has_value(), "what was taken is taken again as it is written");
  }
}

}  // namespace keygate::fuzz
