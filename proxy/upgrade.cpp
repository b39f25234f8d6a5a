#include "proxy/upgrade.hpp"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>

namespace keygate::proxy {
namespace {

using policy::HeaderField;
using policy::Reason;

constexpr std::string_view guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::string_view known_version = "13";

// The value of the only field of that name; nullopt: there is none, or more than one.
std::optional<std::string_view> only(std::span<const HeaderField> fields, std::string_view lower) {
  std::optional<std::string_view> found;
  for (const HeaderField& field : fields) {
    if (!equals_ignoring_case(field.name, lower)) {
      continue;
    }
    if (found) {
      return std::nullopt;
    }
    found = field.value;
  }
  return found;
}

bool is_base64(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

// 16 bytes: 22 characters and their padding. The bits that are left over in the last one mean nothing.
bool is_key(std::string_view text) {
  return text.size() == 24 && text.ends_with("==") && std::ranges::all_of(text.substr(0, 22), is_base64);
}

// 0 to 255, as the grammar writes it.
bool is_version(std::string_view text) {
  const bool is_digits = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  const bool is_canonical = text == "0" || !text.starts_with('0');
  return !text.empty() && text.size() <= 3 && is_digits && is_canonical && (text.size() < 3 || text <= "255");
}

bool lists_upgrade(std::span<const HeaderField> fields) {
  bool is_listed = false;
  for (const HeaderField& field : fields) {
    if (equals_ignoring_case(field.name, "connection")) {
      for_each_element(field.value, [&](std::string_view option) {
        is_listed = is_listed || equals_ignoring_case(option, "upgrade");
        return !is_listed;
      });
    }
  }
  return is_listed;
}

}  // namespace

std::optional<HeadRefusal> judge_upgrade(const RequestHead& head) {
  const auto key = only(head.headers(), "sec-websocket-key");
  if (!key || !is_key(*key)) {
    return HeadRefusal{Reason::bad_request, "a WebSocket handshake without one Sec-WebSocket-Key of 16 bytes"};
  }
  const auto version = only(head.headers(), "sec-websocket-version");
  if (!version || !is_version(*version)) {
    return HeadRefusal{Reason::bad_request, "a WebSocket handshake without one Sec-WebSocket-Version"};
  }
  if (*version != known_version) {
    return HeadRefusal{Reason::upgrade_required, "a WebSocket version other than 13"};
  }
  return std::nullopt;
}

std::optional<std::string_view> judge_switch(const RequestHead& asked, const ResponseHead& answer) {
  const std::span fields(answer.fields.data(), answer.field_count);
  if (answer.minor_version == 0) {
    return "101 of HTTP/1.0";
  }
  const auto protocol = only(fields, "upgrade");
  if (!protocol || !equals_ignoring_case(*protocol, "websocket") || !lists_upgrade(fields)) {
    return "101 to another protocol than was offered";
  }
  const auto key = only(asked.headers(), "sec-websocket-key");
  const auto accept = only(fields, "sec-websocket-accept");
  const auto expected = key ? accept_of(*key) : std::array<char, 28>{};
  if (!accept || *accept != std::string_view(expected.data(), expected.size())) {
    return "101 with a wrong Sec-WebSocket-Accept";
  }
  const auto place =
      std::ranges::find(fields, accept->data(), [](const HeaderField& field) { return field.value.data(); });
  if (!answer.is_kept[static_cast<std::size_t>(place - fields.begin())]) {
    return "101 whose Sec-WebSocket-Accept ends at this hop";
  }
  return std::nullopt;
}

std::array<char, 28> accept_of(std::string_view key) {
  const std::string text = std::string(key) + std::string(guid);
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest;
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::array<unsigned char, 29> encoded;  // OpenSSL ends it with a zero
  EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(digest.size()));
  std::array<char, 28> accept;
  std::copy_n(encoded.begin(), accept.size(), accept.begin());
  return accept;
}

}  // namespace keygate::proxy
