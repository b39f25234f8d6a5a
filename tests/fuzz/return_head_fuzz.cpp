// The head that a client gets of whatever an upstream said: one response, whose body ends where it says, and nothing of
// the upstream's connection.
#include "proxy/response_head.hpp"
#include "proxy/return_head.hpp"
#include "tests/fuzz/probe.hpp"
#include "tests/fuzz/strict_head.hpp"

#include <memory>
#include <string>
#include <vector>

namespace keygate::fuzz {
namespace {

using proxy::BodyDelivery;
using proxy::RequestHead;
using proxy::ResponseHead;
using proxy::ReturnFacts;

std::string written(const ReturnFacts& facts) {
  const std::size_t bound = proxy::return_head_bound(facts.response);
  std::vector<char> room(bound);
  const std::size_t size = proxy::write_return_head(facts, room);
  hold(size <= bound, "a head fits into the room that was measured for it");
  return {room.data(), size};
}

// The kept fields come first and in their order; only what we say ourselves stands behind them.
void check_fields(const ReturnFacts& facts, const StrictHead& strict) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < facts.response.field_count; ++i) {
    if (!facts.response.is_kept[i]) continue;
    hold(at < strict.fields.size(), "no field that goes on is lost");
    hold_equal(strict.fields[at].name, facts.response.fields[i].name, "the names of the fields that go on");
    hold_equal(strict.fields[at].value, facts.response.fields[i].value, "the values of the fields that go on");
    ++at;
  }
  for (; at < strict.fields.size(); ++at) {
    const auto name = lower(strict.fields[at].name);
    hold(name == "transfer-encoding" || name == "content-length" || name == "cache-control" || name == "connection",
         "nothing else is added");
  }
}

void check_body(const ReturnFacts& facts, const StrictHead& strict) {
  const bool is_chunked = facts.delivery == BodyDelivery::chunks || facts.delivery == BodyDelivery::new_chunks;
  const auto lengths = strict.all("content-length");
  hold_equal(strict.all("transfer-encoding").size(), is_chunked ? 1 : 0, "chunks are announced once");
  hold(lengths.size() <= (is_chunked ? 0U : 1U), "one body length at most");
  if (facts.delivery == BodyDelivery::length) {
    hold_equal(lengths.size(), 1, "a counted body has its length");
    hold_equal(lengths[0], std::to_string(facts.response.content_length), "and it is the upstream's");
  }
  hold(!is_chunked || facts.request.minor_version == 1, "an HTTP/1.0 client gets no chunks");
}

void check(const ResponseHead& response, const RequestHead& request, bool closes) {
  ReturnFacts facts{.response = response, .request = request};
  facts.delivery = proxy::delivery_of(response, request);
  facts.closes = closes;
  facts.is_granted_by_key = closes;
  facts.key_source = config::CredentialSource::Kind::query;
  const std::string head = written(facts);
  hold(!proxy::response_flaw(head, proxy::max_response_fields + 3), "what is written passes our own gate");
  const auto strict = strict_head(head);
  const auto line = strict ? strict_status_line(strict->start) : std::nullopt;
  hold(line.has_value(), "what is written is one response head");
  hold_equal(line->version, "HTTP/1.1", "in our own version");
  hold_equal(line->status, static_cast<unsigned>(response.status), "with the upstream's status");
  hold_equal(line->reason, response.reason, "and its reason");
  hold_equal(strict->all("connection").size(), closes ? 1 : 0, "Connection is ours");
  if (closes) hold(!strict->all("cache-control").empty(), "an answer to a key in a query says who may store it");
  check_fields(facts, *strict);
  check_body(facts, *strict);
}

void check_interim(const ResponseHead& response) {
  std::vector<char> room(proxy::return_head_bound(response));
  const std::size_t size = proxy::write_interim_head(response, room);
  hold(!proxy::response_flaw({room.data(), size}, proxy::max_response_fields), "an interim head passes our own gate");
}

}  // namespace

void probe(std::string_view input) {
  std::size_t searched = 0;
  const std::string_view head = input.substr(0, proxy::head_size(input, searched));
  const auto response = std::make_unique<ResponseHead>();
  const auto request = std::make_unique<RequestHead>();
  for (const auto method : {policy::Method::get, policy::Method::head}) {
    if (head.empty() || proxy::read_response_head(head, method, *response)) return;
    if (response->is_interim()) return check_interim(*response);
    request->method = method;
    for (const int minor_version : {0, 1}) {
      request->minor_version = minor_version;
      check(*response, *request, false);
      check(*response, *request, true);
    }
  }
}

}  // namespace keygate::fuzz
