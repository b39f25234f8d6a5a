#include "proxy/response_head.hpp"

#include "proxy/field_views.hpp"
#include "proxy/request_head.hpp"

#include <algorithm>
#include <array>

namespace keygate::proxy {
namespace {

using http::field;

class ResponseFields final : public FieldViews<false, ResponseFields> {
 public:
  explicit ResponseFields(std::span<policy::HeaderField> into) : FieldViews(into) {}
};

struct Seen {
  unsigned content_length = 0;
  unsigned transfer_encoding = 0;
  bool has_close = false;
};

// The status line may end behind the status (RFC 9112 §4 has a blank there, which is often left out). Beast insists on
// it.
bool parse(std::string_view head, ResponseFields& parser, std::array<char, 15>& line) {
  if (head[12] != '\r') {
    return parser.parse(head);
  }
  std::copy_n(head.data(), 12, line.data());
  std::copy_n(" \r\n", 3, line.data() + 12);
  return parser.parse({line.data(), line.size()}, head.substr(14));
}

std::optional<std::string_view> read_field(std::size_t i, field known, Seen& seen, ResponseHead& out) {
  const std::string_view value = out.fields[i].value;
  out.is_kept[i] = false;
  switch (known) {
    case field::content_length: {
      const auto size = parse_content_length(value);
      if (!size || ++seen.content_length > 1) {
        return "malformed or repeated Content-Length";
      }
      out.content_length = *size;
      out.has_content_length = true;
      return std::nullopt;
    }
    case field::transfer_encoding:
      if (++seen.transfer_encoding > 1 || !equals_ignoring_case(value, "chunked") || out.minor_version == 0) {
        return "Transfer-Encoding other than one chunked";
      }
      return std::nullopt;
    case field::connection:
      for_each_element(value, [&](std::string_view option) {
        if (equals_ignoring_case(option, "close")) {
          seen.has_close = true;
        } else if (equals_ignoring_case(option, "keep-alive")) {
          out.keep_alive = true;
        }
        return true;
      });
      return std::nullopt;
    case field::keep_alive:
    case field::proxy_connection:
    case field::proxy_authenticate:
    case field::te:
    case field::trailer:
    case field::upgrade:
      return std::nullopt;
    default:  // over 300 standard names and all others go on as they are
      out.is_kept[i] = true;
      return std::nullopt;
  }
}

void drop_nominated(std::string_view value, ResponseHead& out) {
  for_each_element(value, [&](std::string_view option) {
    for (std::size_t i = 0; i < out.field_count; ++i) {
      const std::string_view name = out.fields[i].name;
      const bool is_named = name.size() == option.size() && boost::beast::iequals(name, option);
      out.is_kept[i] = out.is_kept[i] && !is_named;
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
  if (const auto flaw = response_flaw(head, max_response_fields)) {
    return to_string(*flaw);
  }
  ResponseFields parser(out.fields);
  std::array<char, 15> line;
  if (!parse(head, parser, line)) {
    return "the parser does not agree with the gate";
  }
  out.status = parser.status();
  out.reason = parser.reason().empty() ? std::string_view{} : parser.reason();
  out.minor_version = head[7] - '0';
  out.keep_alive = out.minor_version == 1;
  out.field_count = parser.count();
  out.content_length = 0;
  out.has_content_length = out.has_cache_control = out.has_date = false;
  if (out.status < 100 || out.status > 599) {
    return "a status outside 100 to 599";
  }
  Seen seen;
  const std::span<const field> known = parser.known();
  for (std::size_t i = 0; i < out.field_count; ++i) {
    if (const auto flaw = read_field(i, known[i], seen, out)) {
      return flaw;
    }
  }
  if (seen.transfer_encoding == 1 && seen.content_length == 1) {
    return "both Content-Length and Transfer-Encoding";
  }
  for (std::size_t i = 0; i < out.field_count; ++i) {
    if (known[i] == field::connection) {
      drop_nominated(out.fields[i].value, out);
    }
  }
  for (std::size_t i = 0; i < out.field_count; ++i) {
    out.has_cache_control = out.has_cache_control || (out.is_kept[i] && known[i] == field::cache_control);
    out.has_date = out.has_date || (out.is_kept[i] && known[i] == field::date);
  }
  out.keep_alive = out.keep_alive && !seen.has_close;  // "close" wins over whatever stands beside it (RFC 9112 §9.3)
  out.framing = framing_of(out, seen, method);
  if (out.status == 204 || out.is_interim()) {
    out.has_content_length = false;  // RFC 9110 §8.6: must not be sent
  }
  return std::nullopt;
}

}  // namespace keygate::proxy
