#include "app/fixed_settings.hpp"

#include "app/listeners.hpp"

namespace keygate::app {
namespace {

// Addresses and names of what keys are resolved with; passwords, tokens and times may change.
std::string where_keys_are(const config::ResolutionSettings& resolution) {
  std::string text;
  if (resolution.redis) {
    const config::RedisAddress& address = resolution.redis->address;
    text += address.host + ':' + std::to_string(address.port) + ' ' + address.socket + ' ' +
            std::to_string(address.database) + ' ' + resolution.redis->name_space + ' ' +
            resolution.redis->signing_key_file;
  }
  if (resolution.service) {
    text += '|' + resolution.service->url.authority + (resolution.service->session_url ? "+sessions" : "");
  }
  return text;
}

}  // namespace

std::optional<std::string> fixed_setting_changed(const config::Settings& now, const config::Settings& next) {
  if (now.threads != next.threads) {
    return "threads has changed: that needs a restart";
  }
  const auto store_path = [](const config::Settings& of) {
    return of.resolution.store ? of.resolution.store->path : "";
  };
  if (store_path(now) != store_path(next)) {
    return "resolution.store.path has changed: that needs a restart";
  }
  if (where_keys_are(now.resolution) != where_keys_are(next.resolution)) {
    return "where keys are resolved (resolution.redis.url, .namespace, .signing_key_file or .service) has changed: "
           "that "
           "needs a restart";
  }
  if (now.limits.connections != next.limits.connections) {
    return "limits.connections has changed: that needs a restart";
  }
  if (now.log.format != next.log.format) {
    return "log.format has changed: that needs a restart";
  }
  const auto health_name = [](const config::Settings& of) { return of.health ? name_of(of.health->address) : ""; };
  if (health_name(now) != health_name(next)) {
    return "health.address has changed: that needs a restart";
  }
  const auto admin_name = [](const config::Settings& of) { return of.admin ? name_of(of.admin->address) : ""; };
  if (admin_name(now) != admin_name(next)) {
    return "admin.address has changed: that needs a restart";
  }
  return std::nullopt;
}

}  // namespace keygate::app
