#include "app/key_tokens.hpp"

#include "keys/secret_file.hpp"
#include "telemetry/log.hpp"

#include <openssl/crypto.h>

#include <cstddef>
#include <string>
#include <variant>

namespace keygate::app {
namespace {

constexpr std::size_t short_size = 32;  // fewer characters than this may be guessed

using Digest = std::optional<keys::KeyDigest>;

std::string name_of(const config::SecretSettings& secret) {
  return secret.kind == config::SecretSettings::Kind::literal ? "a token" : config::quoted(secret.text);
}

config::Parsed<Digest> digest_of(const std::optional<config::SecretSettings>& secret) {
  if (!secret) return Digest{};
  auto read = keys::read_secret(*secret);
  if (const auto* fault = std::get_if<config::Fault>(&read)) return *fault;
  std::string& text = std::get<std::string>(read);
  if (text.find(' ') != std::string::npos) {
    OPENSSL_cleanse(text.data(), text.size());
    return config::Fault{name_of(*secret) + " has to hold one token, without blanks", {}};
  }
  if (text.size() < short_size) {
    telemetry::log(telemetry::Level::warn, name_of(*secret) + " holds a token of under 32 characters");
  }
  const keys::KeyDigest digest = keys::Hasher()(keys::SecretView(text));
  OPENSSL_cleanse(text.data(), text.size());
  return Digest{digest};
}

bool is_same(const Digest& ours, const keys::KeyDigest& theirs) {
  return ours && CRYPTO_memcmp(ours->bytes.data(), theirs.bytes.data(), theirs.bytes.size()) == 0;
}

}  // namespace

config::Parsed<KeyTokens> KeyTokens::read(const config::KeyServiceSettings& settings) {
  KeyTokens tokens;
  for (const auto& [secret, place] :
       {std::pair{&settings.token, &tokens.proxy_}, std::pair{&settings.manage_token, &tokens.manager_},
        std::pair{&settings.admin_token, &tokens.admin_}}) {
    auto digest = digest_of(*secret);
    if (const auto* fault = std::get_if<config::Fault>(&digest)) return *fault;
    *place = std::get<Digest>(digest);
  }
  const bool are_two_alike = (tokens.proxy_ && tokens.proxy_ == tokens.manager_) ||
                             (tokens.proxy_ && tokens.proxy_ == tokens.admin_) ||
                             (tokens.manager_ && tokens.manager_ == tokens.admin_);
  if (are_two_alike) return config::Fault{"two of the key server's tokens are the same", "each opens something else"};
  return tokens;
}

Asker KeyTokens::asker_of(std::string_view token) const {
  if (token.empty() || token.size() > keys::max_secret_size) return Asker::nobody;
  const keys::KeyDigest digest = keys::Hasher()(keys::SecretView(token));
  if (is_same(admin_, digest)) return Asker::admin;
  if (is_same(manager_, digest)) return Asker::manager;
  return is_same(proxy_, digest) ? Asker::proxy : Asker::nobody;
}

}  // namespace keygate::app
