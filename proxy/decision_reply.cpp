#include "proxy/decision_reply.hpp"

#include "proxy/head_writer.hpp"
#include "proxy/set_headers.hpp"

namespace keygate::proxy {
namespace {

void add_field(std::string& out, std::string_view name, std::string_view value) {
  if (!name.empty()) {
    out.append(name).append(": ").append(value).append("\r\n");
  }
}

// `lines`: each behind a line end.
bool has_line(std::string_view lines, std::string_view name) {
  for (std::size_t at = 0; at != std::string_view::npos; at = lines.find('\n', at + 1)) {
    const std::string_view line = lines.substr(at + 1);
    if (line.size() > name.size() && line[name.size()] == ':' &&
        policy::folds_alike(line.substr(0, name.size()), name)) {
      return true;
    }
  }
  return false;
}

// As the upstream would get them, and empty each one that this route sets nothing to, and others do.
void add_set_headers(const Snapshot& snapshot, const policy::Grant& grant, std::string_view path, std::string& out) {
  std::string lines = "\n";
  if (grant.route().set_headers) {
    lines.resize(1 + set_headers_bound(grant, path));
    HeadWriter writer({lines.data() + 1, lines.size() - 1});
    write_set_headers(grant, path, writer);
    lines.resize(1 + writer.size());
  }
  for (const std::string& name : snapshot.set_names) {
    if (!has_line(lines, name)) {
      add_field(lines, name, {});
    }
  }
  out.append(lines, 1);
}

}  // namespace

std::string write_decision(const Snapshot& snapshot, const policy::Grant& grant, const DecisionFacts& facts) {
  static const policy::Principal nobody;
  const policy::Principal& principal = grant.principal() != nullptr ? *grant.principal() : nobody;
  const config::IdentityHeaderSettings& names = snapshot.settings->identity_headers;
  const bool is_shadowed = grant.shadowed() != policy::Reason::ok;
  std::string out = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nCache-Control: no-store\r\n";
  out += facts.rate_fields;
  add_set_headers(snapshot, grant, facts.path, out);
  add_field(out, names.method, policy::to_string(grant.kind()));
  add_field(out, names.organization, principal.organization);
  add_field(out, names.key, principal.key_id);
  add_field(out, names.user, principal.user);
  add_field(out, names.scopes, grant.held() != nullptr ? std::string_view(grant.held()->text) : std::string_view{});
  add_field(out, names.environment, policy::to_string(grant.environment()));
  add_field(out, "X-Keygate-Degraded", facts.is_degraded ? "true" : "");
  add_field(out, "X-Keygate-Shadow", is_shadowed ? policy::row(grant.shadowed()).code : std::string_view{});
  add_field(out, "X-Request-Id", facts.request_id);
  return out + (facts.closes ? "Connection: close\r\n\r\n" : "\r\n");
}

}  // namespace keygate::proxy
