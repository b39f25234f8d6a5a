// Where a request carries its key: one value in one place, or the same in several, and nothing that two programs could
// read as two. Held against a reading that gathers all of them first and asks then.
// Input: the query, and then a header field a line: NAME:VALUE.
#include "keys/credential.hpp"
#include "tests/fuzz/probe.hpp"
#include "tests/fuzz/strict_head.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace keygate::fuzz {
namespace {

using keys::Presented;
using policy::Environment;
using Kind = Presented::Kind;

keys::CredentialPlan plan_with(std::vector<config::KeyFormatSettings> formats) {
  using Source = config::CredentialSource::Kind;
  config::CredentialSettings settings;
  settings.sources = {
      {Source::bearer, ""}, {Source::header, "x-api-key"}, {Source::query, "api_key"}, {Source::cookie, "session"}};
  settings.formats = std::move(formats);
  return keys::CredentialPlan(settings);
}

bool consists_of(std::string_view text, std::string_view more) {
  return std::all_of(text.begin(), text.end(), [more](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || more.find(c) != more.npos;
  });
}

struct Reading {
  std::vector<std::string> values;
  bool is_doubled = false;
  bool is_malformed = false;

  void take(const std::vector<std::string>& of_one_place) {
    is_doubled |= of_one_place.size() > 1;
    if (!of_one_place.empty()) values.push_back(of_one_place.back());
  }
};

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  return first == std::string_view::npos ? "" : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// RFC 9110 §11.4 and RFC 6750 §2.1.
void read_authorization(const std::vector<std::string>& values, Reading& reading) {
  reading.is_doubled |= values.size() > 1;
  if (values.size() != 1) return;
  const std::string_view value = values[0];
  const auto scheme = value.substr(0, value.find_first_of(" \t"));
  const auto rest = value.substr(scheme.size());
  const auto token = rest.substr(std::min(rest.find_first_not_of(' '), rest.size()));
  const auto body = token.substr(0, token.find_last_not_of('=') + 1);
  // What is no token at all begins no scheme that could be another one than Bearer.
  const auto word = value.substr(0, static_cast<std::size_t>(std::find_if_not(value.begin(), value.end(),
                                                                              [](char c) {
                                                                                return is_strict_token({&c, 1});
                                                                              }) -
                                                             value.begin()));
  if (!word.empty() && lower(word) != "bearer") return;
  if (word != scheme || word.empty() || rest.empty() || rest[0] != ' ' || body.empty() ||
      !consists_of(body, "-._~+/")) {
    reading.is_malformed = true;
    return;
  }
  reading.values.emplace_back(token);
}

// Names in a query as the most lenient upstream reads them.
bool is_api_key(std::string_view name) {
  std::string read;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto digits = name.substr(i + 1, 2);
    if (name[i] == '%' && digits.size() == 2 && digits.find_first_not_of("0123456789abcdefABCDEF") == digits.npos) {
      read += static_cast<char>(std::stoul(std::string(digits), nullptr, 16));
      i += 2;
    } else {
      read += name[i] == '+' ? ' ' : name[i];
    }
  }
  return lower(read) == "api_key";
}

void read_query(std::string_view query, Reading& reading) {
  std::vector<std::string> values;
  for (const auto piece : split(query, '&')) {
    const auto equals = piece.find('=');
    if (is_api_key(piece.substr(0, equals))) values.emplace_back(equals == piece.npos ? "" : piece.substr(equals + 1));
  }
  if (!values.empty()) reading.is_malformed |= values.back().find_first_of("%+") != std::string::npos;
  reading.take(values);
}

void read_cookies(const std::vector<std::string>& headers, Reading& reading) {
  std::vector<std::string> values;
  for (const auto& header : headers) {
    for (const auto piece : split(header, ';')) {
      const auto pair = trimmed(piece);
      const auto equals = pair.find('=');
      if (trimmed(pair.substr(0, equals)) != "session") continue;
      values.emplace_back(equals == pair.npos ? "" : pair.substr(equals + 1));
    }
  }
  reading.take(values);
}

bool is_open(std::string_view key) { return key.size() >= 20 && key.size() <= 256 && consists_of(key, "._~+/=-"); }

using EnvironmentOf = std::optional<Environment> (*)(std::string_view key);

std::optional<Environment> without_formats(std::string_view key) {
  return is_open(key) ? std::optional(Environment::none) : std::nullopt;
}

// The longest prefix decides, whether or not the key then fits.
std::optional<Environment> with_formats(std::string_view key) {
  const auto fits = [key](std::size_t prefix) { return key.size() == 24 && consists_of(key.substr(prefix), ""); };
  if (key.starts_with("rk_test_")) return fits(8) ? std::optional(Environment::test) : std::nullopt;
  if (key.starts_with("rk_")) return fits(3) ? std::optional(Environment::live) : std::nullopt;
  return key.starts_with("open.") ? without_formats(key) : std::nullopt;
}

Kind due_kind(const Reading& reading, EnvironmentOf environment_of) {
  const auto& values = reading.values;
  const bool differ = std::any_of(values.begin(), values.end(), [&](const auto& value) { return value != values[0]; });
  if (reading.is_doubled || differ) return Kind::ambiguous;
  if (reading.is_malformed) return Kind::malformed;
  if (values.empty()) return Kind::nothing;
  return environment_of(values[0]) ? Kind::one : Kind::malformed;
}

void check(const Presented& found, const Reading& reading, EnvironmentOf environment_of) {
  const Kind kind = found.kind == Kind::unfit ? Kind::malformed : found.kind;
  hold_equal(static_cast<unsigned>(kind), static_cast<unsigned>(due_kind(reading, environment_of)),
             "nothing (0), one (1), ambiguous (2) or malformed (3), as all the places together say");
  if (found.kind == Kind::unfit) return;
  if (found.kind != Kind::one) {
    hold(found.secret.size() == 0, "only one key is a key");
    return;
  }
  hold_equal(found.secret.reveal(), reading.values[0], "the key is what stands there");
  hold(found.environment == *environment_of(reading.values[0]), "its longest prefix says its environment");
}

}  // namespace

void probe(std::string_view input) {
  const auto lines = split(input, '\n');
  std::vector<policy::HeaderField> headers;
  for (auto line = lines.begin() + 1; line != lines.end(); ++line) {
    const auto colon = std::min(line->find(':'), line->size());
    headers.push_back({line->substr(0, colon), trimmed(line->substr(std::min(colon + 1, line->size())))});
  }
  const auto all = [&headers](std::string_view name) {
    std::vector<std::string> values;
    for (const auto& field : headers) {
      if (lower(field.name) == name) values.emplace_back(field.value);
    }
    return values;
  };
  Reading reading;
  read_authorization(all("authorization"), reading);
  reading.take(all("x-api-key"));
  read_query(lines[0], reading);
  read_cookies(all("cookie"), reading);

  static const auto open = plan_with({});
  static const auto strict =
      plan_with({{.prefix = "rk_", .environment = Environment::live, .length = 24, .where = {}},
                 {.prefix = "rk_test_", .environment = Environment::test, .length = 24, .where = {}},
                 {.prefix = "open.", .where = {}}});
  check(open.extract(headers, lines[0]), reading, without_formats);
  check(strict.extract(headers, lines[0]), reading, with_formats);
}

}  // namespace keygate::fuzz
