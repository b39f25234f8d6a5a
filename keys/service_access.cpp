#include "keys/service_access.hpp"

#include "keys/secret_file.hpp"

#include <openssl/crypto.h>

#include <utility>
#include <variant>

namespace keygate::keys {

ServiceAccess::~ServiceAccess() { OPENSSL_cleanse(token.data(), token.size()); }

config::Parsed<std::shared_ptr<const ServiceAccess>> read_service_access(const config::ServiceSettings& settings) {
  auto access = std::make_shared<ServiceAccess>();
  access->settings = settings;
  if (settings.token) {
    auto token = read_secret(*settings.token);
    if (auto* const fault = std::get_if<config::Fault>(&token)) return std::move(*fault);
    access->token = std::move(std::get<std::string>(token));
  }
  const auto is_secured = [](const std::optional<config::ServiceUrl>& url) { return url && url->is_tls; };
  if (settings.url.is_tls || is_secured(settings.session_url) || is_secured(settings.usage_url)) {
    auto tls = ClientTls::load(settings.ca_file);
    if (auto* const fault = std::get_if<config::Fault>(&tls)) return std::move(*fault);
    access->tls = std::move(std::get<std::shared_ptr<const ClientTls>>(tls));
  }
  return std::shared_ptr<const ServiceAccess>(std::move(access));
}

}  // namespace keygate::keys
