#include "keys/strict_json.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parser.hpp>
#include <boost/json/storage_ptr.hpp>

#include <array>
#include <utility>

namespace keygate::keys {

namespace {

namespace json = boost::json;
using boost::system::error_code;

// Counts the members that stand in a text.
struct MemberCount {
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) { return true; }
  bool on_object_end(std::size_t, error_code&) { return true; }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t, error_code&) { return true; }
  bool on_key_part(json::string_view, std::size_t, error_code&) { return true; }
  bool on_key(json::string_view, std::size_t, error_code&) {
    ++members;
    return true;
  }
  bool on_string_part(json::string_view, std::size_t, error_code&) { return true; }
  bool on_string(json::string_view, std::size_t, error_code&) { return true; }
  bool on_number_part(json::string_view, error_code&) { return true; }
  bool on_int64(std::int64_t, json::string_view, error_code&) { return true; }
  bool on_uint64(std::uint64_t, json::string_view, error_code&) { return true; }
  bool on_double(double, json::string_view, error_code&) { return true; }
  bool on_bool(bool, error_code&) { return true; }
  bool on_null(error_code&) { return true; }
  bool on_comment_part(json::string_view, error_code&) { return true; }
  bool on_comment(json::string_view, error_code&) { return true; }

  std::size_t members = 0;
};

// As deep as the text at most.
std::size_t members_of(const json::value& value) {
  std::size_t members = 0;
  if (const json::object* object = value.if_object()) {
    members = object->size();
    for (const auto& member : *object) members += members_of(member.value());
  } else if (const json::array* array = value.if_array()) {
    for (const json::value& element : *array) members += members_of(element);
  }
  return members;
}

}  // namespace

// Where an object names a member again, Boost.JSON takes the last: there are fewer then than stand in the text.
std::optional<json::value> parse_strict_json(std::string_view text, std::size_t max_depth) {
  json::parse_options options;
  options.max_depth = max_depth;
  json::basic_parser<MemberCount> count(options);
  error_code error;
  const std::size_t taken = count.write_some(false, text.data(), text.size(), error);
  if (error || taken != text.size()) return std::nullopt;
  // All of it in one piece of memory, which lives as long as the value does.
  auto memory = json::make_shared_resource<json::monotonic_resource>(2 * text.size());
  std::array<unsigned char, 4096> room;  // for what is under way; on the heap only where there is more
  json::parser parser({}, options, room.data(), room.size());
  parser.reset(std::move(memory));
  parser.write(json::string_view(text.data(), text.size()), error);
  if (error) return std::nullopt;
  json::value value = parser.release();
  if (members_of(value) != count.handler().members) return std::nullopt;
  return value;
}

}  // namespace keygate::keys
