// How is a key service asked, and what does its answer mean? Pure (docs/key-service.md). Used by service_source.
// "No" is an answer; what is not understood to the last field is none, and then nothing was found out.
#pragma once

#include "config/resolution_settings.hpp"
#include "keys/secret.hpp"
#include "keys/source.hpp"
#include "keys/wiped_text.hpp"
#include "policy/principal.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace keygate::keys {

enum class CredentialRole : std::uint8_t { api_key, session };

// A word for why a key is refused. Without a state the service has not looked at the key: it only let too many by.
struct RefusalWord {
  std::string_view code;
  std::optional<policy::KeyAnswer::State> state;
};

// One dialect: what is sent, and where in the answer things stand. The pointers are JSON pointers (RFC 6901); the first
// that leads somewhere other than to null counts, none at all: the dialect has no such thing.
struct Mapping {
  using Pointers = std::vector<std::string>;
  enum class Method : std::uint8_t { post_json, post_form, get_as_client };  // the last: with the client's own session
  enum class Time : std::uint8_t { seconds, milliseconds, text, seconds_or_text };  // text: RFC 3339

  Method method = Method::post_json;
  std::string request_field;
  Pointers valid;  // none: any answer but null is a yes
  Pointers code, key_id, organization, user, scopes, environment, expires_at;
  Pointers allowed_cidrs, rate_limit;
  Time time = Time::seconds;
  bool takes_scope_list = true;        // ["projects:read"]
  bool takes_scope_words = false;      // "projects:read projects:write"
  bool takes_scope_resources = false;  // {"projects": ["read"]}
  std::span<const RefusalWord> refusals;
  bool needs_key_id = true, needs_organization = false, needs_user = false;
  std::vector<std::string> default_scopes;  // where the answer has none
};

Mapping make_mapping(const config::ServiceSettings& settings, CredentialRole role);

struct ServiceRequest {
  std::string_view method = "POST";
  std::string_view content_type;  // empty: no body
  WipedText body;
  WipedText fields;           // header lines, each with its line end
  bool carries_token = true;  // our own token goes along in Authorization
};

// None where the secret has a byte that this form of request cannot carry: such a credential was never given out.
std::optional<ServiceRequest> make_request(const Mapping& mapping, SecretView secret);

struct ServiceResponse {
  unsigned status = 0;
  std::string_view content_type;
  std::string_view body;
};

// Why there is no answer in a response. `text` goes to the log: it names a field, and never says what stands in it.
struct AnswerFlaw {
  errc error = errc::invalid_answer;
  std::string text;
};

// `secret`: an answer that repeats it where an identity stands is none, as it would go into headers and logs.
std::variant<policy::KeyAnswer, AnswerFlaw> read_answer(const Mapping& mapping, const ServiceResponse& response,
                                                        SecretView secret);

}  // namespace keygate::keys
