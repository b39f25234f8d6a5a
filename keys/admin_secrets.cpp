#include "keys/admin_secrets.hpp"

#include "keys/characters.hpp"
#include "keys/secret_file.hpp"

#include <openssl/crypto.h>

#include <string>

namespace keygate::keys {
namespace {

policy::KeyAnswer answer_for(const config::AdminSecretSettings& settings) {
  policy::KeyAnswer answer;
  answer.state = policy::KeyAnswer::State::valid;
  answer.principal.key_id = settings.name;
  answer.principal.environment = settings.environment;
  answer.principal.granted = settings.scopes;
  return answer;
}

}  // namespace

config::Parsed<AdminSecrets> AdminSecrets::read(const config::CredentialSettings& settings) {
  AdminSecrets result;
  Hasher hash;
  for (const config::AdminSecretSettings& one : settings.admin_secrets) {
    const std::string called = "the admin secret " + config::quoted(one.name);
    auto text = read_secret(*one.secret);
    if (auto* fault = std::get_if<config::Fault>(&text)) return std::move(*fault);
    auto& secret = std::get<std::string>(text);
    const bool is_token = is_all(CharacterClass::open, secret) && secret.size() <= Secret::max_size;
    if (secret.size() < min_admin_secret_size) {
      return config::Fault{called + " has under 32 characters", "make one with: openssl rand -hex 32"};
    }
    if (!is_token) return config::Fault{called + " is no token", "letters, digits and -._~+/= will do, 256 at most"};
    const KeyDigest digest = hash(SecretView(secret));
    OPENSSL_cleanse(secret.data(), secret.size());
    if (result.find(digest) != nullptr) return config::Fault{called + " is the same as another", ""};
    result.secrets_.push_back({digest, answer_for(one)});
  }
  return result;
}

AdminSecrets AdminSecrets::stand_ins(const config::CredentialSettings& settings) {
  AdminSecrets result;
  Hasher hash;
  for (const config::AdminSecretSettings& one : settings.admin_secrets) {
    const std::string text = stand_in(one.name);
    result.secrets_.push_back({hash(SecretView(text)), answer_for(one)});
  }
  return result;
}

std::string AdminSecrets::stand_in(const std::string& name) {
  std::string text = "stand-in-for-the-admin-secret-";
  for (const char c : name) text += is_all(CharacterClass::open, std::string_view(&c, 1)) ? c : '_';
  return text;
}

const AdminSecret* AdminSecrets::find(const KeyDigest& digest) const {
  const AdminSecret* found = nullptr;
  for (const AdminSecret& secret : secrets_) {
    if (CRYPTO_memcmp(secret.digest.bytes.data(), digest.bytes.data(), digest.bytes.size()) == 0) found = &secret;
  }
  return found;
}

}  // namespace keygate::keys
