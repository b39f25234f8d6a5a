// What the key server does with keys: make, list, show, rotate and revoke them. On the store's managing thread.
#include "app/key_api.hpp"
#include "app/key_api_body.hpp"
#include "app/key_page.hpp"
#include "app/key_scopes.hpp"
#include "app/keys_place.hpp"
#include "app/keys_print.hpp"
#include "keys/restrictions.hpp"
#include "policy/principal.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <utility>

namespace keygate::app {

namespace json = boost::json;

namespace {

constexpr std::size_t max_hints = 3;  // each costs a look through the catalogue, and a sentence of the answer
constexpr std::int64_t default_grace = 24 * 3600;

// The value, or the store's error, which perform() makes a problem of.
template <class T>
T value_of(Result<T> result) {
  if (result.has_error()) throw boost::system::system_error(result.error());
  return std::move(*result);
}

// By its name in keys::NewKey.
[[noreturn]] void refuse_field(std::string_view field) {
  throw ApiProblem{
      ApiReason::invalid_field, '"' + std::string(field) + "\" has to be " + std::string(rule_for(field)) + ".", {}};
}

bool is_manager(const Call& call) { return call.asker == Asker::manager; }

// Whose keys are meant: what was named, within what the asker may see.
std::string organization_for(const Call& call, const std::string& named) {
  if (!is_manager(call)) return named;
  if (!named.empty() && named != call.on_behalf.organization) throw ApiProblem{ApiReason::wrong_organization, {}, {}};
  return call.on_behalf.organization;
}

// Another organization's key is as if it did not exist.
keys::StoredKey key_for(const Call& call, keys::Store& store) {
  keys::StoredKey key = value_of(store.show(call.id));
  if (is_manager(call) && key.organization != call.on_behalf.organization) {
    throw boost::system::system_error(keys::make_error_code(keys::store_errc::not_found));
  }
  return key;
}

bool is_word_of(std::string_view words, std::string_view word) {
  const std::string padded = ' ' + std::string(words) + ' ';
  return padded.find(' ' + std::string(word) + ' ') != std::string::npos;
}

// Scope by scope: nobody makes, through a manager, a key that can do what they themselves cannot. A wildcard would grow
// with the catalogue, so it is none of the scopes that a customer holds.
std::string fault_in(const Call& call, const std::string& scope, Hint hint) {
  const Restricted restricted = call.asker == Asker::admin ? Restricted::allowed : Restricted::refused;
  if (const auto fault = scope_fault(call.rules->catalogue(), scope, restricted, hint)) return fault->sentence;
  if (!is_manager(call) || is_word_of(call.on_behalf.scopes, scope)) return {};
  return '"' + scope + "\" is not held by the one who asks";
}

// How many there are comes first: whoever sends a body full of them has them looked up one by one otherwise.
void check_scopes(const Call& call, const std::vector<std::string>& scopes) {
  if (scopes.size() > policy::max_granted) refuse_field("scopes");
  ApiProblem problem{ApiReason::invalid_scope, {}, {}};
  for (const std::string& scope : scopes) {
    const std::size_t before = problem.invalid_scopes.size();
    const std::string fault = fault_in(call, scope, before < max_hints ? Hint::wanted : Hint::unwanted);
    if (fault.empty()) continue;
    if (before < max_hints) problem.detail += (before == 0 ? "" : "; ") + fault;
    problem.invalid_scopes.push_back(scope);
  }
  const std::size_t count = problem.invalid_scopes.size();
  if (count == 0) return;
  problem.detail += count > max_hints ? "; and " + std::to_string(count - max_hints) + " more." : ".";
  throw problem;
}

policy::Environment environment_of(const std::string& text) {
  if (text.empty()) return policy::Environment::none;
  if (text == "live") return policy::Environment::live;
  if (text == "test") return policy::Environment::test;
  throw ApiProblem{ApiReason::invalid_field, "\"environment\" has to be live or test.", {}};
}

// A test key makes no live ones.
void confine_environment(const Call& call, keys::NewKey& key) {
  if (!is_manager(call) || call.on_behalf.environment.empty()) return;
  const policy::Environment own = environment_of(call.on_behalf.environment);
  if (key.environment == policy::Environment::none) key.environment = own;
  if (key.environment == own) return;
  throw ApiProblem{ApiReason::invalid_field, "\"environment\" has to be that of the one who asks.", {}};
}

void settle(const Call& call, keys::NewKey& key) {
  try {
    settle_prefix(KeysPlace{{}, call.rules->settings}, key);
  } catch (const Refusal&) {
    throw ApiProblem{ApiReason::invalid_field,
                     "No key format is for such a key: name its environment, or a prefix that fits it.",
                     {}};
  }
}

policy::Restrictions restrictions_in(const ApiBody& body) {
  const auto* const blocks = body.find("allowed_cidrs");
  const auto* const limit = body.find("rate_limit");
  if (!keys::read_restrictions({blocks, nullptr})) refuse_field("allowed_cidrs");
  const auto read = keys::read_restrictions({blocks, limit});
  if (!read) refuse_field("rate_limit");
  return *read ? **read : policy::Restrictions{};
}

keys::NewKey read_new_key(const Call& call) {
  const ApiBody body(call.body, {"organization_id", "user_id", "name", "environment", "scopes", "prefix", "expires_in",
                                 "allowed_cidrs", "rate_limit"});
  keys::NewKey key;
  key.organization = organization_for(call, body.text("organization_id"));
  if (key.organization.empty()) throw ApiProblem{ApiReason::bad_request, "\"organization_id\" is missing.", {}};
  key.user = body.text("user_id");
  key.name = body.text("name");
  key.environment = environment_of(body.text("environment"));
  key.scopes = body.texts("scopes");
  key.prefix = body.text("prefix");
  if (const auto seconds = body.seconds("expires_in")) key.expires_at = call.now + *seconds;
  key.restrictions = restrictions_in(body);
  return key;
}

json::object with_text(const keys::CreatedKey& created, std::int64_t now) {
  json::object object = to_json(created.stored, now);
  const std::string_view text = created.key.view().reveal();
  object["key"] = json::string_view(text.data(), text.size());
  return object;
}

}  // namespace

Answer create_key(const Call& call, keys::Store& store, keys::NotedUses&) {
  keys::NewKey key = read_new_key(call);
  check_scopes(call, key.scopes);
  confine_environment(call, key);
  settle(call, key);
  confine_environment(call, key);  // what the prefix said counts too
  if (const auto field = keys::unfit_field(key, call.now); !field.empty()) refuse_field(field);
  Answer answer;
  answer.status = 201;
  answer.body = with_text(value_of(store.create(key, call.now)), call.now);
  return answer;
}

Answer list_keys(const Call& call, keys::Store& store, keys::NotedUses&) {
  const std::string whose = organization_for(call, call.organization);
  const std::optional<std::string> organization = whose.empty() ? std::nullopt : std::optional(whose);
  const auto page = value_of(store.list_page(organization, call.after, page_size));
  Answer answer;
  answer.body = page_of(page, [&call](const keys::StoredKey& key) { return to_json(key, call.now); });
  return answer;
}

Answer show_key(const Call& call, keys::Store& store, keys::NotedUses&) {
  Answer answer;
  answer.body = to_json(key_for(call, store), call.now);
  return answer;
}

Answer rotate_key(const Call& call, keys::Store& store, keys::NotedUses&) {
  const std::int64_t grace = ApiBody(call.body, {"grace"}).seconds("grace").value_or(default_grace);
  const keys::StoredKey old = key_for(call, store);
  // The new key's text is told to whoever asks, so they must be able to do all that it can.
  if (is_manager(call)) {
    const bool is_beyond =
        std::ranges::any_of(old.scopes, [&](const auto& one) { return !fault_in(call, one, Hint::unwanted).empty(); });
    const std::string_view own = call.on_behalf.environment;
    if (is_beyond || (!own.empty() && policy::to_string(old.environment) != own)) {
      throw ApiProblem{ApiReason::insufficient_scope, {}, {}};
    }
  }
  const keys::CreatedKey fresh = value_of(store.rotate(call.id, grace, call.now));
  Answer answer;
  answer.status = 201;
  answer.body = with_text(fresh, call.now);
  answer.body["replaces"] = to_json(value_of(store.show(call.id)), call.now);
  return answer;
}

Answer revoke_key(const Call& call, keys::Store& store, keys::NotedUses&) {
  static_cast<void>(key_for(call, store));
  const keys::StoredKey revoked = value_of(store.revoke(call.id, call.now));
  Answer answer;
  answer.body = to_json(revoked, call.now);
  answer.revoked = revoked.digest;
  return answer;
}

}  // namespace keygate::app
