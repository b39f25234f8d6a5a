#include "proxy/request_fields.hpp"

#include <boost/beast/core/string.hpp>

#include <string_view>

namespace keygate::proxy {
namespace {

namespace http = boost::beast::http;

using http::field;
using policy::NameClass;
using policy::Reason;

std::optional<HeadRefusal> refuse(Reason reason, std::string_view what) { return HeadRefusal{reason, what}; }

// How often the fields that may stand once only were seen.
struct Once {
  unsigned host = 0, content_length = 0, transfer_encoding = 0, authorization = 0, content_type = 0, expect = 0,
           upgrade = 0;
  std::size_t connection_options = 0;
  bool is_websocket = false;   // of Upgrade
  bool names_upgrade = false;  // of Connection
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

// RFC 9110 §7.6.1 forbids to name end-to-end fields, and naming ours would have the next hop drop what we inject
// (H-03).
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

std::optional<HeadRefusal> read_connection(std::string_view value, const policy::ReservedNames& reserved, Once& once,
                                           RequestHead& out) {
  bool is_allowed = true;
  for_each_element(value, [&](std::string_view option) {
    if (equals_ignoring_case(option, "close")) {
      out.keep_alive = false;
    } else if (equals_ignoring_case(option, "upgrade")) {
      once.names_upgrade = true;
    } else {
      is_allowed = may_nominate(option, reserved);
    }
    return is_allowed && ++once.connection_options <= max_connection_options;
  });
  if (once.connection_options > max_connection_options) {
    return refuse(Reason::bad_request, "Connection has too many options");
  }
  return is_allowed ? std::nullopt : refuse(Reason::bad_request, "Connection names an end-to-end or reserved header");
}

// Every Connection line counts, also one that stands after the field it names.
void drop_nominated(std::string_view value, RequestHead& out) {
  for_each_element(value, [&](std::string_view option) {
    for (std::size_t i = 0; i < out.field_count; ++i) {
      const std::string_view name = out.fields[i].name;
      const bool is_named = name.size() == option.size() && boost::beast::iequals(name, option);
      if (is_named && out.fates[i] != FieldFate::drop) {
        out.fates[i] = FieldFate::drop;
        out.fields[i] = {};
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
      return read_connection(value, reserved, once, out);
    case field::proxy_connection:  // no standard, and some programs close for it all the same
      out.fates[i] = fate_of(name, reserved);
      for_each_element(value, [&](std::string_view option) {
        out.keep_alive = out.keep_alive && !equals_ignoring_case(option, "close");
        return true;
      });
      return std::nullopt;
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

}  // namespace

std::optional<HeadRefusal> read_request_fields(std::span<const field> known, const policy::ReservedNames& reserved,
                                               RequestHead& out) {
  Once once;
  for (std::size_t i = 0; i < out.field_count; ++i) {
    if (const auto refusal = read_field(i, known[i], reserved, once, out)) {
      return refusal;
    }
  }
  if (const auto refusal = judge_once(once, out)) {
    return refusal;
  }
  // Only a GET of HTTP/1.1 can ask for it; the Upgrade of any other is dropped (U-03).
  out.is_upgrade =
      once.is_websocket && once.names_upgrade && out.minor_version == 1 && out.method == policy::Method::get;
  for (std::size_t i = 0; i < out.field_count; ++i) {
    if (known[i] == field::connection) {
      drop_nominated(out.fields[i].value, out);
    }
  }
  return std::nullopt;
}

}  // namespace keygate::proxy
