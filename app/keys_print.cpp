#include "app/keys_print.hpp"

#include "keys/restrictions.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <ctime>
#include <ostream>
#include <string_view>

namespace keygate::app {

namespace json = boost::json;

namespace {

std::string_view state_of(const keys::StoredKey& key, std::int64_t now) {
  if (key.revoked_at) return "revoked";
  return key.expires_at && *key.expires_at <= now ? "expired" : "valid";
}

std::string time_or(const std::optional<std::int64_t>& time, std::string_view otherwise) {
  return time ? rfc3339(*time) : std::string(otherwise);
}

std::string text_or_dash(std::string_view text) { return std::string(text.empty() ? "-" : text); }

std::string joined(const std::vector<std::string>& scopes) {
  std::string text;
  for (const std::string& scope : scopes) text += (text.empty() ? "" : ",") + scope;
  return text;
}

json::value text_or_null(std::string_view text) { return text.empty() ? json::value(nullptr) : json::value(text); }

json::value time_or_null(const std::optional<std::int64_t>& time) {
  return time ? json::value(rfc3339(*time)) : json::value(nullptr);
}

using Row = std::array<std::string, 8>;

Row row_of(const keys::StoredKey& key, std::int64_t now) {
  return {key.id,
          key.shown_prefix,
          key.organization,
          text_or_dash(policy::to_string(key.environment)),
          joined(key.scopes),
          time_or(key.expires_at, "never"),
          time_or(key.last_used_at, "never"),
          std::string(state_of(key, now))};
}

}  // namespace

std::string rfc3339(std::int64_t unix_seconds) {
  const std::time_t time = unix_seconds;
  std::tm parts{};
  std::array<char, 40> text{};
  if (::gmtime_r(&time, &parts) == nullptr) return std::to_string(unix_seconds);  // a year beyond what tm can hold
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return std::string(text.data(), size);
}

json::object to_json(const keys::StoredKey& key, std::int64_t now) {
  json::array scopes;
  for (const std::string& scope : key.scopes) scopes.emplace_back(scope);
  json::object object;
  object["key_id"] = key.id;
  object["prefix"] = key.shown_prefix;
  object["organization_id"] = key.organization;
  object["user_id"] = text_or_null(key.user);
  object["name"] = text_or_null(key.name);
  object["environment"] = text_or_null(policy::to_string(key.environment));
  object["scopes"] = std::move(scopes);
  object["state"] = state_of(key, now);
  object["created_at"] = rfc3339(key.created_at);
  object["expires_at"] = time_or_null(key.expires_at);
  object["revoked_at"] = time_or_null(key.revoked_at);
  object["last_used_at"] = time_or_null(key.last_used_at);
  object["rotated_to"] = text_or_null(key.rotated_to);
  object["allowed_cidrs"] = nullptr;
  object["rate_limit"] = nullptr;
  keys::write_restrictions(key.restrictions, object);
  return object;
}

void print_lines(std::ostream& out, const keys::StoredKey& key, std::int64_t now) {
  const std::string blocks = keys::blocks_text(key.restrictions.allowed_from);
  out << "id:           " << key.id << "\nprefix:       " << key.shown_prefix << "\norganization: " << key.organization
      << "\nuser:         " << text_or_dash(key.user) << "\nname:         " << text_or_dash(key.name)
      << "\nenvironment:  " << text_or_dash(policy::to_string(key.environment))
      << "\nscopes:       " << joined(key.scopes) << "\nstate:        " << state_of(key, now)
      << "\ncreated:      " << rfc3339(key.created_at) << "\nexpires:      " << time_or(key.expires_at, "never")
      << "\nrevoked:      " << time_or(key.revoked_at, "-") << "\nlast used:    " << time_or(key.last_used_at, "never")
      << "\nrotated to:   " << text_or_dash(key.rotated_to)
      << "\nfrom:         " << (blocks.empty() ? "anywhere" : blocks)
      << "\nrate limit:   " << (key.restrictions.rate_limit ? keys::rate_text(*key.restrictions.rate_limit) : "-")
      << '\n';
}

void print_table(std::ostream& out, const std::vector<keys::StoredKey>& keys, std::int64_t now) {
  std::vector<Row> rows{{"ID", "PREFIX", "ORG", "ENV", "SCOPES", "EXPIRES", "LAST USED", "STATE"}};
  for (const keys::StoredKey& key : keys) rows.push_back(row_of(key, now));
  std::array<std::size_t, std::tuple_size_v<Row>> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const Row& row : rows) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) out << row[i] << std::string(widths[i] + 2 - row[i].size(), ' ');
    out << row.back() << '\n';
  }
}

}  // namespace keygate::app
