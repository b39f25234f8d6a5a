// Which header names a client may never set, and how names are folded before they are compared (docs/threats.md, H-02).
#pragma once

#include "config/settings.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keygate::policy {

// Lower case, every character outside [a-z0-9] made '-': what WSGI, CGI and FastCGI upstreams take to be the same name.
char fold(char c);
bool folds_equal(std::string_view name, std::string_view folded);
bool folds_alike(std::string_view a, std::string_view b);

enum class NameClass : unsigned char {
  plain,       // goes on as it is
  identity,    // an injected header, or x-keygate-*: dropped on every route
  forwarding,  // X-Forwarded-*, Forwarded, X-Real-IP, X-Original-*, X-Rewrite-*, method overrides…: dropped unless
               // trusted
  credential,  // a configured credential header, Authorization included: dropped unless the credential is forwarded
  framing,  // Connection, Host, Content-Length, Transfer-Encoding, Keep-Alive, TE, Trailer, Upgrade…: ours to write
};

// Classifies names; one probe of a small table a header, no allocation. Built once a snapshot. A name that is in two
// classes is in the stricter one: framing, then identity, then credential, then forwarding. The class says what the
// name folds to; a framing header is only obeyed under its own spelling, so Content_Length is framing here and means
// nothing there.
class ReservedNames {
 public:
  // `set`: the names that routes set by themselves, which are identity headers to whoever sends a request.
  ReservedNames(const config::IdentityHeaderSettings& identity, const config::CredentialSettings& credentials,
                const std::vector<std::string>& set = {});

  NameClass classify(std::string_view name) const;

  // Every exact (folded) reserved name, and each reserved beginning with a '*' after it, for tests and docs.
  std::vector<std::string> all() const;

 private:
  struct Row {
    std::string folded;
    NameClass name_class;
  };
  std::vector<Row> rows_;                               // grouped by hash bucket
  std::vector<std::pair<unsigned, unsigned>> buckets_;  // [first, last) into rows_
};

}  // namespace keygate::policy
