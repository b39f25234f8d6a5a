#include "proxy/response_head.hpp"

#include "keys/characters.hpp"
#include "proxy/request_head.hpp"

#include <boost/beast/core/string.hpp>

#include <array>
#include <cstdint>

namespace keygate::proxy {
namespace {

// The fields that say something about the message itself, or about this hop alone. All others are the client's.
enum class Known : std::uint8_t {
  no,
  cache_control,
  connection,
  content_length,
  date,
  hop_by_hop,
  proxy_connection,
  transfer_encoding,
};

struct KnownName {
  std::string_view lower;
  Known known;
};

constexpr auto known_names = std::to_array<KnownName>({{"te", Known::hop_by_hop},
                                                       {"date", Known::date},
                                                       {"trailer", Known::hop_by_hop},
                                                       {"upgrade", Known::hop_by_hop},
                                                       {"connection", Known::connection},
                                                       {"keep-alive", Known::hop_by_hop},
                                                       {"cache-control", Known::cache_control},
                                                       {"content-length", Known::content_length},
                                                       {"proxy-connection", Known::proxy_connection},
                                                       {"transfer-encoding", Known::transfer_encoding},
                                                       {"proxy-authenticate", Known::hop_by_hop}});

Known known_name(std::string_view name) {
  for (const KnownName& row : known_names) {
    if (row.lower.size() == name.size() && equals_ignoring_case(name, row.lower)) {
      return row.known;
    }
  }
  return Known::no;
}

struct Seen {
  unsigned content_length = 0;
  unsigned transfer_encoding = 0;
  bool has_close = false;
  bool has_nominated = false;  // one that says more than close or keep-alive
};

bool is_token_list(std::string_view value) {
  bool is_good = true;
  for_each_element(value, [&](std::string_view option) {
    is_good = is_good && keys::is_all(keys::CharacterClass::token, option);
    return is_good;
  });
  return is_good;
}

std::optional<std::string_view> read_field(std::size_t i, Known known, Seen& seen, ResponseHead& out) {
  const std::string_view value = out.fields[i].value;
  out.is_kept[i] = false;
  switch (known) {
    case Known::content_length: {
      const auto size = parse_content_length(value);
      if (!size || ++seen.content_length > 1) {
        return "malformed or repeated Content-Length";
      }
      out.content_length = *size;
      out.has_content_length = true;
      return std::nullopt;
    }
    case Known::transfer_encoding:
      if (++seen.transfer_encoding > 1 || !equals_ignoring_case(value, "chunked") || out.minor_version == 0) {
        return "Transfer-Encoding other than one chunked";
      }
      return std::nullopt;
    case Known::connection:
      for_each_element(value, [&](std::string_view option) {
        if (equals_ignoring_case(option, "close")) {
          seen.has_close = true;
        } else if (equals_ignoring_case(option, "keep-alive")) {
          out.keep_alive = true;
        } else {
          seen.has_nominated = true;
        }
        return true;
      });
      return !seen.has_nominated || is_token_list(value) ? std::nullopt
                                                         : std::optional<std::string_view>("malformed Connection");
    case Known::proxy_connection:
      return is_token_list(value) ? std::nullopt : std::optional<std::string_view>("malformed Proxy-Connection");
    case Known::hop_by_hop:
      return std::nullopt;
    case Known::cache_control:
      out.has_cache_control = out.is_kept[i] = true;
      return std::nullopt;
    case Known::date:
      out.has_date = out.is_kept[i] = true;
      return std::nullopt;
    case Known::no:
      out.is_kept[i] = true;
      return std::nullopt;
  }
  return std::nullopt;
}

void drop_nominated(std::string_view value, ResponseHead& out) {
  for_each_element(value, [&](std::string_view option) {
    for (std::size_t i = 0; i < out.field_count; ++i) {
      const std::string_view name = out.fields[i].name;
      if (out.is_kept[i] && name.size() == option.size() && boost::beast::iequals(name, option)) {
        const Known known = known_name(name);
        out.is_kept[i] = false;
        out.has_cache_control = out.has_cache_control && known != Known::cache_control;
        out.has_date = out.has_date && known != Known::date;
      }
    }
    return true;
  });
}

// RFC 9112 §6.3, in its order.
BodyFraming framing_of(const ResponseHead& head, const Seen& seen, policy::Method method) {
  if (method == policy::Method::head || head.is_interim() || head.status == 204 || head.status == 304) {
    return BodyFraming::none;
  }
  if (seen.transfer_encoding == 1) {
    return BodyFraming::chunked;
  }
  if (head.has_content_length) {
    return head.content_length == 0 ? BodyFraming::none : BodyFraming::length;
  }
  return BodyFraming::until_close;
}

}  // namespace

std::optional<std::string_view> read_response_head(std::string_view head, policy::Method method, ResponseHead& out) {
  ResponseSplit split;
  if (const auto flaw = split_response(head, out.fields, split)) {
    return to_string(*flaw);
  }
  out.status = split.status;
  out.reason = split.reason;
  out.minor_version = split.minor_version;
  out.keep_alive = out.minor_version == 1;
  out.field_count = split.fields;
  out.content_length = 0;
  out.has_content_length = out.has_cache_control = out.has_date = false;
  if (out.status < 100 || out.status > 599) {
    return "a status outside 100 to 599";
  }
  Seen seen;
  for (std::size_t i = 0; i < out.field_count; ++i) {
    if (const auto flaw = read_field(i, known_name(out.fields[i].name), seen, out)) {
      return flaw;
    }
  }
  if (seen.transfer_encoding == 1 && seen.content_length == 1) {
    return "both Content-Length and Transfer-Encoding";
  }
  for (std::size_t i = 0; i < out.field_count && seen.has_nominated; ++i) {
    if (known_name(out.fields[i].name) == Known::connection) {
      drop_nominated(out.fields[i].value, out);
    }
  }
  out.keep_alive = out.keep_alive && !seen.has_close;  // "close" wins over whatever stands beside it (RFC 9112 §9.3)
  out.framing = framing_of(out, seen, method);
  if (out.status == 204 || out.is_interim()) {
    out.has_content_length = false;  // RFC 9110 §8.6: must not be sent
  }
  return std::nullopt;
}

}  // namespace keygate::proxy
