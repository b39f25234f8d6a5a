// The head that an upstream gets of whatever a client said: one request, for the target that was decided on, with no
// credential and no identity but ours in it.
#include "tests/fuzz/open_route.hpp"
#include "tests/fuzz/probe.hpp"
#include "tests/fuzz/strict_head.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace keygate::fuzz {
namespace {

using proxy::FieldFate;
using proxy::ForwardFacts;
using proxy::RequestHead;

// Every way in which an upstream might read a name: case folded, and what is no letter or digit as a dash.
std::string folded(std::string_view name) {
  std::string result = lower(name);
  for (char& c : result) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) c = '-';
  }
  return result;
}

void check_names(const StrictHead& strict, bool is_trusted) {
  const std::vector<std::string> never = {
      "authorization",          "x-api-key",          "x-org-id",   "x-key-id", "x-user-id",      "x-scopes",
      "x-environment",          "proxy-connection",   "keep-alive", "trailer",  "x-original-url", "x-rewrite-url",
      "x-http-method-override", "proxy-authorization"};
  std::size_t methods = 0;
  for (const auto& field : strict.fields) {
    const auto name = folded(field.name);
    if (std::find(never.begin(), never.end(), name) != never.end()) broken("no such field goes up", quoted(field.name));
    hold(!name.starts_with("x-keygate-"), "no x-keygate- field goes up");
    hold(name != "content-length" || lower(field.name) == name, "no other spelling of Content-Length goes up");
    hold(name != "transfer-encoding" || lower(field.name) == name, "no other spelling of Transfer-Encoding goes up");
    methods += name == "x-auth-method" ? 1 : 0;
  }
  const auto te = strict.all("te");
  hold(te.empty() || (te.size() == 1 && te[0] == "trailers" && strict.all("connection").size() == 1 &&
                      strict.all("connection")[0] == "TE"),
       "of TE only trailers go up, for this hop");
  hold_equal(methods, 1, "there is one X-Auth-Method");
  hold_equal(strict.fields.back().name, "X-Auth-Method", "and it stands last");
  hold_equal(strict.fields.back().value, "anonymous", "and it is ours");
  if (!is_trusted) {
    hold_equal(strict.all("x-forwarded-for").size(), 1, "a stranger's X-Forwarded-For is not believed");
    hold_equal(strict.all("forwarded").size(), 1, "nor is its Forwarded");
  }
}

bool is_cookie_of_the_credential(std::string_view value) {
  while (true) {
    const auto pair = value.substr(0, value.find(';'));
    const auto first = pair.find_first_not_of(" \t");
    if (first != std::string_view::npos && pair.substr(first).starts_with("session=")) return true;
    if (pair.size() == value.size()) return false;
    value.remove_prefix(pair.size() + 1);
  }
}

// What goes on of the client's fields is in the order in which they came, less what is ours to say.
void check_kept(const RequestHead& head, const StrictHead& strict) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < head.field_count; ++i) {
    if (head.fates[i] != FieldFate::keep && head.fates[i] != FieldFate::via) continue;
    while (at < strict.fields.size() &&
           (strict.fields[at].name != head.fields[i].name || strict.fields[at].value != head.fields[i].value)) {
      ++at;
    }
    hold(at++ < strict.fields.size(), "every field that is kept goes up, in its order");
  }
  for (const auto value : strict.all("cookie")) hold(!is_cookie_of_the_credential(value), "no credential in a cookie");
}

// What is said about this connection is ours, and is said of WebSocket and of trailers alone.
void check_upgrade(const RequestHead& head, const StrictHead& strict) {
  const auto connection = strict.all("connection");
  const auto upgrade = strict.all("upgrade");
  const bool has_te = !strict.all("te").empty();
  hold(!(head.is_upgrade && has_te), "no upgrade asks for trailers");
  hold_equal(connection.size(), head.is_upgrade || has_te ? 1 : 0, "Connection goes up with an upgrade or TE");
  hold_equal(upgrade.size(), head.is_upgrade ? 1 : 0, "Upgrade goes up with an upgrade");
  if (!head.is_upgrade) return;
  hold_equal(connection[0], "Upgrade", "and Connection is ours");
  hold_equal(upgrade[0], "websocket", "and it is to WebSocket");
  hold(!head.has_body() && head.minor_version == 1, "no upgrade has a body, and none is of HTTP/1.0");
  hold_equal(strict.all("sec-websocket-key").size(), 1, "and its key goes up once");
  hold_equal(strict.all("sec-websocket-version").size(), 1, "and its version");
}

void check_body(const RequestHead& head, const StrictHead& strict) {
  const auto lengths = strict.all("content-length");
  hold_equal(strict.all("transfer-encoding").size(), head.is_chunked ? 1 : 0, "chunks are announced once");
  hold_equal(lengths.size(), head.has_content_length ? 1 : 0, "a length is said once");
  if (!lengths.empty()) hold_equal(lengths[0], std::to_string(head.content_length), "and it is the client's");
}

void check(const ForwardFacts& facts, const policy::Grant& grant) {
  const std::string head = forwarded_head(facts, grant);
  const auto gate = proxy::pass_request_gate(head, {.target_bytes = 64 * 1024, .field_count = 256});
  if (gate.flaw) broken("what is written passes our own gate", std::string(to_string(*gate.flaw)));
  const auto strict = strict_head(head);
  hold(strict.has_value(), "what is written is one request head");
  hold_equal(gate.line.method, facts.head.method_word, "the client's method");
  hold(gate.line.target.starts_with(facts.target.path()), "the path that was decided on");
  const auto behind = gate.line.target.substr(facts.target.path().size());
  hold(behind.empty() || behind[0] == '?', "and behind it at most a query");
  hold_equal(strict->all("host").size(), 1, "one Host");
  hold_equal(strict->fields.front().name, "Host", "and it stands first");
  hold_equal(strict->fields.front().value, facts.host, "and it is the one that was decided on");
  check_names(*strict, facts.is_peer_trusted);
  check_kept(facts.head, *strict);
  check_body(facts.head, *strict);
  check_upgrade(facts.head, *strict);
}

}  // namespace

void probe(std::string_view input) {
  std::size_t searched = 0;
  const std::string_view text = input.substr(0, proxy::head_size(input, searched));
  std::vector<char> room(text.begin(), text.end());
  const auto head = std::make_unique<RequestHead>();
  if (text.empty() || proxy::read_request_head(room, {}, open_snapshot().reserved, *head)) return;
  for (const bool is_trusted : {false, true}) on_open_route(*head, is_trusted, check);
}

}  // namespace keygate::fuzz
