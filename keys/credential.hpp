// Where a request carries its credential, and what is left when it has been taken out (docs/threats.md, A-03, A-04,
// P-20). Built once a snapshot; extract is called once a request that is not anonymous and allocates nothing.
#pragma once

#include "config/settings.hpp"
#include "keys/key_format.hpp"
#include "keys/secret.hpp"
#include "policy/route_table.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::keys {

struct Presented {
  enum class Kind : std::uint8_t {
    nothing,
    one,        // fits a format
    ambiguous,  // two that differ, or one place twice
    malformed,  // "Bearer" without one well-formed token, or a text that can be no credential at all
    unfit,      // fits no format: no API key, but perhaps a session or an admin secret
  };
  Kind kind = Kind::nothing;
  SecretView secret;                                            // of `one` and `unfit`; views the request
  policy::Environment environment = policy::Environment::none;  // what its prefix says
  config::CredentialSource::Kind source = config::CredentialSource::Kind::bearer;  // the first place it was found in
};

class CredentialPlan {
 public:
  // `reads_sessions`: a cookie may hold a session.
  explicit CredentialPlan(const config::CredentialSettings& settings, bool reads_sessions = false);

  // Looks in all sources. The same header, parameter or cookie twice, or two keys that differ, is ambiguous; the same
  // key in two places is one. An Authorization of another scheme is nothing. A session in a cookie counts only where
  // nothing else is presented.
  Presented extract(std::span<const policy::HeaderField> headers, std::string_view query) const;

  bool reads_query() const { return !query_names_.empty(); }
  bool reads_cookies() const { return !cookie_names_.empty(); }

  // A query that one parser could read as holding the credential and another not: an escape in it that is no escape, a
  // ';' beside a credential's name, a credential's name without '='. Such a request is refused with bad_request before
  // anything else. Always false where no query source is configured.
  bool is_query_ambiguous(std::string_view query) const;

  // `query` without the credential's parameters (compared percent-decoded, '+' as blank, case folded), written to
  // `out`, which has room for query.size() bytes; returns the size. Everything else stays byte for byte; nothing but
  // the parameter and one '&' goes.
  std::size_t strip_query(std::string_view query, char* out) const;

  // A Cookie header's value without the credential's pairs; same rules.
  std::size_t strip_cookie(std::string_view value, char* out) const;

 private:
  bool is_key(std::string_view cookie) const;

  KeyFormats formats_;
  bool bearer_ = false;
  bool reads_sessions_ = false;
  std::vector<std::string> header_names_;
  std::vector<std::string> query_names_;
  std::vector<std::string> cookie_names_;
};

}  // namespace keygate::keys
