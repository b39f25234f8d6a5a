#include "keys/store_row.hpp"

#include "keys/restrictions.hpp"
#include "policy/scopes.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

namespace keygate::keys {

namespace {

constexpr std::size_t max_scopes = 256;
constexpr std::size_t max_name_size = 100;

std::vector<std::string> split_scopes(std::string_view text) {
  std::vector<std::string> scopes;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    scopes.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return scopes;
}

std::optional<policy::Environment> environment_of(std::string_view text) {
  for (const auto environment : {policy::Environment::none, policy::Environment::live, policy::Environment::test}) {
    if (policy::to_string(environment) == text) return environment;
  }
  return std::nullopt;
}

// A restriction that cannot be read is none that could be enforced.
std::optional<policy::Restrictions> restrictions_in(const sqlite::Statement& row, int first) {
  policy::Restrictions restrictions;
  auto blocks = parse_blocks(row.bytes(first));
  const std::string_view rate = row.bytes(first + 1);
  if (!rate.empty()) restrictions.rate_limit = parse_rate(rate);
  if (!blocks || (!rate.empty() && !restrictions.rate_limit)) return std::nullopt;
  restrictions.allowed_from = std::move(*blocks);
  return are_fit(restrictions) ? std::optional(std::move(restrictions)) : std::nullopt;
}

bool are_grants(const std::vector<std::string>& scopes) {
  return !scopes.empty() && scopes.size() <= max_scopes && std::ranges::all_of(scopes, policy::is_grant_name);
}

// The bytes of the character that `text` starts with, or 0 where that is no UTF-8 (RFC 3629) or a control.
std::size_t printable_size(std::string_view text) {
  const auto at = [text](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto continues = [&at](std::size_t i) { return (at(i) & 0xC0U) == 0x80U; };
  const unsigned first = at(0), second = at(1);
  if (first < 0x80) return first >= 0x20 && first != 0x7F ? 1 : 0;
  if (first < 0xC2 || first > 0xF4 || !continues(1)) return 0;
  if (first < 0xE0) return first == 0xC2 && second < 0xA0 ? 0 : 2;  // U+0080 to U+009F are controls
  if (!continues(2)) return 0;
  if (first < 0xF0) {
    const bool is_overlong = first == 0xE0 && second < 0xA0, is_surrogate = first == 0xED && second >= 0xA0;
    return is_overlong || is_surrogate ? 0 : 3;
  }
  const bool is_overlong = first == 0xF0 && second < 0x90, is_beyond = first == 0xF4 && second >= 0x90;
  return is_overlong || is_beyond || !continues(3) ? 0 : 4;
}

bool is_printable(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = printable_size(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

bool is_key_prefix(std::string_view prefix) {
  return !prefix.empty() && prefix.size() <= max_prefix_size && std::ranges::all_of(prefix, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
  });
}

}  // namespace

std::string_view unfit_field(const NewKey& key, std::int64_t now) {
  if (!policy::is_identity_value(key.organization)) return "organization";
  if (!key.user.empty() && !policy::is_identity_value(key.user)) return "user";
  if (key.name.size() > max_name_size || !is_printable(key.name)) return "name";
  if (!are_grants(key.scopes)) return "scopes";
  if (!is_key_prefix(key.prefix)) return "prefix";
  if (key.expires_at && *key.expires_at <= now) return "expires_at";
  if (key.restrictions.allowed_from.size() > policy::max_blocks) return "allowed_cidrs";
  if (!are_fit(key.restrictions)) return "rate_limit";
  return {};
}

std::string join_scopes(const std::vector<std::string>& scopes) {
  std::string text;
  for (const std::string& scope : scopes) {
    if (!text.empty()) text += ' ';
    text += scope;
  }
  return text;
}

Result<StoreRow> read_row(const sqlite::Statement& row) {
  StoreRow read;
  StoredKey& key = read.key;
  key.id = row.text(0);
  key.shown_prefix = row.text(1);
  key.organization = row.text(2);
  key.user = row.text(3);
  key.name = row.text(4);
  const auto environment = environment_of(row.bytes(5));
  key.scopes = split_scopes(row.bytes(6));
  key.created_at = row.integer(7);
  key.expires_at = row.optional_integer(8);
  key.revoked_at = row.optional_integer(9);
  key.last_used_at = row.optional_integer(10);
  key.rotated_to = row.text(11);
  const std::string_view digest = row.bytes(12);
  read.prefix = row.text(13);
  auto restrictions = restrictions_in(row, 14);
  if (!environment || !restrictions || digest.size() != key.digest.bytes.size())
    return make_error_code(store_errc::invalid_field);
  key.environment = *environment;
  key.restrictions = std::move(*restrictions);
  std::memcpy(key.digest.bytes.data(), digest.data(), digest.size());
  return read;
}

Result<policy::KeyAnswer> read_answer(const sqlite::Statement& row, std::int64_t now) {
  policy::KeyAnswer answer;
  policy::Principal& principal = answer.principal;
  principal.key_id = row.text(0);
  principal.organization = row.text(1);
  principal.user = row.text(2);
  const auto environment = environment_of(row.bytes(3));
  principal.granted = split_scopes(row.bytes(4));
  principal.expires_at = row.optional_integer(5);
  const bool is_revoked = !row.is_null(6);

  auto restrictions = restrictions_in(row, 7);
  const bool is_fit = environment && restrictions && !principal.organization.empty() &&
                      policy::is_presentable(principal) && are_grants(principal.granted);
  if (!is_fit) return make_error_code(store_errc::invalid_field);
  principal.environment = *environment;
  if (!restrictions->allowed_from.empty() || restrictions->rate_limit) {
    principal.restrictions = std::make_shared<const policy::Restrictions>(std::move(*restrictions));
  }

  using State = policy::KeyAnswer::State;
  const bool is_expired = principal.expires_at && *principal.expires_at <= now;
  answer.state = is_revoked ? State::revoked : is_expired ? State::expired : State::valid;
  if (answer.state == State::valid) return answer;
  policy::KeyAnswer refusal;
  refusal.state = answer.state;
  refusal.principal.key_id = std::move(principal.key_id);
  return refusal;
}

}  // namespace keygate::keys
