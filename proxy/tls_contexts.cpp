#include "proxy/tls_contexts.hpp"

#include "proxy/server_tls.hpp"
#include "proxy/upstream_tls.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace keygate::proxy {
namespace {

template <class T>
std::shared_ptr<const T> taken(config::Parsed<std::shared_ptr<const T>> loaded, const config::Position& where,
                               const std::string& path, config::Problems& problems) {
  if (auto* fault = std::get_if<config::Fault>(&loaded)) {
    problems.push_back({config::Severity::error, where, path, fault->message, fault->hint});
    return nullptr;
  }
  return std::move(std::get<std::shared_ptr<const T>>(loaded));
}

}  // namespace

TlsContexts read_tls(const config::Settings& settings, config::Problems& problems) {
  TlsContexts read;
  for (const config::ListenerSettings& listener : settings.listeners) {
    read.listeners.push_back(
        listener.tls ? taken(ServerTls::load(*listener.tls), listener.tls->where, "listeners.tls", problems) : nullptr);
  }
  for (const config::UpstreamSettings& upstream : settings.upstreams) {
    const bool uses_tls = std::any_of(upstream.endpoints.begin(), upstream.endpoints.end(),
                                      [](const config::EndpointSettings& endpoint) { return endpoint.is_tls; });
    const config::Position& where = upstream.tls.where.line != 0 ? upstream.tls.where : upstream.where;
    read.upstreams.push_back(
        uses_tls ? taken(UpstreamTls::load(upstream.tls), where, "upstreams." + upstream.name + ".tls", problems)
                 : nullptr);
  }
  return read;
}

}  // namespace keygate::proxy
