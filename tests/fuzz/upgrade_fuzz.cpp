// A request head, and behind it an upstream's answers and first bytes: a tunnel is asked for, and opened, exactly where
// RFC 6455 §4 says so, by a reading that shares no code with ours; the heads that open it are what both ends expect;
// and what comes through it begins with the byte behind the upstream's head, however that arrives.
#include "proxy/request_head.hpp"
#include "proxy/response_head.hpp"
#include "proxy/return_head.hpp"
#include "proxy/upgrade.hpp"
#include "tests/fuzz/open_route.hpp"
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
         lists(answer.all("connection"), "upgrade") && !lists(answer.all("connection"), "sec-websocket-accept") &&
         accept.size() == 1 && accept[0] == accept_for(key);
}

// What the client gets: all that the upstream said to it, and nothing else.
void check_switching_head(const ResponseHead& response, const StrictHead& answer, std::string_view key) {
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
  hold(agrees(*strict, key), "to a client that reads it by RFC 6455 the tunnel is open");
  for (const char* name : {"sec-websocket-protocol", "sec-websocket-extensions"}) {
    const bool is_for_this_hop = lists(answer.all("connection"), name);
    hold(is_for_this_hop || strict->all(name) == answer.all(name), "what it may speak there is what the upstream said");
  }
}

// What the upstream is asked: the same, with the client's own key.
void check_asked(RequestHead& request, std::string_view key) {
  on_open_route(request, false, [&](const proxy::ForwardFacts& facts, const policy::Grant& grant) {
    const std::string head = forwarded_head(facts, grant);
    const auto strict = strict_head(head);
    const auto line = strict ? strict_request_line(strict->start) : std::nullopt;
    hold(line && asks(*strict, *line), "the upstream is asked for a tunnel");
    const auto keys = strict->all("sec-websocket-key");
    const auto versions = strict->all("sec-websocket-version");
    hold(keys.size() == 1 && keys[0] == key, "with the client's key");
    hold(versions.size() == 1 && versions[0] == "13", "and the version that it speaks");
  });
}

// Byte by byte, the head is there with its last byte and not before: what is behind it is the tunnel's.
void check_end(std::string_view bytes, std::size_t due) {
  std::size_t searched = 0;
  const std::size_t first = due > 600 ? due - 600 : 0;
  for (std::size_t size = first; size <= due; ++size) {
    const std::size_t found = proxy::head_size(bytes.substr(0, size), searched);
    hold_equal(found, size == due ? due : 0, "a head ends at the same byte however it comes");
  }
}

// The upstream's heads, up to the last of `bytes` or the first that is no interim answer.
void check_answers(const RequestHead& request, std::string_view key, std::string_view bytes) {
  const auto response = std::make_unique<ResponseHead>();
  while (true) {
    std::size_t searched = 0;
    const std::string_view answer = bytes.substr(0, proxy::head_size(bytes, searched));
    if (answer.empty() || proxy::read_response_head(answer, request.method, *response)) return;
    check_end(bytes, answer.size());
    bytes.remove_prefix(answer.size());
    if (response->status == 101) {
      const auto strict = strict_head(answer);
      hold(strict.has_value(), "the grammar takes the answer that we take");
      hold(response->framing == proxy::BodyFraming::none, "what follows it is no body");
      const bool is_open = !proxy::judge_switch(request, *response);
      hold_equal(is_open, agrees(*strict, key), "a tunnel opens where what was offered was agreed on");
      if (is_open) check_switching_head(*response, *strict, key);
    }
    if (response->status < 100 || response->status >= 200 || response->status == 101) return;
  }
}

}  // namespace

void probe(std::string_view input) {
  std::size_t searched = 0;
  const std::string_view head = input.substr(0, proxy::head_size(input, searched));
  if (head.empty()) return;
  std::vector<char> room(head.begin(), head.end());  // the target is settled in place
  const auto request = std::make_unique<RequestHead>();
  if (proxy::read_request_head(room, {}, open_snapshot().reserved, *request)) return;
  const auto strict = strict_head(head);
  hold(strict.has_value(), "the grammar takes what we take");
  check_request(*request, *strict);
  if (!request->is_upgrade) return;
  const std::string_view key = strict->all("sec-websocket-key")[0];
  check_asked(*request, key);
  check_answers(*request, key, input.substr(head.size()));
}

}  // namespace keygate::fuzz
