// What does the body of a call to the key server say? Strict: an unknown member or a wrong type is a bad_request,
// thrown as an ApiProblem that names it.
#pragma once

#include <boost/json/object.hpp>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::app {

class ApiBody {
 public:
  // An object with no other members than `known`; an empty text is an empty object.
  ApiBody(std::string_view text, std::initializer_list<std::string_view> known);
  ApiBody(boost::json::object object, std::initializer_list<std::string_view> known);

  // Empty where it is absent or null.
  std::string text(std::string_view name) const;
  std::string required_text(std::string_view name) const;
  std::vector<std::string> texts(std::string_view name) const;
  std::vector<boost::json::object> objects(std::string_view name) const;
  std::int64_t required_integer(std::string_view name) const;
  // A number of seconds, or a duration in whole seconds such as "90d".
  std::optional<std::int64_t> seconds(std::string_view name) const;
  const boost::json::value* find(std::string_view name) const;  // null: absent, or null

 private:
  void check_members(std::initializer_list<std::string_view> known) const;

  boost::json::object object_;
};

}  // namespace keygate::app
