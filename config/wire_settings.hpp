// Both ends of the wire as the operator asked for them: part of Settings (docs/configuration.md).
#pragma once

#include "config/problem.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace keygate::config {

// What certificates a listener asks its clients for.
enum class ClientCertificate : std::uint8_t { none, optional, required };

struct ListenerTlsSettings {
  std::string certificate_file;  // PEM, the chain with the listener's own certificate first
  std::string private_key_file;
  std::string client_ca_file;  // who may have issued a client's; empty exactly where client_certificate is none
  ClientCertificate client_certificate = ClientCertificate::none;
  bool needs_tls13 = false;  // min_version: "1.3"
  Position where;
};

// How another proxy names the request that it asks about (docs/decision-service.md).
enum class DecisionDialect : std::uint8_t { nginx, forwarded, envoy };

struct ListenerSettings {
  std::string host = "127.0.0.1";  // numeric address, v6 without brackets
  std::uint16_t port = 8080;
  Position where;
  std::string socket;  // path of a unix socket, in place of host and port
  std::optional<ListenerTlsSettings> tls;
  bool proxy_protocol = false;               // each connection begins with a PROXY header
  std::optional<DecisionDialect> decides{};  // mode: authorize; else requests are forwarded
};

// "127.0.0.1:8080", "[::1]:8080", "unix:/run/keygate.sock"
std::string name_of(const ListenerSettings& listener);

// A path of the health listener that stands for a path of an upstream.
struct ForwardedProbeSettings {
  std::string path;      // as it is asked for
  std::string upstream;  // its name; it has one endpoint
  std::string target;    // as the upstream is asked
  std::chrono::milliseconds timeout{5'000};
  Position where;
};

// Where /livez, /readyz and /metrics are, and who else is asked by way of it.
struct HealthSettings {
  static constexpr std::size_t max_forwarded = 32;

  ListenerSettings address;
  std::vector<ForwardedProbeSettings> forward;
};

// What is done about an upstream on loopback that can be reached on this machine's other addresses too.
enum class BypassAnswer : std::uint8_t { warn, not_ready, ignore };

struct EndpointSettings {
  std::string host;  // name or numeric address
  std::uint16_t port = 80;
  Position where;
  bool is_tls = false;  // https://
  std::string socket;   // path of a unix socket, in place of all above
};

struct UpstreamTlsSettings {
  std::string ca_file;           // the only certificates trusted; empty: what the system trusts
  std::string server_name;       // asked for and expected in the certificate; empty: the endpoint's host
  std::string certificate_file;  // ours, with its key; both or neither
  std::string private_key_file;
  Position where;
};

}  // namespace keygate::config
