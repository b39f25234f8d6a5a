#include "config/listener_reader.hpp"

#include "config/address.hpp"
#include "config/scalar_readers.hpp"

#include <algorithm>

namespace keygate::config {
namespace {

struct AuthorizeDocument {
  DecisionDialect dialect = DecisionDialect::nginx;
};

struct ListenerDocument {
  std::optional<ListenerSettings> address;
  std::optional<ListenerTlsSettings> tls;
  bool proxy_protocol = false;
  bool is_authorize = false;
  std::optional<AuthorizeDocument> authorize;
};

std::optional<ListenerSettings> listener_of(const Value& value, ListenerDocument document) {
  if (document.is_authorize && !document.authorize) {
    value.member("mode")->complain("\"authorize\" needs to know who asks",
                                   "write authorize: {dialect: nginx}, or forwarded (Traefik, Caddy), or envoy");
  }
  if (document.authorize && !document.is_authorize) {
    value.member("authorize")->complain("requests to this listener are forwarded", "write mode: authorize beside it");
  }
  if (document.address) {
    if (document.authorize) document.address->decides = document.authorize->dialect;
    document.address->tls = std::move(document.tls);
    document.address->proxy_protocol = document.proxy_protocol;
  }
  return document.address;
}

std::optional<ListenerTlsSettings> checked_tls(const Value& value, ListenerTlsSettings tls) {
  const bool asks = tls.client_certificate != ClientCertificate::none;
  if (asks && tls.client_ca_file.empty()) {
    value.complain("client certificates are asked for, and nobody is trusted to issue one", "write client_ca_file");
  }
  if (!asks && !tls.client_ca_file.empty()) {
    value.member("client_ca_file")
        ->complain("no client is asked for a certificate", "write client_certificate: required, or optional");
  }
  return tls;
}

Reader<ListenerTlsSettings> tls_reader() {
  using T = ListenerTlsSettings;
  const auto asks = one_of<ClientCertificate>({{"none", ClientCertificate::none},
                                               {"optional", ClientCertificate::optional},
                                               {"required", ClientCertificate::required}});
  const auto version = one_of<bool>({{"1.2", false}, {"1.3", true}});
  return then(object<T>({
                  required(key("certificate_file", &T::certificate_file, file_path(), "the chain, its own first")),
                  required(key("private_key_file", &T::private_key_file, file_path(), "of the certificate")),
                  key("client_ca_file", &T::client_ca_file, file_path(), "who issues the clients' certificates"),
                  key("client_certificate", &T::client_certificate, asks, "none, optional or required"),
                  key("min_version", &T::needs_tls13, version, "of TLS: \"1.2\" or \"1.3\""),
              }),
              checked_tls);
}

Reader<AuthorizeDocument> authorize_reader() {
  const auto dialect = one_of<DecisionDialect>({{"nginx", DecisionDialect::nginx},
                                                {"forwarded", DecisionDialect::forwarded},
                                                {"envoy", DecisionDialect::envoy}});
  return object<AuthorizeDocument>(
      {required(key("dialect", &AuthorizeDocument::dialect, dialect, "nginx, forwarded or envoy"))});
}

// What is put in one form here is judged in that form, and the other proxy serves what it was.
std::string relaxed_path(const PathSettings& paths) {
  if (paths.opaque_slashes) return "paths.encoded_slash";
  if (paths.merge_slashes) return "paths.repeated_slashes";
  if (paths.resolve_dots) return "paths.dot_segments";
  return paths.allow_semicolons ? "paths.semicolon" : "";
}

// A stranger who may ask in another request's name learns what any key may do.
void check_decisions(const Value& root, const Settings& settings, const ListenerSettings& listener) {
  if (!listener.decides) return;
  if (listener.proxy_protocol) {
    root.complain_at(listener.where, "who asks for decisions is the proxy itself: no PROXY header comes before");
  }
  if (const std::string relaxed = relaxed_path(settings.paths); !relaxed.empty()) {
    root.complain_at(listener.where, "a path that " + relaxed + " puts in one form is served in the other by who asks",
                     "leave " + relaxed + " at \"reject\", or have this listener forward");
  }
  if (listener.socket.empty() && settings.trusted_proxies.empty()) {
    root.complain_at(listener.where, "decisions are told to trusted_proxies alone, and there are none",
                     "write trusted_proxies: [10.0.0.5], or listen on a unix socket");
  }
}

}  // namespace

Reader<ListenerSettings> listening_address() {
  auto address = parsed<ListenerSettings>("an address such as 127.0.0.1:8080", parse_listener_address);
  return then(std::move(address), [](const Value& value, ListenerSettings listener) -> std::optional<ListenerSettings> {
    listener.where = value.where();
    if (!listener.socket.empty()) listener.socket = socket_beside_file(value, listener.socket);
    return listener;
  });
}

Reader<ListenerSettings> listener_reader() {
  using L = ListenerDocument;
  return then(object<L>({
                  required(key("address", &L::address, listening_address(), "host:port, [v6]:port or unix:/path")),
                  key("tls", &L::tls, tls_reader(), "certificate, key and client certificates"),
                  key("proxy_protocol", &L::proxy_protocol, boolean(), "whether a PROXY header comes first"),
                  key("mode", &L::is_authorize, one_of<bool>({{"proxy", false}, {"authorize", true}}),
                      "authorize: answer decisions instead of forwarding"),
                  key("authorize", &L::authorize, authorize_reader(), "who asks for decisions"),
              }),
              listener_of);
}

void check_listeners(const Value& root, const Settings& settings, Purpose purpose) {
  auto all = settings.listeners;
  if (settings.health) all.push_back(settings.health->address);
  if (settings.admin) all.push_back(settings.admin->address);
  for (auto one = all.begin(); one != all.end(); ++one) {
    const auto first = std::find_if(all.begin(), one, [one](const ListenerSettings& other) {
      return (one->port != 0 || !one->socket.empty()) && name_of(other) == name_of(*one);
    });
    if (first == one) continue;
    root.complain_at(one->where, quoted(name_of(*one)) + " is listened on twice",
                     first->where.line == 0 ? "it is where clients connect unless \"listen\" says otherwise"
                                            : "the first is on line " + std::to_string(first->where.line));
  }
  for (const ListenerSettings& listener : settings.listeners) {
    check_decisions(root, settings, listener);
    const bool is_plain = listener.socket.empty() && !listener.tls && !listener.proxy_protocol && !listener.decides;
    if (purpose == Purpose::key_server && !is_plain) {
      root.complain_at(listener.where, "a key server listens on TCP without TLS or PROXY headers in this version");
    }
    if (listener.proxy_protocol && listener.socket.empty() && settings.trusted_proxies.empty()) {
      root.complain_at(listener.where, "PROXY headers are believed from trusted_proxies alone, and there are none",
                       "write trusted_proxies: [10.0.0.0/8]");
    }
  }
}

}  // namespace keygate::config
