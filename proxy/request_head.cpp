#include "proxy/request_head.hpp"

#include "proxy/field_views.hpp"
#include "proxy/request_target.hpp"

#include <boost/beast/http/field.hpp>

#include <cassert>
#include <charconv>

namespace keygate::proxy {
namespace {

using http::field;
using policy::NameClass;
using policy::Reason;

// Beast's own view of the framing, kept only to compare: the gate may refuse more than Beast, never read it otherwise.
class RequestFields final : public FieldViews<true, RequestFields> {
 public:
  explicit RequestFields(std::span<policy::HeaderField> into) : FieldViews(into) {}
};

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

// How often the fields that may stand once only were seen.
struct Once {
  unsigned host = 0, content_length = 0, transfer_encoding = 0, authorization = 0, content_type = 0, expect = 0, upgrade = 0;
  bool is_websocket = false;
  bool has_upgrade = false;
};

// Standard fields that a Connection header may name: they end at the next hop anyway.
bool is_hop_by_hop(field name) {
  switch (name) {
    case field::keep_alive:
    case field::proxy_connection:
    case field::te:
    case field::trailer:
    case field::upgrade:
    case field::http2_settings:
      return true;
    default:  // a list of over 300 standard names: everything else is end to end
      return false;
  }
}

// RFC 9110 §7.6.1 forbids to name end-to-end fields, and naming ours would have the next hop drop what we inject (H-03).
bool may_nominate(std::string_view option, const policy::ReservedNames& reserved) {
  if (equals_ignoring_case(option, "close")) {
    return true;
  }
  const field known = http::string_to_field(option);
  if (known != field::unknown) {
    return is_hop_by_hop(known);
  }
  return reserved.classify(option) == NameClass::plain;
}

std::optional<HeadRefusal> read_connection(std::string_view value, const policy::ReservedNames& reserved, RequestHead& out) {
  bool is_allowed = true;
  for_each_element(value, [&](std::string_view option) {
    if (equals_ignoring_case(option, "close")) {
      out.keep_alive = false;
    } else {
      is_allowed = may_nominate(option, reserved);
    }
    return is_allowed;
  });
  return is_allowed ? std::nullopt : refuse(Reason::bad_request, "Connection names an end-to-end or reserved header");
}

// Every Connection line counts, also one that stands after the field it names.
void drop_nominated(std::string_view value, RequestHead& out) {
  for_each_element(value, [&](std::string_view option) {
    for (std::size_t i = 0; i < out.field_count; ++i) {
      const std::string_view name = out.fields[i].name;
      if (name.size() == option.size() && boost::beast::iequals(name, option)) {
        out.fates[i] = FieldFate::drop;
      }
    }
    return true;
  });
}

FieldFate fate_of(std::string_view name, const policy::ReservedNames& reserved) {
  switch (reserved.classify(name)) {
    case NameClass::plain:
      return FieldFate::keep;
    case NameClass::identity:
    case NameClass::framing:
      return FieldFate::drop;
    case NameClass::forwarding:
      return FieldFate::forwarding;
    case NameClass::credential:
      return FieldFate::credential;
  }
  return FieldFate::drop;
}

std::optional<HeadRefusal> read_content_length(std::string_view value, RequestHead& out) {
  const auto size = parse_content_length(value);
  if (!size) {
    return refuse(Reason::bad_request, "malformed Content-Length");
  }
  out.content_length = *size;
  out.has_content_length = true;
  return std::nullopt;
}

// One line, exactly "chunked", on HTTP/1.1: everything else has been read differently by someone.
std::optional<HeadRefusal> read_transfer_encoding(std::string_view value, RequestHead& out) {
  if (out.minor_version == 0 || !equals_ignoring_case(value, "chunked")) {
    return refuse(Reason::bad_request, "Transfer-Encoding other than one chunked on HTTP/1.1");
  }
  out.is_chunked = true;
  return std::nullopt;
}

std::optional<HeadRefusal> read_expect(std::string_view value, RequestHead& out) {
  if (!equals_ignoring_case(value, "100-continue")) {
    return refuse(Reason::expectation_failed, "an expectation other than 100-continue");
  }
  out.expects_continue = out.minor_version == 1;
  return std::nullopt;
}

// What one field says about the request itself; sets its fate. `known` is Beast's number for the name.
std::optional<HeadRefusal> read_field(std::size_t i, field known, const policy::ReservedNames& reserved, Once& once,
                                      RequestHead& out) {
  const auto& [name, value] = out.fields[i];
  switch (known) {
    case field::host:
      ++once.host;
      out.host = value;
      out.fates[i] = FieldFate::host;
      return std::nullopt;
    case field::content_length:
      ++once.content_length;
      out.fates[i] = FieldFate::drop;
      return read_content_length(value, out);
    case field::transfer_encoding:
      ++once.transfer_encoding;
      out.fates[i] = FieldFate::drop;
      return read_transfer_encoding(value, out);
    case field::connection:
      out.fates[i] = FieldFate::drop;
      return read_connection(value, reserved, out);
    case field::expect:
      ++once.expect;
      out.fates[i] = FieldFate::drop;
      return read_expect(value, out);
    case field::upgrade:
      ++once.upgrade;
      out.fates[i] = FieldFate::drop;
      for_each_element(value, [&](std::string_view protocol) {
        once.is_websocket = once.is_websocket || equals_ignoring_case(protocol, "websocket");
        return true;
      });
      return std::nullopt;
    case field::te:
      out.fates[i] = FieldFate::drop;
      for_each_element(value, [&](std::string_view coding) {
        out.accepts_trailers = out.accepts_trailers || equals_ignoring_case(coding, "trailers");
        return true;
      });
      return std::nullopt;
    case field::content_type:
      ++once.content_type;
      out.fates[i] = FieldFate::keep;
      return std::nullopt;
    case field::authorization:
      ++once.authorization;
      out.fates[i] = fate_of(name, reserved);
      return std::nullopt;
    case field::cookie:
      out.fates[i] = FieldFate::cookie;
      return std::nullopt;
    case field::via:
      out.fates[i] = FieldFate::via;
      return std::nullopt;
    default:  // over 300 standard names and all others: the reserved names decide
      out.fates[i] = fate_of(name, reserved);
      return std::nullopt;
  }
}

std::optional<HeadRefusal> judge_once(const Once& once, const RequestHead& out) {
  if (once.host != 1) {
    return refuse(Reason::bad_request, once.host == 0 ? "no Host" : "more than one Host");
  }
  if (once.content_length > 1 || once.transfer_encoding > 1 || (out.is_chunked && out.has_content_length)) {
    return refuse(Reason::bad_request, "more than one body length");
  }
  if (once.authorization > 1) {
    return refuse(Reason::ambiguous_credential, "more than one Authorization");
  }
  if (once.content_type > 1 || once.expect > 1 || once.upgrade > 1) {
    return refuse(Reason::bad_request, "a field that may stand once stands twice");
  }
  if (once.is_websocket && out.has_body()) {
    return refuse(Reason::bad_request, "an upgrade with a body");
  }
  return std::nullopt;
}

std::optional<HeadRefusal> read_method(std::string_view word, RequestHead& out) {
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
  const GateResult gate = pass_request_gate(bytes, limits);
  if (gate.flaw) {
    return refuse(reason_of(*gate.flaw), to_string(*gate.flaw));
  }
  out.minor_version = gate.line.minor_version;
  out.keep_alive = out.minor_version == 1;
  if (const auto refusal = read_method(gate.line.method, out)) {
    return refusal;
  }
  RequestFields parser(out.fields);
  if (!parser.parse(bytes) || parser.count() != gate.fields || parser.target() != gate.line.target) {
    return refuse(Reason::bad_request, "the parser does not agree with the gate");
  }
  out.field_count = parser.count();
  Once once;
  for (std::size_t i = 0; i < out.field_count; ++i) {
    if (const auto refusal = read_field(i, parser.known(i), reserved, once, out)) {
      return refusal;
    }
  }
  if (const auto refusal = judge_once(once, out)) {
    return refusal;
  }
  for (std::size_t i = 0; i < out.field_count; ++i) {
    if (parser.known(i) == field::connection) {
      drop_nominated(out.fields[i].value, out);
    }
  }
  assert(parser.chunked() == out.is_chunked);
  const auto offset = static_cast<std::size_t>(gate.line.target.data() - bytes.data());
  return settle_target(head.subspan(offset, gate.line.target.size()), out);
}

}  // namespace keygate::proxy
