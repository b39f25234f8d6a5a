#include "app/path_shape.hpp"

#include "policy/path_template.hpp"
#include "policy/target.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <span>
#include <variant>

namespace keygate::app {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// In the form that a request is matched in; nullopt: no request has it.
std::optional<std::string> canonical_literal(const std::string& text, config::PathSettings rules) {
  constexpr char hex[] = "0123456789ABCDEF";
  std::string path = "/";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7F && std::string_view("\"<>\\^`|").find(c) == std::string_view::npos) {
      path += c;
      continue;
    }
    path += '%';
    path += hex[byte >> 4U];
    path += hex[byte & 15U];
  }
  rules.resolve_dots = false;  // a literal is what is left of it
  const auto parsed = policy::RequestTarget::parse(std::span<char>(path), rules);
  const auto* const target = std::get_if<policy::RequestTarget>(&parsed);
  return target == nullptr ? std::nullopt : std::optional(std::string(target->path().substr(1)));
}

// `text` with everything that no parameter's name has taken out.
std::string parameter_name(const std::string& text, std::set<std::string>& taken) {
  std::string name;
  for (const char c : text) {
    if (is_letter(c) || ((is_digit(c) || c == '-') && !name.empty())) name += c;
  }
  name = name.empty() ? "p" : name.substr(0, 48);
  std::string unique = name;
  for (int number = 2; !taken.insert(unique).second; ++number) unique = name + std::to_string(number);
  return unique;
}

}  // namespace

PolicyPath policy_path(const std::string& written, config::PathSettings rules) {
  PolicyPath path;
  std::set<std::string> taken;
  for (std::size_t begin = 1; begin < written.size();) {
    const std::size_t end = std::min(written.find('/', begin), written.size());
    const std::string segment = written.substr(begin, end - begin);
    begin = end + 1;
    const bool has_brace = segment.find_first_of("{}") != segment.npos;
    const auto literal = has_brace ? std::nullopt : canonical_literal(segment, rules);
    path.shape.push_back(literal.value_or(""));
    if (literal) {
      path.text += '/' + *literal;
      continue;
    }
    const bool is_whole =
        segment.size() > 2 && segment.front() == '{' && segment.find_first_of("{}", 1) == segment.size() - 1;
    path.is_wider = path.is_wider || !is_whole;
    path.text += "/{" + parameter_name(segment, taken) + '}';
  }
  if (path.text.empty()) path.text = "/";
  if (!std::holds_alternative<policy::PathTemplate>(policy::parse_path_template(path.text, rules))) path.text.clear();
  return path;
}

bool covers(const PathShape& outer, const PathShape& inner) {
  return outer != inner && std::ranges::equal(outer, inner, [](const std::string& wide, const std::string& narrow) {
           return wide.empty() || wide == narrow;
         });
}

bool cross(const PathShape& one, const PathShape& other) {
  const bool meet = std::ranges::equal(
      one, other, [](const std::string& a, const std::string& b) { return a.empty() || b.empty() || a == b; });
  return meet && one != other && !covers(one, other) && !covers(other, one);
}

PathShape meeting(const PathShape& one, const PathShape& other) {
  PathShape both = one;
  for (std::size_t i = 0; i < both.size(); ++i) {
    if (both[i].empty()) both[i] = other[i];
  }
  return both;
}

bool goes_first(const PathShape& one, const PathShape& other) {
  const auto [at, beside] = std::ranges::mismatch(one, other);
  return at != one.end() && !at->empty();
}

std::string text_of(const PathShape& shape) {
  std::string text;
  int number = 0;
  for (const std::string& segment : shape) {
    text += '/' + (segment.empty() ? "{p" + std::to_string(++number) + "}" : segment);
  }
  return text.empty() ? "/" : text;
}

}  // namespace keygate::app
