#include "config/secret_reader.hpp"

#include "config/scalar_readers.hpp"

#include <cctype>
#include <string>

namespace keygate::config {
namespace {

using Kind = SecretSettings::Kind;

}  // namespace

Reader<SecretSettings> secret_in_file() {
  return then(text("a file's path"), [](const Value& value, const std::string& name) -> std::optional<SecretSettings> {
    return SecretSettings{Kind::file, value.path_beside_file(name), value.where()};
  });
}

Reader<SecretSettings> secret_in_environment() {
  return then(
      text("a variable's name"), [](const Value& value, const std::string& name) -> std::optional<SecretSettings> {
        const bool fits = name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") ==
                              std::string::npos &&
                          !(name.front() >= '0' && name.front() <= '9');
        if (!fits) {
          // Unquoted: whoever takes the name for the place of the secret has written that.
          value.complain("this is no name of an environment variable",
                         "write the name, not the value: KEY_SERVICE_TOKEN");
          return std::nullopt;
        }
        return SecretSettings{Kind::environment, name, value.where()};
      });
}

Reader<SecretSettings> secret_written_out() {
  return then(text("a secret"), [](const Value& value, const std::string& secret) -> std::optional<SecretSettings> {
    value.warn("a secret stands in the configuration itself",
               "keep it in a file or in the environment, and name that: secret_file or secret_env");
    return SecretSettings{Kind::literal, secret, value.where()};
  });
}

}  // namespace keygate::config
