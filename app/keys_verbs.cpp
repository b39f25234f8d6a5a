#include "app/keys_verbs.hpp"

#include "app/key_report.hpp"
#include "app/keys_print.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <filesystem>
#include <ostream>
#include <string_view>
#include <utility>

namespace keygate::app {

namespace json = boost::json;

namespace {

[[noreturn]] void refuse(const KeysPlace& place, const std::string& id, error_code failed) {
  if (failed == keys::store_errc::not_found) throw Refusal{1, "not_found: no key \"" + id + "\" in " + place.store};
  throw Refusal{1, (id.empty() ? place.store : id) + ": " + failed.message()};
}

keys::Store open_or_create(const KeysPlace& place) {
  Result<keys::Store> store = keys::Store::open(place.store);
  if (store.has_error()) refuse(place, "", store.error());
  return std::move(*store);
}

// Only `create` makes a store: a slip in the path of another verb must not leave an empty one behind.
keys::Store open_existing(const KeysPlace& place) {
  std::error_code ignored;
  if (!std::filesystem::exists(place.store, ignored)) throw Refusal{1, place.store + ": there is no such file"};
  return open_or_create(place);
}

void print_json(const KeysRun& run, const json::object& object) { run.out << json::serialize(object) << '\n'; }

// The one time a key is shown. As text, nothing but the key is on stdout, so that a script can take it from there.
json::object with_text(const keys::CreatedKey& created, std::int64_t now) {
  json::object object = to_json(created.stored, now);
  object["key"] = created.key.view().reveal();
  return object;
}

void print_new_key(const KeysRun& run, const keys::CreatedKey& created) {
  run.talk << created.stored.id << ": the key on the next line is shown this once\n" << std::flush;
  run.out << created.key.view().reveal() << '\n';
}

}  // namespace

void create_key(const KeysRun& run, const KeysPlace& place, CreateRequest request) {
  check_scopes(place, request.key.scopes, request.restricted);
  settle_prefix(place, request.key);
  if (const auto field = keys::unfit_field(request.key, run.now); !field.empty()) {
    throw Refusal{2, "invalid_field: " + std::string(field) + " has to be " + std::string(rule_for(field))};
  }
  keys::Store store = open_or_create(place);
  const Result<keys::CreatedKey> created = store.create(request.key, run.now);
  if (created.has_error()) refuse(place, "", created.error());
  if (run.form == Form::json) return print_json(run, with_text(*created, run.now));
  print_new_key(run, *created);
}

void list_keys(const KeysRun& run, const KeysPlace& place, const std::optional<std::string>& organization) {
  keys::Store store = open_existing(place);
  const Result<std::vector<keys::StoredKey>> found = store.list(organization);
  if (found.has_error()) refuse(place, "", found.error());
  if (run.form == Form::text) return print_table(run.out, *found, run.now);
  json::array list;
  for (const keys::StoredKey& key : *found) list.push_back(to_json(key, run.now));
  json::object object;
  object["keys"] = std::move(list);
  print_json(run, object);
}

void show_key(const KeysRun& run, const KeysPlace& place, const std::string& id) {
  keys::Store store = open_existing(place);
  const Result<keys::StoredKey> found = store.show(id);
  if (found.has_error()) refuse(place, id, found.error());
  if (run.form == Form::json) return print_json(run, to_json(*found, run.now));
  print_lines(run.out, *found, run.now);
}

void rotate_key(const KeysRun& run, const KeysPlace& place, const std::string& id, std::int64_t grace) {
  keys::Store store = open_existing(place);
  const Result<keys::CreatedKey> fresh = store.rotate(id, grace, run.now);
  if (fresh.has_error()) refuse(place, id, fresh.error());
  const Result<keys::StoredKey> old = store.show(id);
  if (run.form == Form::json) {
    json::object object = with_text(*fresh, run.now);
    if (old.has_value()) object["replaces"] = to_json(*old, run.now);
    return print_json(run, object);
  }
  if (old.has_value() && old->expires_at) run.talk << id << " expires " << rfc3339(*old->expires_at) << '\n';
  print_new_key(run, *fresh);
}

void revoke_key(const KeysRun& run, const KeysPlace& place, const std::string& id) {
  keys::Store store = open_existing(place);
  const Result<keys::StoredKey> revoked = store.revoke(id, run.now);
  if (revoked.has_error()) refuse(place, id, revoked.error());
  if (run.form == Form::json) return print_json(run, to_json(*revoked, run.now));
  run.out << id << " revoked " << rfc3339(revoked->revoked_at.value_or(run.now)) << '\n';
}

void report_keys(const KeysRun& run, const KeysPlace& place, const std::optional<std::string>& organization) {
  const std::shared_ptr<const policy::Policy> policy = policy_of(place);
  const policy::Catalogue* const catalogue = policy ? &policy->catalogue : nullptr;
  keys::Store store = open_existing(place);
  const Result<std::vector<keys::UsedKey>> used = store.uses(organization);
  if (used.has_error()) refuse(place, "", used.error());
  if (run.form == Form::json) {
    json::array list;
    for (const keys::UsedKey& one : *used) list.push_back(report_json(one, catalogue, run.now));
    json::object object;
    object["keys"] = std::move(list);
    return print_json(run, object);
  }
  std::vector<ReportLine> lines;
  for (const keys::UsedKey& one : *used) {
    const keys::StoredKey& key = one.key;
    lines.push_back({key.id, key.organization, key.name, key.last_used_at ? rfc3339(*key.last_used_at) : "", key.scopes,
                     needs_of(one, catalogue).needed});
  }
  print_report(run.out, lines);
}

}  // namespace keygate::app
