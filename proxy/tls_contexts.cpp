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

using OfListener = std::shared_ptr<const ServerTls>;

OfListener kept_where_same(OfListener read, const TlsContexts& in_force) {
  const auto same = std::find_if(in_force.listeners.begin(), in_force.listeners.end(),
                                 [&](const OfListener& old) { return read && old && old->is_same(*read); });
  return same == in_force.listeners.end() ? std::move(read) : *same;
}

}  // namespace

TlsContexts read_tls(const config::Settings& settings, config::Problems& problems, const TlsContexts& in_force) {
  TlsContexts read;
  for (const config::ListenerSettings& listener : settings.listeners) {
    OfListener found;
    if (listener.tls) {
      found = taken(ServerTls::load(*listener.tls), listener.tls->where, "listeners.tls", problems);
    }
    read.listeners.push_back(kept_where_same(std::move(found), in_force));
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

void forget_old_tickets(const TlsContexts& in_force) {
  for (const OfListener& listener : in_force.listeners) {
    if (listener) {
      listener->tickets().forget_old(SteadyClock::now());
    }
  }
}

void forget_old_tickets(const TlsContexts& in_force, const TlsContexts& before) {
  for (const OfListener& listener : before.listeners) {
    const bool has_gone =
        std::find(in_force.listeners.begin(), in_force.listeners.end(), listener) == in_force.listeners.end();
    if (listener && has_gone) {
      listener->tickets().forget_all();
    }
  }
  forget_old_tickets(in_force);
}

}  // namespace keygate::proxy
