// One immutable configuration, ready to serve with, and its number. Made by app/reload, shared as const by all workers;
// each exchange keeps the one it began with.
#pragma once

#include "config/settings.hpp"
#include "keys/credential.hpp"
#include "keys/secrets.hpp"
#include "policy/policy.hpp"
#include "policy/reserved_names.hpp"
#include "proxy/forwarding.hpp"
#include "proxy/tls_contexts.hpp"
#include "proxy/upstream_health.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace keygate::proxy {

struct Snapshot {
  Snapshot(std::uint64_t number, std::shared_ptr<const config::Settings> from,
           std::shared_ptr<const policy::Policy> rules, keys::Secrets read = {}, TlsContexts contexts = {});

  std::uint64_t generation;
  std::shared_ptr<const config::Settings> settings;
  std::shared_ptr<const policy::Policy> policy;
  std::vector<std::string> set_names;  // by set_headers of any route, each once
  policy::ReservedNames reserved;
  keys::CredentialPlan credentials;
  TrustedProxies trusted;
  keys::Secrets secrets;                  // empty where nothing may be read
  std::vector<policy::Held> admins_hold;  // of each of secrets.admins, what it holds under this catalogue
  bool reads_sessions;
  bool decides;                                         // some listener is asked for decisions
  TlsContexts tls;                                      // empty where nothing may be read
  std::vector<std::shared_ptr<UpstreamHealth>> health;  // by upstream; null: nobody checks it
};

}  // namespace keygate::proxy
