#include "app/key_tokens.hpp"

#include "telemetry/log.hpp"

#include <openssl/crypto.h>

#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <variant>

namespace keygate::app {
namespace {

constexpr std::size_t max_size = 4096;
constexpr std::size_t short_size = 32;  // fewer characters than this may be guessed

using Digest = std::optional<keys::KeyDigest>;

config::Parsed<std::string> file_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(max_size + 2, '\0');
  if (!in || in.read(text.data(), static_cast<std::streamsize>(text.size())).bad()) {
    return config::Fault{config::quoted(path) + " cannot be read", "it holds a token of the key server"};
  }
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

config::Parsed<std::string> text_of(const config::SecretSettings& secret) {
  using Kind = config::SecretSettings::Kind;
  switch (secret.kind) {
    case Kind::file:
      return file_text(secret.text);
    case Kind::environment: {
      const char* const value = std::getenv(secret.text.c_str());
      if (value != nullptr) return std::string(value);
      return config::Fault{"the environment has no " + config::quoted(secret.text), {}};
    }
    case Kind::literal:
      break;
  }
  return secret.text;
}

std::string name_of(const config::SecretSettings& secret) {
  return secret.kind == config::SecretSettings::Kind::literal ? "a token" : config::quoted(secret.text);
}

config::Parsed<Digest> digest_of(const std::optional<config::SecretSettings>& secret) {
  if (!secret) return Digest{};
  auto read = text_of(*secret);
  if (const auto* fault = std::get_if<config::Fault>(&read)) return *fault;
  std::string& text = std::get<std::string>(read);
  if (text.empty() || text.size() > max_size || text.find_first_of(" \t\r\n") != std::string::npos) {
    return config::Fault{name_of(*secret) + " has to hold one token: 1 to 4096 characters without blanks", {}};
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
  if (token.empty() || token.size() > max_size) return Asker::nobody;
  const keys::KeyDigest digest = keys::Hasher()(keys::SecretView(token));
  if (is_same(admin_, digest)) return Asker::admin;
  if (is_same(manager_, digest)) return Asker::manager;
  return is_same(proxy_, digest) ? Asker::proxy : Asker::nobody;
}

}  // namespace keygate::app
