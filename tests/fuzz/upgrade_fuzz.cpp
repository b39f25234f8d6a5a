// A request head and behind it an upstream's answer: a tunnel is asked for, and opened, exactly where RFC 6455 §4 says
// so, by a reading that shares no code with ours; and the heads that open it are what both ends expect.
#include "policy/reserved_names.hpp"
#include "proxy/request_head.hpp"
#include "proxy/response_head.hpp"
#include "proxy/return_head.hpp"
#include "proxy/upgrade.hpp"
#include "tests/fuzz/probe.hpp"
#include "tests/fuzz/strict_head.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

namespace keygate::fuzz {
namespace {

using proxy::RequestHead;
using proxy::ResponseHead;

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return result;
}

bool lists(const std::vector<std::string_view>& values, std::string_view word) {
  for (const auto value : values) {
    for (auto element : split(value, ',')) {
      const auto first = element.find_first_not_of(" \t");
      if (first == std::string_view::npos) continue;
      element = element.substr(first, element.find_last_not_of(" \t") - first + 1);
      if (lower(element) == word) return true;
    }
  }
  return false;
}

std::string accept_for(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result;
  unsigned bits = 0;
  unsigned value = 0;
  for (unsigned i = 0; i < size; ++i) {
    value = value << 8U | digest.at(i);
    for (bits += 8; bits >= 6; bits -= 6) result += alphabet[value >> (bits - 6) & 63U];
  }
  if (bits > 0) result += alphabet[value << (6 - bits) & 63U];
  while (result.size() % 4 != 0) result += '=';
  return result;
}

bool asks(const StrictHead& head, const StrictRequestLine& line) {
  return line.method == "GET" && line.version == "HTTP/1.1" && lists(head.all("upgrade"), "websocket") &&
         lists(head.all("connection"), "upgrade");
}

void check_request(const RequestHead& read, const StrictHead& strict) {
  const auto line = strict_request_line(strict.start);
  hold(line.has_value(), "the grammar takes what we take");
  hold_equal(read.is_upgrade, asks(strict, *line), "it is an upgrade where the grammar finds one");
  if (!read.is_upgrade) return;
  hold(!read.has_body(), "an upgrade has no body");
  const auto keys = strict.all("sec-websocket-key");
  const auto versions = strict.all("sec-websocket-version");
  hold(keys.size() == 1 && keys[0].size() == 24 && keys[0].ends_with("=="), "and one key of 16 bytes");
  hold(versions.size() == 1 && versions[0] == "13", "and one version, which is 13");
}

bool agrees(const StrictHead& answer, std::string_view key) {
  const auto upgrade = answer.all("upgrade");
  const auto accept = answer.all("sec-websocket-accept");
  const auto line = strict_status_line(answer.start);
  return line && line->version == "HTTP/1.1" && upgrade.size() == 1 && lower(upgrade[0]) == "websocket" &&
         lists(answer.all("connection"), "upgrade") && accept.size() == 1 && accept[0] == accept_for(key);
}

void check_switching_head(const ResponseHead& response) {
  std::vector<char> room(proxy::return_head_bound(response));
  const std::size_t size = proxy::write_switching_head(response, room);
  hold(size <= room.size(), "a head fits into the room that was measured for it");
  const std::string_view head(room.data(), size);
  hold(!proxy::response_flaw(head, proxy::max_response_fields + 2), "what is written passes our own gate");
  const auto strict = strict_head(head);
  hold(strict.has_value(), "what is written is one head");
  for (const auto& [name, value] : {std::pair("connection", "Upgrade"), std::pair("upgrade", "websocket")}) {
    const auto values = strict->all(name);
    hold(values.size() == 1 && values[0] == value, "and says once what was agreed on");
  }
  hold(strict->all("content-length").empty() && strict->all("transfer-encoding").empty(), "and has no body");
}

const policy::ReservedNames& reserved() {
  static const policy::ReservedNames names{config::IdentityHeaderSettings{}, config::CredentialSettings{}};
  return names;
}

}  // namespace

void probe(std::string_view input) {
  std::size_t searched = 0;
  const std::string_view head = input.substr(0, proxy::head_size(input, searched));
  if (head.empty()) return;
  std::vector<char> room(head.begin(), head.end());  // the target is settled in place
  const auto request = std::make_unique<RequestHead>();
  if (proxy::read_request_head(room, {}, reserved(), *request)) return;
  const auto strict = strict_head(head);
  hold(strict.has_value(), "the grammar takes what we take");
  check_request(*request, *strict);
  if (!request->is_upgrade) return;

  searched = 0;
  const std::string_view rest = input.substr(head.size());
  const std::string_view answer = rest.substr(0, proxy::head_size(rest, searched));
  const auto response = std::make_unique<ResponseHead>();
  if (answer.empty() || proxy::read_response_head(answer, request->method, *response)) return;
  if (response->status != 101) return;
  const auto strict_answer = strict_head(answer);
  hold(strict_answer.has_value(), "the grammar takes the answer that we take");
  const bool is_open = !proxy::judge_switch(*request, *response);
  hold_equal(is_open, agrees(*strict_answer, strict->all("sec-websocket-key")[0]),
             "a tunnel opens where what was offered was agreed on");
  if (is_open) check_switching_head(*response);
}

}  // namespace keygate::fuzz
