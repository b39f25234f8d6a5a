// The effective configuration as YAML: each value with where it comes from behind it.
#include "app/effective.hpp"
#include "app/explain_paper.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <ostream>

namespace keygate::app {

namespace json = boost::json;

namespace {

constexpr std::size_t note_column = 44;

// A word that YAML reads as the same text, and as nothing else: no number, no boolean, no null, no octal.
bool is_plain_word(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto is_fit = [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '/' || c == '-' || c == ':';
  };
  const bool is_duration = !text.empty() && text.front() >= '1' && text.front() <= '9' && is_letter(text.back());
  const bool begins_well =
      !text.empty() && (is_letter(text.front()) || text.front() == '/' || is_duration || text == "0s");
  static constexpr std::string_view special[] = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"};
  const auto is_same = [&](std::string_view word) {  // Null and NULL are nothing, too
    return std::ranges::equal(word, text, [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b | 0x20 : b); });
  };
  return begins_well && text.back() != ':' && std::ranges::all_of(text, is_fit) &&
         std::ranges::none_of(special, is_same);
}

std::string scalar_text(const json::value& value) {
  if (value.is_double()) {         // as people write it: not 1E-2
    std::array<char, 512> room{};  // the smallest there is takes some 350
    const auto [end, fault] =
        std::to_chars(room.data(), room.data() + room.size(), value.get_double(), std::chars_format::fixed);
    if (fault == std::errc{}) return {room.data(), end};
  }
  if (!value.is_string()) return json::serialize(value);
  const std::string_view text(value.get_string().data(), value.get_string().size());
  if (is_plain_word(text)) return std::string(text);
  std::string quoted = json::serialize(value);  // what JSON escapes, YAML reads alike
  for (std::size_t at = quoted.find('$'); at != std::string::npos; at = quoted.find('$', at + 2))
    quoted.insert(at, "$");
  return quoted;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "${" : ", ${") + name + "}";
  return text;
}

std::string origin_text(const Effective& one, const config::EnvironmentLookup& environment) {
  if (one.where) {
    std::string text = *one.where->file + ":" + std::to_string(one.where->line);
    if (one.variables.empty()) return text;
    const bool is_set = std::ranges::any_of(one.variables, [&](const std::string& name) {
      const auto value = environment(name);
      return value && !value->empty();
    });
    return text + ", " + joined(one.variables) + (is_set ? " of the environment" : ", which is not set");
  }
  return one.variable.empty() ? "default" : one.variable + " of the environment";
}

class YamlPrinter {
 public:
  YamlPrinter(std::ostream& out, const config::EnvironmentLookup& environment, bool has_colour)
      : out_(out), environment_(environment), paper_(out, has_colour) {}

  // `lead`: what stands before the first line of it, such as "- ".
  void members(const Effective& map, const std::string& indent, std::string lead) {
    for (const auto& [name, member] : map.members) {
      entry(member, lead + name + ":", indent);
      lead = indent;
    }
  }

 private:
  void entry(const Effective& one, const std::string& head, const std::string& indent) {
    switch (one.kind) {
      case Effective::Kind::scalar:
        return line(head + " " + scalar_text(one.value), origin_text(one, environment_),
                    !one.where && one.variable.empty());
      case Effective::Kind::map:
        out_ << head << '\n';
        return members(one, indent + "  ", indent + "  ");
      case Effective::Kind::list:
        out_ << head << '\n';
        for (const auto& item : one.members) {
          if (item.second.kind == Effective::Kind::map) {
            members(item.second, indent + "    ", indent + "  - ");
          } else {
            entry(item.second, indent + "  -", indent + "  ");
          }
        }
        return;
    }
  }

  void line(std::string text, const std::string& note, bool is_default) {
    text.resize(std::max(text.size() + 2, note_column), ' ');
    out_ << text << paper_.faint("# ") << (is_default ? paper_.faint(note) : paper_.good(harmless(note))) << '\n';
  }

  std::ostream& out_;
  const config::EnvironmentLookup& environment_;
  Paper paper_;
};

}  // namespace

void print_yaml(std::ostream& out, const Effective& root, const config::EnvironmentLookup& environment,
                ConfigStyle style) {
  YamlPrinter(out, environment, style.has_colour).members(root, "", "");
}

}  // namespace keygate::app
