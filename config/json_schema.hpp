// What a reader takes, as JSON Schema (draft 7, which editors know): text that is put together as the readers are, so
// that every key of the format is in it. For editors: what it passes, `keygate check` may still find fault with.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::config {

struct SchemaKey {
  std::string name, description, schema;
  bool is_required = false;
};

// A scalar of any type, as quotes mean nothing to what is read as text. `pattern`: of what is quoted or no number.
std::string schema_of_text(std::string_view pattern = {});
// The same of one type, or a variable that becomes it.
std::string schema_of_boolean();
std::string schema_of_whole_number(std::uint64_t least, std::uint64_t most);
std::string schema_of_fraction();
std::string schema_of_duration();
std::string schema_of_size(const std::vector<std::string>& words = {});
std::string schema_of_words(const std::vector<std::string>& words);
std::string schema_of_list(std::string_view item);
std::string schema_of_map(std::string_view item);
std::string schema_of_object(const std::vector<SchemaKey>& keys);
std::string schema_of_any(const std::vector<std::string>& choices);
std::string schema_of_null();
// `schema`, and these keys stand there.
std::string schema_with(std::string_view schema, const std::vector<std::string>& required);

// A whole schema with a head of its own, indented.
std::string whole_schema(std::string_view schema, std::string_view title);

}  // namespace keygate::config
