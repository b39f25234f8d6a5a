// From what `keygate explain` and `keygate test` are asked, in words, to the bytes that a client would send.
#pragma once

#include "config/settings.hpp"
#include "keys/secret.hpp"
#include "policy/principal.hpp"

#include <optional>
#include <string>
#include <vector>

namespace keygate::app {

struct AskedRequest {
  std::string method;
  std::string target;                // as it stands in the request line
  std::string host;                  // the Host, where no line says another
  std::vector<std::string> lines{};  // header lines, without line ends
  bool is_secure = false;            // over TLS
};

// `url`: http(s)://host/path, or a path at `default_host`. It is taken byte for byte: nothing is resolved or escaped.
// Refusal where a line is no header line, or would end the head.
AskedRequest asked_request(std::string method, const std::string& url, const std::string& default_host,
                           std::vector<std::string> lines);

// The Host of a request for a path alone: the first listener's.
std::string default_host(const config::Settings& settings);

// The head that a client would send.
std::string head_of(const AskedRequest& request);

// `request` with `key` in the first of the configured places that holds nothing yet. Refusal where there is none.
AskedRequest with_key(AskedRequest request, const config::CredentialSettings& settings, keys::SecretView key);

// The same with a text that stands for a session (a cookie, or else a Bearer token), or for the admin secret of that
// name (a Bearer token or a header). Refusal where the configuration knows no such.
AskedRequest with_session(AskedRequest request, const config::Settings& settings);
AskedRequest with_admin_secret(AskedRequest request, const config::Settings& settings, const std::string& name);

// A text that has the form of a key of that environment, and is none; the environment is the form's own where it has
// one. Refusal where no format is for it.
struct SampleKey {
  std::string text;
  policy::Environment environment = policy::Environment::none;
};
SampleKey sample_key(const config::CredentialSettings& settings, std::optional<policy::Environment> environment);

}  // namespace keygate::app
