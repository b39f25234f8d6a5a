#include "config/environment.hpp"

#include <cstdlib>

namespace keygate::config {
namespace {

bool is_name(const std::string& text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  return text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
}

// What stands between the braces: NAME or NAME:-default.
Parsed<std::string> value_of(const std::string& reference, const EnvironmentLookup& environment) {
  const auto colon = reference.find(':');
  const auto name = reference.substr(0, colon);
  const bool has_default = colon != std::string::npos;
  if (!is_name(name) || (has_default && reference.compare(colon, 2, ":-") != 0)) {
    return Fault{"a ${ here begins no reference", "write ${NAME} or ${NAME:-default}"};
  }
  const auto value = environment(name);
  if (has_default && (!value || value->empty())) return reference.substr(colon + 2);
  if (!value)
    return Fault{"the environment variable " + name + " is not set", "set it, or write ${" + name + ":-default}"};
  return *value;
}

}  // namespace

Parsed<std::string> substitute(const std::string& text, const EnvironmentLookup& environment) {
  std::string result;
  std::size_t done = 0;
  for (auto dollar = text.find('$'); dollar != std::string::npos; dollar = text.find('$', done)) {
    result.append(text, done, dollar - done);
    const char next = dollar + 1 < text.size() ? text[dollar + 1] : '\0';
    if (next == '$') {
      result += '$';
      done = dollar + 2;
      continue;
    }
    if (next == '\0') {
      return Fault{"a single dollar stands at the end", "write $$ for a dollar; nothing here is a regular expression"};
    }
    if (next != '{') return Fault{"a single dollar stands here", "write $$ for a dollar, ${NAME} for a variable"};
    const auto end = text.find('}', dollar);
    if (end == std::string::npos) return Fault{"a ${ here is never closed", "write ${NAME}, or $$ for a dollar"};
    auto value = value_of(text.substr(dollar + 2, end - dollar - 2), environment);
    if (auto* fault = std::get_if<Fault>(&value)) return std::move(*fault);
    result += std::get<std::string>(value);
    done = end + 1;
  }
  return result.append(text, done, std::string::npos);
}

std::optional<std::string> process_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

}  // namespace keygate::config
