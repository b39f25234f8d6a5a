#include "app/keys_remote.hpp"

#include "app/key_report.hpp"
#include "app/keys_print.hpp"
#include "keys/restrictions.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/url/encode.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>

#include <ctime>
#include <ostream>
#include <string_view>
#include <utility>
#include <vector>

namespace keygate::app {

namespace json = boost::json;

namespace {

std::string escaped(const std::string& text) { return boost::urls::encode(text, boost::urls::unreserved_chars); }

std::string query_for(const std::string& organization) {
  return organization.empty() ? "" : "?organization_id=" + escaped(organization);
}

void print_json(const KeysRun& run, const json::object& object) { run.out << json::serialize(object) << '\n'; }

std::string text_in(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains({name.data(), name.size()});
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::vector<std::string> texts_in(const json::object& object, std::string_view name) {
  std::vector<std::string> texts;
  const auto* value = object.if_contains({name.data(), name.size()});
  if (value == nullptr || !value->is_array()) return texts;
  for (const json::value& one : value->as_array()) {
    if (one.is_string()) texts.emplace_back(one.as_string());
  }
  return texts;
}

std::optional<std::int64_t> time_in(const json::object& object, std::string_view name) {
  std::tm parts{};
  const std::string text = text_in(object, name);
  if (text.empty() || ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts) == nullptr) return std::nullopt;
  return ::timegm(&parts);
}

keys::StoredKey key_in(const json::object& object) {
  keys::StoredKey key;
  key.id = text_in(object, "key_id");
  key.shown_prefix = text_in(object, "prefix");
  key.organization = text_in(object, "organization_id");
  key.user = text_in(object, "user_id");
  key.name = text_in(object, "name");
  const std::string environment = text_in(object, "environment");
  if (environment == "live") key.environment = policy::Environment::live;
  if (environment == "test") key.environment = policy::Environment::test;
  key.scopes = texts_in(object, "scopes");
  key.created_at = time_in(object, "created_at").value_or(0);
  key.expires_at = time_in(object, "expires_at");
  key.revoked_at = time_in(object, "revoked_at");
  key.last_used_at = time_in(object, "last_used_at");
  key.rotated_to = text_in(object, "rotated_to");
  const auto member = [&object](const char* name) {
    const auto* value = object.if_contains(name);
    return value == nullptr || value->is_null() ? nullptr : value;
  };
  const auto restrictions = keys::read_restrictions({member("allowed_cidrs"), member("rate_limit")});
  if (!restrictions) throw Refusal{1, "the key service says a restriction of " + key.id + " that is not understood"};
  if (*restrictions) key.restrictions = **restrictions;
  return key;
}

// As text, nothing but the key is on stdout, so that a script can take it from there.
void print_new_key(const KeysRun& run, const json::object& answer) {
  const std::string key = text_in(answer, "key");
  if (key.empty()) throw Refusal{1, "the key service made a key and did not say it"};
  run.talk << text_in(answer, "key_id") << ": the key on the next line is shown this once\n" << std::flush;
  run.out << key << '\n';
}

json::array keys_in(json::object& answer) {
  auto* list = answer.if_contains("keys");
  if (list == nullptr || !list->is_array()) throw Refusal{1, "the key service answers without a list of keys"};
  for (const json::value& one : list->as_array()) {
    if (!one.is_object()) throw Refusal{1, "the key service answers with a list of something else than keys"};
  }
  return std::move(list->as_array());
}

// The keys of a list that comes a page at a time.
json::array all_pages(const KeyServicePlace& place, const std::string& path, const std::string& organization) {
  json::array all;
  for (std::string next;;) {
    const std::string query = query_for(organization);
    const std::string page = next.empty() ? "" : (query.empty() ? "?after=" : "&after=") + escaped(next);
    json::object answer = ask_service(place, "GET", path + query + page, {});
    for (json::value& one : keys_in(answer)) all.push_back(std::move(one));
    const std::string last = std::exchange(next, text_in(answer, "next"));
    if (next.empty() || next == last) return all;
  }
}

}  // namespace

void create_key(const KeysRun& run, const KeyServicePlace& place, const RemoteCreate& request) {
  const keys::NewKey& key = request.key;
  json::array scopes;
  for (const std::string& scope : key.scopes) scopes.emplace_back(scope);
  json::object body;
  body["organization_id"] = key.organization;
  body["scopes"] = std::move(scopes);
  if (!key.user.empty()) body["user_id"] = key.user;
  if (!key.name.empty()) body["name"] = key.name;
  if (!key.prefix.empty()) body["prefix"] = key.prefix;
  if (key.environment != policy::Environment::none)
    body["environment"] = std::string(policy::to_string(key.environment));
  if (request.expires_in) body["expires_in"] = *request.expires_in;
  keys::write_restrictions(key.restrictions, body);
  const json::object answer = ask_service(place, "POST", "/v1/keys", body);
  if (run.form == Form::json) return print_json(run, answer);
  print_new_key(run, answer);
}

void list_keys(const KeysRun& run, const KeyServicePlace& place, const std::string& organization) {
  json::array all = all_pages(place, "/v1/keys", organization);
  if (run.form == Form::json) return print_json(run, {{"keys", std::move(all)}});
  std::vector<keys::StoredKey> found;
  for (const json::value& one : all) found.push_back(key_in(one.as_object()));
  print_table(run.out, found, run.now);
}

void show_key(const KeysRun& run, const KeyServicePlace& place, const std::string& id) {
  const json::object answer = ask_service(place, "GET", "/v1/keys/" + escaped(id), {});
  if (run.form == Form::json) return print_json(run, answer);
  print_lines(run.out, key_in(answer), run.now);
}

void rotate_key(const KeysRun& run, const KeyServicePlace& place, const std::string& id, std::int64_t grace) {
  const json::object answer = ask_service(place, "POST", "/v1/keys/" + escaped(id) + "/rotate", {{"grace", grace}});
  if (run.form == Form::json) return print_json(run, answer);
  const auto* old = answer.if_contains("replaces");
  if (old != nullptr && old->is_object())
    run.talk << id << " expires " << text_in(old->as_object(), "expires_at") << '\n';
  print_new_key(run, answer);
}

void revoke_key(const KeysRun& run, const KeyServicePlace& place, const std::string& id) {
  const json::object answer = ask_service(place, "DELETE", "/v1/keys/" + escaped(id), {});
  if (run.form == Form::json) return print_json(run, answer);
  const auto* pushed = answer.if_contains("pushed");
  const bool is_pushed = pushed != nullptr && pushed->is_bool() && pushed->as_bool();
  run.out << id << " revoked " << text_in(answer, "revoked_at")
          << (is_pushed ? "\n" : "; proxies that could not be told refuse it within the staleness bound\n");
}

void report_keys(const KeysRun& run, const KeyServicePlace& place, const std::string& organization) {
  json::array all = all_pages(place, "/v1/usage", organization);
  if (run.form == Form::json) return print_json(run, {{"keys", std::move(all)}});
  std::vector<ReportLine> lines;
  for (const json::value& one : all) {
    const json::object& key = one.as_object();
    lines.push_back({text_in(key, "key_id"), text_in(key, "organization_id"), text_in(key, "name"),
                     text_in(key, "last_used_at"), texts_in(key, "scopes"), texts_in(key, "needed")});
  }
  print_report(run.out, lines);
}

}  // namespace keygate::app
