// A keygate with a TLS listener beside its plain one, and an authority that its certificates are from.
#pragma once

#include "tests/support/bridge.hpp"
#include "tests/support/certificate.hpp"
#include "tests/support/scenario.hpp"

#include <memory>
#include <string>
#include <vector>

namespace keygate::test {

class TlsScenario : public Scenario {
 protected:
  // What keygate shows, from its next reload on.
  void show(const Certificate& certificate) const;
  // `more_tls`: more of the listener's `tls:`, flow style, beginning with a comma. `config.more` is added to.
  void start_with_tls(const std::string& more_tls = "", Config config = {});
  std::unique_ptr<Bridge> bridge_to_tls(const Certificate& own = {}) const;
  TlsSettings client(const Certificate& own = {}) const { return tls_client(authority.certificate(), own); }
  std::string url(const std::string& path) const { return "https://localhost:" + std::to_string(tls_port) + path; }
  // `openssl s_client`, which has `input` to say.
  Finished openssl(std::vector<std::string> arguments, const std::string& input = "Q\n") const;

  CertificateAuthority authority;
  std::string ca;  // the authority's certificate, a file
  std::uint16_t tls_port = 0;
};

}  // namespace keygate::test
