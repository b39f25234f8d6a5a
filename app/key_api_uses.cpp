// What proxies ask the key server and tell it, and what comes of that. On the store's threads: verify_key on one, the
// others on the other.
#include "app/key_api.hpp"
#include "app/key_api_body.hpp"
#include "app/key_page.hpp"
#include "app/key_report.hpp"
#include "keys/restrictions.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <utility>

namespace keygate::app {

namespace json = boost::json;

namespace {

json::string_view text(std::string_view view) { return {view.data(), view.size()}; }

std::string_view code_of(policy::KeyAnswer::State state) {
  using State = policy::KeyAnswer::State;
  switch (state) {
    case State::valid:
      break;
    case State::unknown:
      return "unknown";
    case State::revoked:
      return "revoked";
    case State::disabled:
      return "disabled";
    case State::expired:
      return "expired";
  }
  return {};
}

json::object principal_json(const policy::Principal& principal) {
  json::object body;
  body["valid"] = true;
  body["key_id"] = principal.key_id;
  body["organization_id"] = principal.organization;
  if (!principal.user.empty()) body["user_id"] = principal.user;
  json::array scopes;
  for (const std::string& scope : principal.granted) scopes.emplace_back(scope);
  body["scopes"] = std::move(scopes);
  if (principal.environment != policy::Environment::none) {
    body["environment"] = text(policy::to_string(principal.environment));
  }
  if (principal.expires_at) body["expires_at"] = *principal.expires_at;
  if (principal.restrictions) keys::write_restrictions(*principal.restrictions, body);
  return body;
}

keys::KeyDigest digest_of_key(const std::string& key) {
  thread_local keys::Hasher hasher;  // the verifying thread has one
  return hasher(keys::SecretView(key));
}

}  // namespace

Answer verify_key(const Call& call, keys::Store& store, keys::NotedUses&) {
  const std::string key = ApiBody(call.body, {"key"}).required_text("key");
  const auto found = store.verify(digest_of_key(key), call.now);
  if (found.has_error()) throw boost::system::system_error(found.error());
  Answer answer;
  if (found->state != policy::KeyAnswer::State::valid) {
    answer.body["valid"] = false;
    answer.body["code"] = text(code_of(found->state));
    return answer;
  }
  answer.body = principal_json(found->principal);
  const auto stored = store.show(found->principal.key_id);
  if (stored.has_value() && !stored->name.empty()) answer.body["name"] = stored->name;
  return answer;
}

Answer note_usage(const Call& call, keys::Store&, keys::NotedUses& uses) {
  const std::vector<json::object> reported = ApiBody(call.body, {"uses"}).objects("uses");
  std::vector<keys::KeyUse> noted;
  for (const json::object& one : reported) {
    const ApiBody use(one, {"digest", "at", "scopes"});
    const auto digest = keys::digest_from_hex(use.required_text("digest"));
    if (!digest) throw ApiProblem{ApiReason::bad_request, "\"digest\" has to be 64 lower-case hex digits.", {}};
    const std::int64_t at = use.required_integer("at");
    if (at < 0) throw ApiProblem{ApiReason::bad_request, "\"at\" has to be unix seconds.", {}};
    // A reporter whose clock runs ahead does not make a key look used tomorrow.
    noted.push_back({*digest, std::min(at, call.now), use.texts("scopes")});
  }
  uses.give_back(std::move(noted));
  Answer answer;
  answer.status = 202;
  answer.body["accepted"] = reported.size();
  return answer;
}

Answer report_usage(const Call& call, keys::Store& store, keys::NotedUses&) {
  std::string whose = call.organization;
  if (call.asker == Asker::manager) {
    if (!whose.empty() && whose != call.on_behalf.organization) throw ApiProblem{ApiReason::wrong_organization, {}, {}};
    whose = call.on_behalf.organization;
  }
  const auto used = store.uses_page(whose.empty() ? std::nullopt : std::optional(whose), call.after, page_size);
  if (used.has_error()) throw boost::system::system_error(used.error());
  Answer answer;
  answer.body =
      page_of(*used, [&call](const keys::UsedKey& one) { return report_json(one, call.rules->catalogue(), call.now); });
  return answer;
}

}  // namespace keygate::app
