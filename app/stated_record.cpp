#include "app/stated_record.hpp"

#include "app/keys_place.hpp"
#include "policy/scopes.hpp"

namespace keygate::app {
namespace {

std::string identity(const std::optional<std::string>& given, const std::string& name, const char* usual) {
  const std::string text = given.value_or(usual);
  if (text.empty() || policy::is_identity_value(text)) return text;
  throw Refusal{2, name + ": at most 128 of [A-Za-z0-9_.:@|+=-]"};
}

std::string named(std::string_view dashes, const char* underscored, const char* dashed) {
  return dashes.empty() ? underscored : std::string(dashes) + dashed;
}

}  // namespace

policy::KeyAnswer record_of(const StatedRecord& stated, std::string_view dashes) {
  const std::string key_id = named(dashes, "key_id", "key-id");
  const std::string scopes = named(dashes, "scopes", "scopes");
  policy::KeyAnswer answer;
  answer.state = policy::KeyAnswer::State::valid;
  answer.principal.key_id = identity(stated.key_id, key_id, "key_example");
  answer.principal.organization = identity(stated.organization, named(dashes, "organization", "organization"), "");
  answer.principal.user = identity(stated.user, named(dashes, "user", "user"), "");
  answer.principal.environment = stated.environment.value_or(policy::Environment::none);
  answer.principal.granted = stated.scopes.value_or(std::vector<std::string>{});
  if (answer.principal.key_id.empty()) throw Refusal{2, key_id + ": a key has one"};
  for (const std::string& scope : answer.principal.granted) {
    if (!policy::is_grant_name(scope)) throw Refusal{2, scopes + ": \"" + scope + "\" is not a scope name"};
  }
  if (answer.principal.granted.size() > policy::max_granted) throw Refusal{2, scopes + ": a key has 256 at most"};
  return answer;
}

policy::KeyAnswer session_of(const StatedRecord& stated, const config::Settings& settings, std::string_view dashes) {
  StatedRecord said = stated;
  said.key_id = stated.key_id.value_or("session_example");
  said.user = stated.user.value_or("user_example");
  said.scopes = stated.scopes.value_or(settings.resolution.service->session_scopes);
  if (said.user->empty()) throw Refusal{2, named(dashes, "user", "user") + ": a session has one"};
  return record_of(said, dashes);
}

}  // namespace keygate::app
