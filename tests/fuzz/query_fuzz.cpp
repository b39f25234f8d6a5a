// A credential in a query: what is found is what is taken out, nothing is left that the most lenient parser would read
// as the credential, and all else stays byte for byte in its order. Input: a parameter's name, a line end, and the
// query; without a line end the name is api_key.
#include "keys/credential.hpp"
#include "tests/fuzz/probe.hpp"

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

namespace keygate::fuzz {
namespace {

using keys::CredentialPlan;
using keys::Presented;

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> pieces;
  while (true) {
    const auto end = text.find_first_of(separators);
    pieces.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return pieces;
    text.remove_prefix(end + 1);
  }
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// As the most lenient upstream decodes: once, '+' as blank, what is no escape as it stands.
std::string decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto digits = text.substr(std::min(i + 1, text.size()), 2);
    const bool is_escape = text[i] == '%' && digits.size() == 2 &&
                           digits.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
    if (is_escape) {
      result += static_cast<char>(std::stoul(std::string(digits), nullptr, 16));
      i += 2;
    } else {
      result += text[i] == '+' ? ' ' : text[i];
    }
  }
  return result;
}

bool is_credential(std::string_view piece, const std::string& name) {
  return lower(decoded(piece.substr(0, piece.find('=')))) == lower(name);
}

std::string without(std::string_view query, const std::string& name) {
  std::string rest;
  bool is_first = true;
  for (const auto piece : split(query, "&")) {
    if (is_credential(piece, name)) continue;
    rest += (is_first ? "" : "&") + std::string(piece);
    is_first = false;
  }
  return rest;
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("-._~").find(c) != std::string_view::npos;
  });
}

CredentialPlan plan_for(const std::string& name) {
  config::CredentialSettings settings;
  settings.sources = {{config::CredentialSource::Kind::query, name}};
  return CredentialPlan(settings);
}

std::string stripped(const CredentialPlan& plan, std::string_view query) {
  std::vector<char> room(query.size());  // exactly: what is written beyond it is seen
  const std::size_t size = plan.strip_query(query, room.data());
  hold(size <= query.size(), "a query does not grow");
  return {room.data(), size};
}

}  // namespace

void probe(std::string_view input) {
  const auto line_end = input.find('\n');
  const auto first_line = line_end == std::string_view::npos ? std::string_view("api_key") : input.substr(0, line_end);
  if (!is_name(first_line)) return;  // no configuration has such a name
  const std::string name(first_line);
  const auto query = line_end == std::string_view::npos ? input : input.substr(line_end + 1);
  const CredentialPlan plan = plan_for(name);

  const std::string rest = stripped(plan, query);
  for (const auto piece : split(rest, "&;")) hold(!is_credential(piece, name), "no credential is left");
  hold_equal(stripped(plan, rest), rest, "what is left has nothing to be taken out");
  std::vector<char> in_place(query.begin(), query.end());
  in_place.resize(plan.strip_query({in_place.data(), in_place.size()}, in_place.data()));
  hold_equal({in_place.data(), in_place.size()}, rest, "it can be taken out in place");

  if (plan.is_query_ambiguous(query)) return;  // refused before anyone asks
  hold_equal(rest, without(query, name), "the other parameters stay byte for byte, in their order");
  const Presented found = plan.extract({}, query);
  const auto parameters = split(query, "&");
  const auto count = std::count_if(parameters.begin(), parameters.end(),
                                   [&](std::string_view piece) { return is_credential(piece, name); });
  hold_equal(found.kind == Presented::Kind::nothing, count == 0, "what is found is what is taken out");
  hold(found.kind != Presented::Kind::one || count == 1, "of two none is believed");
  hold((found.kind == Presented::Kind::ambiguous) == (count > 1), "two are ambiguous");
}

}  // namespace keygate::fuzz
