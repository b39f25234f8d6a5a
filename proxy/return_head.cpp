#include "proxy/return_head.hpp"

#include "proxy/head_writer.hpp"

#include <array>

namespace keygate::proxy {
namespace {

using Source = config::CredentialSource::Kind;

void write_start(const ResponseHead& response, HeadWriter& out, const policy::Standing* standing = nullptr) {
  out << "HTTP/1.1 " << static_cast<std::uint64_t>(response.status) << " " << response.reason << "\r\n";
  for (std::size_t i = 0; i < response.field_count; ++i) {
    const bool is_ours = standing != nullptr && policy::is_rate_field(response.fields[i].name);
    if (response.is_kept[i] && !is_ours) {
      out.field(response.fields[i].name, response.fields[i].value);
    }
  }
  if (standing != nullptr) {
    std::array<char, policy::rate_fields_bound> room{};
    out << policy::rate_fields(*standing, room);
  }
}

// A shared cache between us and the client keys on Authorization, but not on our other places for a key.
std::string_view cache_control(const ReturnFacts& facts) {
  if (!facts.is_granted_by_key || facts.response.has_cache_control) {
    return {};
  }
  switch (facts.key_source) {
    case Source::bearer:
      return {};
    case Source::header:
    case Source::cookie:
      return "Cache-Control: private\r\n";
    case Source::query:
      return "Cache-Control: private, no-store\r\n";
  }
  return {};
}

}  // namespace

BodyDelivery delivery_of(const ResponseHead& response, const RequestHead& request) {
  switch (response.framing) {
    case BodyFraming::none:
      return BodyDelivery::none;
    case BodyFraming::length:
      return BodyDelivery::length;
    case BodyFraming::chunked:
      return request.minor_version == 1 ? BodyDelivery::chunks : BodyDelivery::until_close;
    case BodyFraming::until_close:
      return request.minor_version == 1 ? BodyDelivery::new_chunks : BodyDelivery::until_close;
  }
  return BodyDelivery::until_close;
}

std::size_t return_head_bound(const ResponseHead& response) {
  std::size_t size = 512 + response.reason.size();
  for (std::size_t i = 0; i < response.field_count; ++i) {
    size += response.fields[i].name.size() + response.fields[i].value.size() + 4;
  }
  return size;
}

std::size_t write_return_head(const ReturnFacts& facts, std::span<char> room) {
  HeadWriter out(room);
  write_start(facts.response, out, facts.standing);
  if (facts.delivery == BodyDelivery::chunks || facts.delivery == BodyDelivery::new_chunks) {
    out << "Transfer-Encoding: chunked\r\n";
  } else if (facts.response.has_content_length) {
    out << "Content-Length: " << facts.response.content_length << "\r\n";
  }
  out << cache_control(facts) << facts.more_lines;
  if (facts.closes) {
    out << "Connection: close\r\n";
  }
  out << "\r\n";
  return out.size();
}

std::size_t write_interim_head(const ResponseHead& response, std::span<char> room) {
  HeadWriter out(room);
  write_start(response, out);
  out << "\r\n";
  return out.size();
}

std::size_t write_switching_head(const ResponseHead& response, std::span<char> room, const policy::Standing* standing) {
  HeadWriter out(room);
  write_start(response, out, standing);
  out << "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
  return out.size();
}

}  // namespace keygate::proxy
