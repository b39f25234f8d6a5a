// A line of the access log (docs/configuration.md) as the request and the caller that it tells of. Pure; for `keygate
// replay`.
#pragma once

#include "policy/principal.hpp"
#include "policy/reason.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::app {

struct LoggedRequest {
  enum class Line : std::uint8_t {
    judged,      // some route let it pass or refused it, or none had it
    not_judged,  // it ended for a reason that no policy has a say in
    broken,      // this is no line of an access log
  };
  Line line = Line::broken;
  bool is_cut = false;  // a field that counts is as long as the log has any: the rest of it is missing
  std::string method, host, path, route, upstream;
  std::string code;      // "ok" of a grant, whatever became of it
  std::string shadowed;  // what shadow mode let through; empty: nothing
  std::string client_subject;
  bool is_granted = false;  // also where the upstream then failed
  policy::CredentialKind kind = policy::CredentialKind::none;
  std::string key_id, organization;
  policy::Environment environment = policy::Environment::none;
  std::vector<std::string> granted;  // as the key was granted it
};

// Whatever the bytes are; nothing is thrown but bad_alloc.
LoggedRequest read_logged(std::string_view line);

// The reason with this code; nullopt: there is none.
std::optional<policy::Reason> reason_named(std::string_view code);

}  // namespace keygate::app
