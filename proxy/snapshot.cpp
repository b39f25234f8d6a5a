#include "proxy/snapshot.hpp"

#include "policy/set_header.hpp"

#include <algorithm>
#include <utility>

namespace keygate::proxy {
namespace {

bool has_sessions(const config::Settings& settings) {
  return settings.resolution.service && settings.resolution.service->session_url;
}

std::vector<std::string> each_once(const std::vector<std::string>& names) {
  std::vector<std::string> result;
  for (const std::string& name : names) {
    const bool is_there =
        std::ranges::any_of(result, [&](const std::string& other) { return policy::folds_alike(name, other); });
    if (!is_there) result.push_back(name);
  }
  return result;
}

}  // namespace

Snapshot::Snapshot(std::uint64_t number, std::shared_ptr<const config::Settings> from,
                   std::shared_ptr<const policy::Policy> rules, keys::Secrets read, TlsContexts contexts)
    : generation(number),
      settings(std::move(from)),
      policy(std::move(rules)),
      set_names(each_once(policy::set_header_names(settings->policy.routes))),
      reserved(settings->identity_headers, settings->credentials, set_names),
      credentials(settings->credentials, has_sessions(*settings)),
      trusted(settings->trusted_proxies),
      secrets(std::move(read)),
      reads_sessions(has_sessions(*settings)),
      decides(std::ranges::any_of(settings->listeners, [](const auto& one) { return one.decides.has_value(); })),
      tls(std::move(contexts)) {
  for (const keys::AdminSecret& admin : secrets.admins.all()) {
    admins_hold.push_back(policy->catalogue.expand(admin.answer.principal.granted));
  }
  for (const config::UpstreamSettings& upstream : settings->upstreams) {
    health.push_back(upstream.health_check ? std::make_shared<UpstreamHealth>(upstream.endpoints.size()) : nullptr);
  }
}

}  // namespace keygate::proxy
