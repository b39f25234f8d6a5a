#include "keys/dialect.hpp"

#include "keys/base62.hpp"

#include <algorithm>
#include <array>

namespace keygate::keys {

namespace {

using State = policy::KeyAnswer::State;

constexpr std::array native_refusals{
    RefusalWord{"unknown", State::unknown},
    RefusalWord{"revoked", State::revoked},
    RefusalWord{"expired", State::expired},
    RefusalWord{"disabled", State::disabled},
};

// FORBIDDEN and INSUFFICIENT_PERMISSIONS answer questions that are not asked here.
constexpr std::array unkey_refusals{
    RefusalWord{"NOT_FOUND", State::unknown},       RefusalWord{"EXPIRED", State::expired},
    RefusalWord{"DISABLED", State::disabled},       RefusalWord{"FORBIDDEN", State::disabled},
    RefusalWord{"USAGE_EXCEEDED", State::disabled}, RefusalWord{"RATE_LIMITED", std::nullopt},
};

constexpr std::array better_auth_refusals{
    RefusalWord{"INVALID_API_KEY", State::unknown},   RefusalWord{"KEY_NOT_FOUND", State::unknown},
    RefusalWord{"KEY_EXPIRED", State::expired},       RefusalWord{"KEY_DISABLED", State::disabled},
    RefusalWord{"USAGE_EXCEEDED", State::disabled},   RefusalWord{"RATE_LIMITED", std::nullopt},
    RefusalWord{"RATE_LIMIT_EXCEEDED", std::nullopt},
};

Mapping native() {
  Mapping mapping;
  mapping.request_field = "key";
  mapping.valid = {"/valid"};
  mapping.code = {"/code"};
  mapping.key_id = {"/key_id"};
  mapping.organization = {"/organization_id"};
  mapping.user = {"/user_id"};
  mapping.scopes = {"/scopes"};
  mapping.environment = {"/environment"};
  mapping.expires_at = {"/expires_at"};
  mapping.allowed_cidrs = {"/allowed_cidrs"};
  mapping.rate_limit = {"/rate_limit"};
  mapping.refusals = native_refusals;
  mapping.needs_organization = true;
  return mapping;
}

Mapping rfc7662() {
  Mapping mapping;
  mapping.method = Mapping::Method::post_form;
  mapping.request_field = "token";
  mapping.valid = {"/active"};
  mapping.key_id = {"/jti", "/client_id", "/sub"};
  mapping.organization = {"/org_id", "/organization_id"};
  mapping.user = {"/sub"};
  mapping.scopes = {"/scope"};
  mapping.expires_at = {"/exp"};
  mapping.takes_scope_list = false;
  mapping.takes_scope_words = true;
  return mapping;
}

Mapping unkey() {
  Mapping mapping;
  mapping.request_field = "key";
  mapping.valid = {"/data/valid"};
  mapping.code = {"/data/code"};
  mapping.key_id = {"/data/keyId"};
  mapping.organization = {"/data/identity/externalId"};
  mapping.scopes = {"/data/permissions"};
  mapping.expires_at = {"/data/expires"};
  mapping.time = Mapping::Time::milliseconds;
  mapping.refusals = unkey_refusals;
  return mapping;
}

// Not from /key/metadata: who creates a key may be who writes that, and would choose an organization.
Mapping better_auth() {
  Mapping mapping;
  mapping.request_field = "key";
  mapping.valid = {"/valid"};
  mapping.code = {"/error/code"};
  mapping.key_id = {"/key/id"};
  mapping.organization = {"/key/referenceId"};
  mapping.user = {"/key/userId"};
  mapping.scopes = {"/key/permissions"};
  mapping.expires_at = {"/key/expiresAt"};
  mapping.time = Mapping::Time::text;
  mapping.takes_scope_list = false;
  mapping.takes_scope_resources = true;
  mapping.refusals = better_auth_refusals;
  return mapping;
}

Mapping better_auth_session() {
  Mapping mapping;
  mapping.method = Mapping::Method::get_as_client;
  mapping.key_id = {"/session/id"};
  mapping.organization = {"/session/activeOrganizationId"};
  mapping.user = {"/user/id"};
  mapping.expires_at = {"/session/expiresAt"};
  mapping.time = Mapping::Time::text;
  return mapping;
}

Mapping spelled_out(const config::ServiceMapping& written) {
  const auto pointers = [](const std::string& pointer) {
    return pointer.empty() ? Mapping::Pointers{} : Mapping::Pointers{pointer};
  };
  Mapping mapping;
  const bool is_form = written.form == config::ServiceMapping::Form::form;
  mapping.method = is_form ? Mapping::Method::post_form : Mapping::Method::post_json;
  mapping.request_field = written.request_field;
  mapping.valid = pointers(written.valid);
  mapping.code = pointers(written.code);
  mapping.key_id = pointers(written.key_id);
  mapping.organization = pointers(written.organization);
  mapping.user = pointers(written.user);
  mapping.scopes = pointers(written.scopes);
  mapping.environment = pointers(written.environment);
  mapping.expires_at = pointers(written.expires_at);
  mapping.time = Mapping::Time::seconds_or_text;
  mapping.takes_scope_words = true;
  mapping.takes_scope_resources = true;
  mapping.refusals = native_refusals;
  return mapping;
}

Mapping key_mapping(const config::ServiceSettings& settings) {
  switch (settings.dialect) {
    case config::ServiceDialect::native:
      return native();
    case config::ServiceDialect::rfc7662:
      return rfc7662();
    case config::ServiceDialect::unkey:
      return unkey();
    case config::ServiceDialect::better_auth:
      return better_auth();
    case config::ServiceDialect::custom:
      return spelled_out(settings.mapping.value_or(config::ServiceMapping{}));
  }
  return native();
}

Mapping session_mapping(const config::ServiceSettings& settings) {
  switch (settings.dialect) {
    case config::ServiceDialect::native:
    case config::ServiceDialect::unkey: {  // which knows no sessions
      Mapping mapping = native();
      mapping.request_field = "session";
      mapping.key_id = {"/session_id"};
      return mapping;
    }
    case config::ServiceDialect::rfc7662:
      return rfc7662();
    case config::ServiceDialect::better_auth:
      return better_auth_session();
    case config::ServiceDialect::custom: {
      Mapping mapping = key_mapping(settings);
      mapping.request_field = "session";
      return mapping;
    }
  }
  return native();
}

// JSON text is UTF-8; a credential with other bytes than ASCII is not taken anywhere (keys/characters.hpp).
bool append_json(WipedText& text, std::string_view value) {
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f) return false;
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return true;
}

void append_form(WipedText& text, std::string_view value) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  constexpr std::string_view plain = "-._*";
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (base62_digits.find(c) != std::string_view::npos || plain.find(c) != std::string_view::npos) {
      text += c;
    } else {
      text += '%';
      text += hex[byte >> 4U];
      text += hex[byte & 0xFU];
    }
  }
}

// RFC 6265 §4.1.1, cookie-octet: neither a field nor a pair can end in it.
bool is_cookie_value(std::string_view value) {
  return !value.empty() && std::ranges::all_of(value, [](char c) {
    return c > 0x20 && c < 0x7f && c != '"' && c != ',' && c != ';' && c != '\\';
  });
}

}  // namespace

Mapping make_mapping(const config::ServiceSettings& settings, CredentialRole role) {
  if (role == CredentialRole::api_key) return key_mapping(settings);
  Mapping mapping = session_mapping(settings);
  mapping.needs_key_id = false;
  mapping.needs_organization = false;
  mapping.needs_user = true;
  mapping.default_scopes = settings.session_scopes;
  return mapping;
}

std::optional<ServiceRequest> make_request(const Mapping& mapping, SecretView secret) {
  ServiceRequest request;
  switch (mapping.method) {
    case Mapping::Method::post_json:
      request.content_type = "application/json";
      request.body += "{\"";
      if (!append_json(request.body, mapping.request_field)) return std::nullopt;
      request.body += "\":\"";
      if (!append_json(request.body, secret.reveal())) return std::nullopt;
      request.body += "\"}";
      return request;
    case Mapping::Method::post_form:
      request.content_type = "application/x-www-form-urlencoded";
      append_form(request.body, mapping.request_field);
      request.body += '=';
      append_form(request.body, secret.reveal());
      return request;
    case Mapping::Method::get_as_client:
      if (!is_cookie_value(secret.reveal())) return std::nullopt;
      request.method = "GET";
      request.carries_token = false;
      // Under both names of its cookie, and as the bearer plugin takes it: what the client presented does not tell.
      request.fields += "Cookie: better-auth.session_token=";
      request.fields += secret.reveal();
      request.fields += "; __Secure-better-auth.session_token=";
      request.fields += secret.reveal();
      request.fields += "\r\nAuthorization: Bearer ";
      request.fields += secret.reveal();
      request.fields += "\r\n";
      return request;
  }
  return std::nullopt;
}

}  // namespace keygate::keys
