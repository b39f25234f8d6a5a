// A credential in a cookie: what is found is what is taken out, and all other pairs stay byte for byte in their order.
// Input: a cookie's name, a line end, and the value of the Cookie header; without a line end the name is session.
#include "keys/credential.hpp"
#include "tests/fuzz/probe.hpp"
#include "tests/fuzz/strict_head.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace keygate::fuzz {
namespace {

using keys::CredentialPlan;
using keys::Presented;

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> pairs;
  while (true) {
    const auto end = text.find(';');
    pairs.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return pairs;
    text.remove_prefix(end + 1);
  }
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_credential(std::string_view pair, std::string_view name) {
  return trimmed(pair.substr(0, pair.find('='))) == name;
}

// The pairs that stay, with their semicolons; the blanks before the first go with the pair that they set it off from.
std::string without(std::string_view value, std::string_view name) {
  const auto pairs = split(value);
  std::string rest;
  bool is_first = true;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (is_credential(pairs[i], name)) continue;
    auto pair = pairs[i];
    while (is_first && i > 0 && pair.starts_with(' ')) pair.remove_prefix(1);
    rest += (is_first ? "" : ";") + std::string(pair);
    is_first = false;
  }
  return rest;
}

CredentialPlan plan_for(std::string_view name) {
  config::CredentialSettings settings;
  settings.sources = {{config::CredentialSource::Kind::cookie, std::string(name)}};
  return CredentialPlan(settings);
}

std::string stripped(const CredentialPlan& plan, std::string_view value) {
  std::vector<char> room(value.size());
  const std::size_t size = plan.strip_cookie(value, room.data());
  hold(size <= value.size(), "a Cookie value does not grow");
  return {room.data(), size};
}

}  // namespace

void probe(std::string_view input) {
  const auto line_end = input.find('\n');
  const auto name = line_end == std::string_view::npos ? std::string_view("session") : input.substr(0, line_end);
  if (!is_strict_token(name) || name.size() > 64) return;  // no configuration has such a name
  const auto value = line_end == std::string_view::npos ? input : input.substr(line_end + 1);
  const CredentialPlan plan = plan_for(name);

  const std::string rest = stripped(plan, value);
  for (const auto pair : split(rest)) hold(!is_credential(pair, name), "no credential is left");
  hold_equal(rest, without(value, name), "the other pairs stay byte for byte, in their order");
  hold_equal(stripped(plan, rest), rest, "what is left has nothing to be taken out");
  std::vector<char> in_place(value.begin(), value.end());
  in_place.resize(plan.strip_cookie({in_place.data(), in_place.size()}, in_place.data()));
  hold_equal({in_place.data(), in_place.size()}, rest, "it can be taken out in place");

  const std::array<policy::HeaderField, 1> headers{{{"Cookie", value}}};
  const Presented found = plan.extract(headers, "");
  const auto pairs = split(value);
  const auto count =
      std::count_if(pairs.begin(), pairs.end(), [&](std::string_view pair) { return is_credential(pair, name); });
  hold_equal(found.kind == Presented::Kind::nothing, count == 0, "what is found is what is taken out");
  hold((found.kind == Presented::Kind::ambiguous) == (count > 1), "two are ambiguous");
}

}  // namespace keygate::fuzz
