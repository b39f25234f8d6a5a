// May this call of the admin listener be answered at all? Who may look, who may change something, and whether a browser
// asks on behalf of another site. Pure.
#pragma once

#include "keys/digest.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace keygate::app {

struct AdminCall {
  bool is_local = false;  // over the unix socket, which its file's mode guards
  bool changes = false;   // a call that changes something
  std::string_view host, origin, fetch_site, authorization, content_type;
  bool has_body = false;
};

struct AdminRefusal {
  int status = 403;
  std::string_view code;
  std::string_view detail;
};

// `token`: of admin.token_file, where there is one. None: it may be answered.
std::optional<AdminRefusal> refusal_of(const AdminCall& call, const std::optional<keys::KeyDigest>& token);

}  // namespace keygate::app
