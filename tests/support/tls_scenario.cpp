#include "tests/support/tls_scenario.hpp"

#include <utility>

namespace keygate::test {

void TlsScenario::show(const Certificate& certificate) const {
  keygate.directory().write("tls.crt", certificate.certificate);
  keygate.directory().write("tls.key", certificate.private_key);
}

void TlsScenario::start_with_tls(const std::string& more_tls, Config config) {
  show(authority.issue({"DNS:localhost", "IP:127.0.0.1"}));
  ca = keygate.directory().write("ca.pem", authority.certificate());
  tls_port = free_port();
  config.more += "listeners:\n  - address: 127.0.0.1:" + std::to_string(tls_port) +
                 "\n    tls: {certificate_file: tls.crt, private_key_file: tls.key" + more_tls + "}\n";
  start(std::move(config));
}

std::unique_ptr<Bridge> TlsScenario::bridge_to_tls(const Certificate& own) const {
  return std::make_unique<Bridge>(BridgeEnd{}, BridgeEnd{.port = tls_port, .tls = client(own), .name = "localhost"});
}

Finished TlsScenario::openssl(std::vector<std::string> arguments, const std::string& input) const {
  std::vector<std::string> argv{"openssl",
                                "s_client",
                                "-connect",
                                "127.0.0.1:" + std::to_string(tls_port),
                                "-CAfile",
                                ca,
                                "-verify_return_error"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run({argv, {}, "", input});
}

}  // namespace keygate::test
