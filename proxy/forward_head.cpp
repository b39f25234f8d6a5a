#include "proxy/forward_head.hpp"

#include "proxy/continued_trace.hpp"
#include "proxy/head_writer.hpp"
#include "proxy/set_headers.hpp"

#include <algorithm>
#include <array>

namespace keygate::proxy {
namespace {

constexpr std::string_view pseudonym = "keygate";
// Names, separators, Via, Forwarded's words, framing; and what a trace takes.
constexpr std::size_t fixed_room = 1024 + telemetry::trace_parent_size + telemetry::TraceState::max_bytes;

// Of the forwarding headers only these are a trusted proxy's to say. X-Original-*, X-Rewrite-* and method overrides are
// nobody's: they would name another request than the one that was decided on (P-18, P-19).
bool is_believed(std::string_view name) {
  static constexpr std::array<std::string_view, 6> names = {"x-forwarded-for",  "x-forwarded-proto", "x-forwarded-host",
                                                            "x-forwarded-port", "forwarded",         "x-real-ip"};
  for (const std::string_view known : names) {
    if (equals_ignoring_case(name, known)) {
      return true;
    }
  }
  return false;
}

struct SeenForwarding {
  bool proto = false, host = false;
};

void note(std::string_view name, SeenForwarding& seen) {
  seen.proto = seen.proto || equals_ignoring_case(name, "x-forwarded-proto");
  seen.host = seen.host || equals_ignoring_case(name, "x-forwarded-host");
}

bool forwards_credential(const ForwardFacts& facts, const policy::Grant& grant) {
  return facts.snapshot.settings->credentials.forward || grant.route().forward_credential;
}

void write_target(const ForwardFacts& facts, bool keeps_credential, HeadWriter& out) {
  const keys::CredentialPlan& plan = facts.snapshot.credentials;
  out << facts.target.path();
  if (!facts.target.has_query()) {
    return;
  }
  if (keeps_credential || !plan.reads_query()) {
    out << "?" << facts.target.query();
    return;
  }
  char* const room = out.reserve(facts.target.query().size() + 1);
  const std::size_t size = plan.strip_query(facts.target.query(), room + 1);
  if (size > 0 || facts.target.query().empty()) {
    room[0] = '?';
    out.advance(size + 1);
  }
}

void write_cookie(const ForwardFacts& facts, const policy::HeaderField& field, bool keeps_credential, HeadWriter& out) {
  const keys::CredentialPlan& plan = facts.snapshot.credentials;
  if (keeps_credential || !plan.reads_cookies()) {
    out.field(field.name, field.value);
    return;
  }
  char* const room = out.reserve(field.name.size() + field.value.size() + 4);
  const std::size_t size = plan.strip_cookie(field.value, room + field.name.size() + 2);
  if (size == 0) {
    return;
  }
  HeadWriter line({room, field.name.size() + 2});
  line << field.name << ": ";
  room[field.name.size() + 2 + size] = '\r';
  room[field.name.size() + 3 + size] = '\n';
  out.advance(field.name.size() + size + 4);
}

// A name that only folds to a credential's, such as X_Api_Key, was never looked at. Where the credential goes on, such
// a one beside it would be another credential than the one that was decided on (H-02).
bool is_read(std::string_view name, const config::CredentialSettings& credentials) {
  using Kind = config::CredentialSource::Kind;
  return equals_ignoring_case(name, "authorization") ||
         std::ranges::any_of(credentials.sources, [name](const config::CredentialSource& source) {
           return source.kind == Kind::header && equals_ignoring_case(name, source.name);
         });
}

// What the upstream is sent as Authorization in place of what the client sent; empty: nothing of ours.
std::string_view own_token(const ForwardFacts& facts, const policy::Grant& grant) {
  const auto& tokens = facts.snapshot.secrets.upstream_tokens;
  return grant.upstream() < tokens.size() ? std::string_view(tokens[grant.upstream()]) : std::string_view();
}

// Ours is between the client's span and the upstream's.
void write_trace(const ExchangeTrace& trace, HeadWriter& out) {
  std::array<char, telemetry::trace_parent_size> parent{};
  telemetry::write_trace_parent(trace.for_upstream(), parent);
  out.field("traceparent", {parent.data(), parent.size()});
  if (const std::string_view state = trace.state.text(); !state.empty()) {
    out.field("tracestate", state);
  }
}

struct Keeps {
  bool credential = false, authorization = true;
};

SeenForwarding write_fields(const ForwardFacts& facts, Keeps keeps, HeadWriter& out) {
  SeenForwarding seen;
  for (std::size_t i = 0; i < facts.head.field_count; ++i) {
    const policy::HeaderField& field = facts.head.fields[i];
    if (!keeps.authorization && policy::folds_alike(field.name, "authorization")) {
      continue;
    }
    switch (facts.head.fates[i]) {
      case FieldFate::keep:
        if (facts.trace != nullptr && is_trace_context(field.name)) {
          break;
        }
        out.field(field.name, field.value);
        break;
      case FieldFate::via:
        out.field(field.name, field.value);
        break;
      case FieldFate::cookie:
        write_cookie(facts, field, keeps.credential, out);
        break;
      case FieldFate::credential:
        if (keeps.credential && is_read(field.name, facts.snapshot.settings->credentials)) {
          out.field(field.name, field.value);
        }
        break;
      case FieldFate::forwarding:
        if (facts.is_peer_trusted && is_believed(field.name)) {
          note(field.name, seen);
          out.field(field.name, field.value);
        }
        break;
      case FieldFate::host:
      case FieldFate::drop:
        break;
    }
  }
  return seen;
}

void write_forwarding(const ForwardFacts& facts, const SeenForwarding& seen, HeadWriter& out) {
  const std::string_view scheme = facts.is_secure ? "https" : "http";
  out << "Via: 1." << static_cast<std::uint64_t>(facts.head.minor_version) << " " << pseudonym << "\r\n";
  out.field("X-Forwarded-For", facts.peer);  // a second line appends to the list that a trusted proxy began
  if (!seen.proto) {
    out.field("X-Forwarded-Proto", scheme);
  }
  if (!seen.host) {
    out.field("X-Forwarded-Host", facts.client_host);
  }
  // RFC 7239 §6: an IPv6 node is bracketed, and so quoted.
  out << "Forwarded: for=" << (facts.is_peer_v6 ? "\"[" : "") << facts.peer << (facts.is_peer_v6 ? "]\"" : "")
      << ";host=\"" << facts.client_host << "\";proto=" << scheme << "\r\n";
  out.field("X-Request-Id", facts.request_id);
}

void write_identity(std::string_view name, std::string_view value, HeadWriter& out) {
  if (!name.empty() && !value.empty()) {
    out.field(name, value);
  }
}

// Last of all, so that nothing that a client sent can stand behind it.
void write_identities(const config::IdentityHeaderSettings& names, const policy::Grant& grant, HeadWriter& out) {
  write_identity(names.method, policy::to_string(grant.kind()), out);
  const policy::Principal* const principal = grant.principal();
  if (principal == nullptr) {
    return;
  }
  write_identity(names.organization, principal->organization, out);
  write_identity(names.key, principal->key_id, out);
  write_identity(names.user, principal->user, out);
  write_identity(names.scopes, grant.held()->text, out);
  write_identity(names.environment, policy::to_string(grant.environment()), out);
}

std::size_t identity_bound(const config::IdentityHeaderSettings& names, const policy::Grant& grant) {
  std::size_t size = names.organization.size() + names.key.size() + names.user.size() + names.scopes.size() +
                     names.environment.size() + names.method.size();
  if (grant.principal() != nullptr) {
    size += grant.principal()->organization.size() + grant.principal()->key_id.size() + grant.principal()->user.size() +
            grant.held()->text.size();
  }
  return size;
}

}  // namespace

std::size_t forward_head_bound(const ForwardFacts& facts, const policy::Grant& grant) {
  std::size_t size = fixed_room + facts.head.method_word.size() + facts.target.whole().size() + facts.host.size() +
                     2 * (facts.client_host.size() + facts.peer.size()) + facts.request_id.size() +
                     own_token(facts, grant).size() + identity_bound(facts.snapshot.settings->identity_headers, grant);
  for (const policy::HeaderField& field : facts.head.headers()) {
    size += field.name.size() + field.value.size() + 4;
  }
  return grant.route().set_headers ? size + set_headers_bound(grant, facts.target.path()) : size;
}

std::size_t write_forward_head(const ForwardFacts& facts, const policy::Grant& grant, std::span<char> room) {
  HeadWriter out(room);
  const bool keeps_credential = forwards_credential(facts, grant);
  const std::string_view token = own_token(facts, grant);
  out << facts.head.method_word << " ";
  write_target(facts, keeps_credential, out);
  out << " HTTP/1.1\r\n";
  out.field("Host", facts.host);
  const SeenForwarding seen = write_fields(facts, {keeps_credential, token.empty()}, out);
  if (facts.head.is_chunked) {
    out << "Transfer-Encoding: chunked\r\n";
  } else if (facts.head.has_content_length) {
    out << "Content-Length: " << facts.head.content_length << "\r\n";
  }
  if (facts.head.is_upgrade) {
    out << "Connection: Upgrade\r\nUpgrade: websocket\r\n";
  } else if (facts.head.accepts_trailers && facts.head.minor_version == 1) {
    out << "TE: trailers\r\nConnection: TE\r\n";
  }
  write_forwarding(facts, seen, out);
  if (facts.trace != nullptr) {
    write_trace(*facts.trace, out);
  }
  if (!token.empty()) {
    out << "Authorization: Bearer " << token << "\r\n";
  }
  if (grant.shadowed() != policy::Reason::ok) {
    out.field("X-Keygate-Shadow", policy::row(grant.shadowed()).code);
  }
  if (facts.is_degraded) {
    out.field("X-Keygate-Degraded", "true");
  }
  if (grant.route().set_headers) {
    write_set_headers(grant, facts.target.path(), out);
  }
  write_identities(facts.snapshot.settings->identity_headers, grant, out);
  out << "\r\n";
  return out.size();
}

unsigned own_via_count(const RequestHead& head) {
  unsigned count = 0;
  for (std::size_t i = 0; i < head.field_count; ++i) {
    if (head.fates[i] != FieldFate::via) {
      continue;
    }
    for_each_element(head.fields[i].value, [&](std::string_view hop) {
      const std::size_t blank = hop.rfind(' ');
      count += blank != std::string_view::npos && equals_ignoring_case(hop.substr(blank + 1), pseudonym) ? 1 : 0;
      return true;
    });
  }
  return count;
}

}  // namespace keygate::proxy
