#include "tests/fuzz/key_dialects.hpp"

#include "tests/fuzz/probe.hpp"

#include <utility>

namespace keygate::fuzz {
namespace {

using config::ServiceDialect;
using keys::CredentialRole;
using State = Dialect::State;

const Json* at(const Json& document, const std::string& place) {
  const Json* value = &document;
  for (const std::string_view name : split(place, '/')) {
    value = value->member(name);
    if (value == nullptr) return nullptr;
  }
  return value->is(Json::Kind::null) ? nullptr : value;
}

Dialect mapped(ServiceDialect which, CredentialRole role, Dialect dialect = {}) {
  config::ServiceSettings settings;
  settings.dialect = which;
  settings.session_scopes = {"projects:read"};
  dialect.mapping = keys::make_mapping(settings, role);
  return dialect;
}

Dialect native() {
  Dialect dialect = mapped(ServiceDialect::native, CredentialRole::api_key);
  dialect.valid = "valid";
  dialect.code = "code";
  dialect.key_id = {"key_id"};
  dialect.organization = {"organization_id"};
  dialect.user = {"user_id"};
  dialect.scopes = "scopes";
  dialect.environment = "environment";
  dialect.expires_at = "expires_at";
  dialect.needs_key_id = dialect.needs_organization = true;
  dialect.takes_scope_list = true;
  dialect.time_unit = 1;
  dialect.reasons = {{"unknown", State::unknown},
                     {"revoked", State::revoked},
                     {"expired", State::expired},
                     {"disabled", State::disabled}};
  return dialect;
}

Dialect rfc7662() {
  Dialect dialect = mapped(ServiceDialect::rfc7662, CredentialRole::api_key);
  dialect.valid = "active";
  dialect.key_id = {"jti", "client_id", "sub"};
  dialect.organization = {"org_id", "organization_id"};
  dialect.user = {"sub"};
  dialect.scopes = "scope";
  dialect.expires_at = "exp";
  dialect.needs_key_id = true;
  dialect.takes_scope_words = true;
  dialect.time_unit = 1;
  return dialect;
}

Dialect unkey() {
  Dialect dialect = mapped(ServiceDialect::unkey, CredentialRole::api_key);
  dialect.valid = "data/valid";
  dialect.code = "data/code";
  dialect.key_id = {"data/keyId"};
  dialect.organization = {"data/identity/externalId"};
  dialect.scopes = "data/permissions";
  dialect.expires_at = "data/expires";
  dialect.needs_key_id = true;
  dialect.takes_scope_list = true;
  dialect.time_unit = 1000;
  dialect.reasons = {{"NOT_FOUND", State::unknown},       {"EXPIRED", State::expired},
                     {"DISABLED", State::disabled},       {"FORBIDDEN", State::disabled},
                     {"USAGE_EXCEEDED", State::disabled}, {"RATE_LIMITED", std::nullopt}};
  return dialect;
}

Dialect better_auth() {
  Dialect dialect = mapped(ServiceDialect::better_auth, CredentialRole::api_key);
  dialect.valid = "valid";
  dialect.code = "error/code";
  dialect.key_id = {"key/id"};
  dialect.organization = {"key/referenceId"};
  dialect.user = {"key/userId"};
  dialect.scopes = "key/permissions";
  dialect.expires_at = "key/expiresAt";
  dialect.needs_key_id = true;
  dialect.takes_scope_resources = true;
  dialect.takes_time_text = true;
  dialect.reasons = {{"INVALID_API_KEY", State::unknown},  {"KEY_NOT_FOUND", State::unknown},
                     {"KEY_EXPIRED", State::expired},      {"KEY_DISABLED", State::disabled},
                     {"USAGE_EXCEEDED", State::disabled},  {"RATE_LIMITED", std::nullopt},
                     {"RATE_LIMIT_EXCEEDED", std::nullopt}};
  return dialect;
}

Dialect better_auth_session() {
  Dialect dialect;
  dialect.key_id = {"session/id"};
  dialect.organization = {"session/activeOrganizationId"};
  dialect.user = {"user/id"};
  dialect.expires_at = "session/expiresAt";
  dialect.takes_time_text = true;
  return dialect;
}

// Spelled out, with places that need escapes in a pointer.
Dialect custom() {
  config::ServiceSettings settings;
  settings.dialect = ServiceDialect::custom;
  settings.mapping = config::ServiceMapping{};
  settings.mapping->valid = "/a~0b";
  settings.mapping->key_id = "/key/id~0";
  settings.mapping->environment = "";
  Dialect dialect = native();
  dialect.mapping = keys::make_mapping(settings, CredentialRole::api_key);
  dialect.valid = "a~b";
  dialect.key_id = {"key/id~"};
  dialect.environment = "";
  dialect.needs_organization = false;
  dialect.takes_scope_words = dialect.takes_scope_resources = true;
  dialect.takes_time_text = true;
  return dialect;
}

Dialect session_of(ServiceDialect which, Dialect dialect) {
  dialect = mapped(which, CredentialRole::session, std::move(dialect));
  dialect.needs_key_id = dialect.needs_organization = false;
  dialect.needs_user = true;
  dialect.default_scopes = {"projects:read"};
  return dialect;
}

Dialect native_session() {
  Dialect dialect = native();
  dialect.key_id = {"session_id"};
  return dialect;
}

bool add_list(const Json& list, const std::string& prefix, std::vector<std::string>& scopes) {
  for (const Json& item : list.items) {
    if (!item.is(Json::Kind::string)) return false;
    scopes.push_back(prefix + item.text);
  }
  return list.is(Json::Kind::array);
}

}  // namespace

const Json* find(const Json& document, const std::vector<std::string>& places) {
  for (const std::string& place : places) {
    const Json* const found = place.empty() ? nullptr : at(document, place);
    if (found != nullptr) return found;
  }
  return nullptr;
}

std::optional<State> Dialect::state_of(std::string_view word) const {
  const auto found = reasons.find(word);
  return found == reasons.end() ? std::nullopt : found->second;
}

std::optional<std::vector<std::string>> Dialect::scopes_in(const Json& written) const {
  std::vector<std::string> found;
  if (written.is(Json::Kind::array) && takes_scope_list && add_list(written, "", found)) return found;
  if (written.is(Json::Kind::string) && takes_scope_words) {
    for (const std::string_view word : split(written.text, ' ')) {
      if (!word.empty()) found.emplace_back(word);
    }
    return found;
  }
  if (!written.is(Json::Kind::object) || !takes_scope_resources) return std::nullopt;
  for (const auto& [resource, actions] : written.members) {
    if (!add_list(actions, resource + ":", found)) return std::nullopt;
  }
  return found;
}

const std::vector<Dialect>& dialects() {
  static const std::vector<Dialect> all = {
      native(),
      rfc7662(),
      unkey(),
      better_auth(),
      custom(),
      session_of(ServiceDialect::native, native_session()),
      session_of(ServiceDialect::rfc7662, rfc7662()),
      session_of(ServiceDialect::unkey, native_session()),
      session_of(ServiceDialect::better_auth, better_auth_session()),
  };
  return all;
}

}  // namespace keygate::fuzz
