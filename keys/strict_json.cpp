#include "keys/strict_json.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parser.hpp>
#include <boost/json/storage_ptr.hpp>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace keygate::keys {

namespace {

namespace json = boost::json;
using boost::system::error_code;

// The names of one object's members so far. Nearly all objects have few: those are kept in a row.
class Names {
 public:
  Names() { few_.reserve(most_in_a_row); }

  // False: it stood there already.
  bool add(const std::string& name) {
    if (std::ranges::find(few_, name) != few_.end() || many_.contains(name)) return false;
    if (few_.size() < most_in_a_row) {
      few_.push_back(name);
    } else {
      many_.insert(name);
    }
    return true;
  }

 private:
  static constexpr std::size_t most_in_a_row = 16;
  std::vector<std::string> few_;
  std::set<std::string> many_;
};

// Hears what stands in a text, and stops it where an object names a member again: Boost.JSON would take the last.
struct MemberWatch {
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) {
    open.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t, error_code&) {
    open.pop_back();
    return true;
  }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t, error_code&) { return true; }
  bool on_key_part(json::string_view part, std::size_t, error_code&) {
    key.append(part.data(), part.size());
    return true;
  }
  bool on_key(json::string_view part, std::size_t, error_code& error) {
    key.append(part.data(), part.size());
    if (!open.back().add(key)) {
      error = json::error::syntax;
      return false;
    }
    key.clear();
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

  std::vector<Names> open;  // of each object that has begun
  std::string key;          // as far as it has been read
};

}  // namespace

std::optional<json::value> parse_strict_json(std::string_view text, std::size_t max_depth) {
  json::parse_options options;
  options.max_depth = max_depth;
  json::basic_parser<MemberWatch> watch(options);
  error_code error;
  const std::size_t taken = watch.write_some(false, text.data(), text.size(), error);
  if (error || taken != text.size()) return std::nullopt;
  // All of it in one piece of memory, which lives as long as the value does.
  auto memory = json::make_shared_resource<json::monotonic_resource>(2 * text.size());
  std::array<unsigned char, 4096> room;  // for what is under way; on the heap only where there is more
  json::parser parser({}, options, room.data(), room.size());
  parser.reset(std::move(memory));
  parser.write(json::string_view(text.data(), text.size()), error);
  if (error) return std::nullopt;
  return parser.release();
}

}  // namespace keygate::keys
