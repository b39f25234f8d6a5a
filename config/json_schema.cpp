#include "config/json_schema.hpp"

namespace keygate::config {
namespace {

// A value that holds ${NAME} is whatever the environment says.
constexpr std::string_view variable = R"({"type":"string","pattern":"\\$\\{"})";

std::string quoted_json(std::string_view text) {
  static constexpr char hex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += hex[static_cast<unsigned char>(c) >> 4U];
      out += hex[static_cast<unsigned char>(c) & 15U];
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : ",") + part;
  return out;
}

std::string quoted_all(const std::vector<std::string>& words) {
  std::vector<std::string> parts;
  for (const std::string& word : words) parts.push_back(quoted_json(word));
  return '[' + joined(parts) + ']';
}

std::string or_anything(std::string_view schema) { return schema.empty() ? "{}" : std::string(schema); }

// 1.2 without quotes is a number to a parser, and a word to us.
bool is_number(const std::string& word) {
  return !word.empty() && word.find_first_not_of("0123456789.") == std::string::npos;
}

void new_line(std::string& out, std::size_t depth) { out += '\n' + std::string(2 * depth, ' '); }

// JSON without blanks, with line ends and blanks; lists of plain values stay on one line.
std::string indented(std::string_view json) {
  std::string out;
  std::size_t depth = 0;
  bool is_in_text = false, is_flat = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (is_in_text || c == '"') {
      out += c;
      if (is_in_text && c == '\\') {
        out += json[++i];
      } else if (c == '"') {
        is_in_text = !is_in_text;
      }
      continue;
    }
    const bool is_empty = (c == '{' || c == '[') && i + 1 < json.size() && (json[i + 1] == '}' || json[i + 1] == ']');
    if (is_empty) {
      out += c;
      out += json[++i];
    } else if (c == '[' && json.find_first_of("{}", i) > json.find(']', i)) {
      is_flat = true;
      out += c;
    } else if (c == '{' || c == '[') {
      out += c;
      new_line(out, ++depth);
    } else if (c == ']' && is_flat) {
      is_flat = false;
      out += c;
    } else if (c == '}' || c == ']') {
      new_line(out, --depth);
      out += c;
    } else if (c == ',') {
      out += is_flat ? ", " : ",";
      if (!is_flat) new_line(out, depth);
    } else {
      out += c;
      if (c == ':') out += ' ';
    }
  }
  return out + '\n';
}

}  // namespace

std::string schema_of_text(std::string_view pattern) {
  if (pattern.empty()) return R"({"type":["string","number","boolean"],"minLength":1})";
  return R"({"type":["string","number"],"pattern":)" + quoted_json(pattern) + '}';
}

std::string schema_of_boolean() { return schema_of_any({R"({"type":"boolean"})", std::string(variable)}); }

std::string schema_of_whole_number(std::uint64_t least, std::uint64_t most) {
  return schema_of_any(
      {R"({"type":"integer","minimum":)" + std::to_string(least) + R"(,"maximum":)" + std::to_string(most) + '}',
       std::string(variable)});
}

std::string schema_of_fraction() {
  return schema_of_any({R"({"type":"number","minimum":0,"maximum":1})", std::string(variable)});
}

std::string schema_of_duration() { return R"({"type":"string","pattern":"^(0|[1-9][0-9]*)(ms|s|m|h|d)$|\\$\\{"})"; }

std::string schema_of_size(const std::vector<std::string>& words) {
  std::string pattern = "^(0|[1-9][0-9]*)(B|KiB|MiB|GiB)$|\\$\\{";
  for (const std::string& word : words) pattern += "|^" + word + '$';
  return schema_of_any(
      {R"({"type":"integer","minimum":0})", R"({"type":"string","pattern":)" + quoted_json(pattern) + '}'});
}

std::string schema_of_words(const std::vector<std::string>& words) {
  std::vector<std::string> parts;
  for (const std::string& word : words) {
    parts.push_back(quoted_json(word));
    if (is_number(word)) parts.push_back(word);
  }
  return schema_of_any({R"({"enum":[)" + joined(parts) + "]}", std::string(variable)});
}

std::string schema_of_list(std::string_view item) {
  return R"({"type":"array","minItems":1,"items":)" + or_anything(item) + '}';
}

std::string schema_of_map(std::string_view item) {
  return R"({"type":"object","minProperties":1,"additionalProperties":)" + or_anything(item) + '}';
}

std::string schema_of_object(const std::vector<SchemaKey>& keys) {
  std::vector<std::string> properties, required;
  for (const SchemaKey& key : keys) {
    std::string schema = or_anything(key.schema);
    const std::string described = R"({"description":)" + quoted_json(key.description);
    schema = schema == "{}" ? described + '}' : described + ',' + schema.substr(1);
    properties.push_back(quoted_json(key.name) + ':' + schema);
    if (key.is_required) required.push_back(key.name);
  }
  std::string out = R"({"type":"object","properties":{)" + joined(properties) + R"(},"additionalProperties":false)";
  if (!required.empty()) out += R"(,"required":)" + quoted_all(required);
  return out + '}';
}

std::string schema_of_any(const std::vector<std::string>& choices) {
  std::vector<std::string> parts;
  for (const std::string& choice : choices) parts.push_back(or_anything(choice));
  return R"({"anyOf":[)" + joined(parts) + "]}";
}

std::string schema_of_null() { return R"({"type":"null"})"; }

std::string schema_with(std::string_view schema, const std::vector<std::string>& required) {
  return R"({"allOf":[)" + or_anything(schema) + R"(,{"required":)" + quoted_all(required) + "}]}";
}

std::string whole_schema(std::string_view schema, std::string_view title) {
  return indented(R"({"$schema":"http://json-schema.org/draft-07/schema#","title":)" + quoted_json(title) + ',' +
                  or_anything(schema).substr(1));
}

}  // namespace keygate::config
