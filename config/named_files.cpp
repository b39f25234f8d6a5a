#include "config/named_files.hpp"

#include <optional>
#include <utility>

namespace keygate::config {
namespace {

class Names {
 public:
  void add(const std::string& file) {
    if (!file.empty()) all_.push_back(file);
  }
  void add(const std::optional<SecretSettings>& secret) {
    if (secret && secret->kind == SecretSettings::Kind::file) add(secret->text);
  }
  std::vector<std::string> take() { return std::move(all_); }

 private:
  std::vector<std::string> all_;
};

}  // namespace

std::vector<std::string> files_named_in(const Settings& settings) {
  Names names;
  for (const ListenerSettings& listener : settings.listeners) {
    if (!listener.tls) continue;
    names.add(listener.tls->certificate_file);
    names.add(listener.tls->private_key_file);
    names.add(listener.tls->client_ca_file);
  }
  for (const UpstreamSettings& upstream : settings.upstreams) {
    names.add(upstream.tls.ca_file);
    names.add(upstream.tls.certificate_file);
    names.add(upstream.tls.private_key_file);
    names.add(upstream.authorization);
  }
  for (const AdminSecretSettings& admin : settings.credentials.admin_secrets) names.add(admin.secret);
  if (const auto& redis = settings.resolution.redis) {
    names.add(redis->password);
    names.add(redis->ca_file);
    names.add(redis->signing_key_file);
  }
  if (const auto& service = settings.resolution.service) {
    names.add(service->token);
    names.add(service->ca_file);
  }
  names.add(settings.tracing.ca_file);
  if (settings.admin) names.add(settings.admin->token);
  names.add(settings.key_service.token);
  names.add(settings.key_service.manage_token);
  names.add(settings.key_service.admin_token);
  return names.take();
}

}  // namespace keygate::config
