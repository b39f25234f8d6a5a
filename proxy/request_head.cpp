#include "proxy/request_head.hpp"

#include "proxy/field_views.hpp"
#include "proxy/max_forwards.hpp"
#include "proxy/request_fields.hpp"
#include "proxy/request_target.hpp"
#include "proxy/upgrade.hpp"

#include <charconv>

namespace keygate::proxy {
namespace {

using policy::Reason;

std::optional<HeadRefusal> refuse(Reason reason, std::string_view what) { return HeadRefusal{reason, what}; }

Reason reason_of(HeadFlaw flaw) {
  switch (flaw) {
    case HeadFlaw::version:
      return Reason::version_not_supported;
    case HeadFlaw::target_too_long:
      return Reason::target_too_long;
    case HeadFlaw::field_too_long:
    case HeadFlaw::too_many_fields:
      return Reason::header_too_large;
    case HeadFlaw::backslash:
      return Reason::ambiguous_path;
    case HeadFlaw::line_end:
    case HeadFlaw::start_line:
    case HeadFlaw::target_byte:
    case HeadFlaw::field_line:
    case HeadFlaw::folded:
    case HeadFlaw::value_byte:
      return Reason::bad_request;
  }
  return Reason::bad_request;
}

std::optional<HeadRefusal> read_method(std::string_view word, RequestHead& out) {
  out.method_word = word;
  const auto method = policy::parse_method(word);
  if (!method) {
    return refuse(Reason::not_implemented, "unknown method");
  }
  if (*method == policy::Method::trace || *method == policy::Method::connect) {
    return refuse(Reason::method_not_allowed, "TRACE or CONNECT");
  }
  out.method = *method;
  out.method_word = word;
  return std::nullopt;
}

// `out` serves one request after another: nothing of the last one may be left in it, however this one ends.
void clear(RequestHead& out) {
  out.method = policy::Method::get;
  out.method_word = out.host = {};
  out.target = {};
  out.is_asterisk = out.keep_alive = false;
  out.field_count = 0;
  out.content_length = 0;
  out.has_content_length = out.is_chunked = out.expects_continue = out.accepts_trailers = out.is_upgrade = false;
}

}  // namespace

std::optional<std::uint64_t> parse_content_length(std::string_view text) {
  if (text.empty() || text.size() > 18 || (text[0] == '0' && text.size() > 1)) {
    return std::nullopt;
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

bool equals_ignoring_case(std::string_view a, std::string_view lower) {
  if (a.size() != lower.size()) {
    return false;
  }
  for (std::size_t i = 0; i < a.size(); ++i) {
    const char c = a[i] >= 'A' && a[i] <= 'Z' ? static_cast<char>(a[i] + 32) : a[i];
    if (c != lower[i]) {
      return false;
    }
  }
  return true;
}

std::optional<HeadRefusal> read_request_head(std::span<char> head, const HeadLimits& limits,
                                             const policy::ReservedNames& reserved, RequestHead& out) {
  const std::string_view bytes(head.data(), head.size());
  clear(out);
  const GateResult gate = pass_request_gate(bytes, limits);
  if (gate.flaw) {
    return refuse(reason_of(*gate.flaw), to_string(*gate.flaw));
  }
  out.minor_version = gate.line.minor_version;
  out.keep_alive = out.minor_version == 1;
  if (const auto refusal = read_method(gate.line.method, out)) {
    return refusal;
  }
  FieldViews parser(out.fields);
  if (!parser.parse(bytes) || parser.count() != gate.fields || parser.target() != gate.line.target) {
    return refuse(Reason::bad_request, "the parser does not agree with the gate");
  }
  out.field_count = parser.count();
  if (const auto refusal = read_request_fields(parser.known(), reserved, out)) {
    return refusal;
  }
  if (parser.chunked() != out.is_chunked) {
    return refuse(Reason::bad_request, "the parser reads another body length than the gate");
  }
  if (out.is_upgrade) {
    if (const auto refusal = judge_upgrade(out)) {
      return refusal;
    }
  }
  const auto offset = static_cast<std::size_t>(gate.line.target.data() - bytes.data());
  auto refusal = settle_target(head.subspan(offset, gate.line.target.size()), out);
  if (!refusal && out.method == policy::Method::options) {
    refusal = count_forwards(head, parser.known(), out);
  }
  return refusal;
}

}  // namespace keygate::proxy
