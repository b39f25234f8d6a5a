// Certificates for one test: an authority of its own, and what it vouches for.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace keygate::test {

struct Certificate {
  std::string certificate;  // PEM
  std::string private_key;  // PEM
};

class CertificateAuthority {
 public:
  CertificateAuthority();
  ~CertificateAuthority();
  CertificateAuthority(const CertificateAuthority&) = delete;
  CertificateAuthority& operator=(const CertificateAuthority&) = delete;

  const std::string& certificate() const { return certificate_; }  // PEM

  // For these subject alternative names: "DNS:localhost", "IP:127.0.0.1". Valid from `from_seconds` to `to_seconds`,
  // both counted from now. `subject` is its common name.
  Certificate issue(const std::vector<std::string>& names, long from_seconds = -60, long to_seconds = 3600,
                    const std::string& subject = "Keygate test") const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::string certificate_;
};

}  // namespace keygate::test
