// One request head, parsed in place by Beast behind the gate, and judged for framing (docs/threats.md).
// Everything views the connection's buffer. Filled by session, read by exchange.
#pragma once

#include "policy/method.hpp"
#include "policy/reason.hpp"
#include "policy/reserved_names.hpp"
#include "policy/route_table.hpp"
#include "proxy/framing.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace keygate::proxy {

inline constexpr std::size_t max_fields = 128;

// What a field means to us, so that forwarding needs no second look at its name.
enum class FieldFate : std::uint8_t { keep, drop, forwarding, credential, cookie, host, via };

struct RequestHead {
  policy::Method method = policy::Method::get;
  std::string_view method_word;
  std::span<char> target;    // origin-form, or "*" for OPTIONS; still raw
  bool is_asterisk = false;  // asks about this proxy: OPTIONS * does, and an OPTIONS with Max-Forwards: 0
  int minor_version = 1;

  std::array<policy::HeaderField, max_fields> fields;
  std::array<FieldFate, max_fields> fates;
  std::size_t field_count = 0;

  std::string_view host;  // as sent, port included
  std::uint64_t content_length = 0;
  bool has_content_length = false;
  bool is_chunked = false;
  bool keep_alive = true;  // what the client asks for; always false for HTTP/1.0
  bool expects_continue = false;
  bool accepts_trailers = false;  // TE: trailers
  bool is_upgrade = false;        // asks to switch to WebSocket, the only protocol that we carry
  // Asked of a decision service: the above is of a request that somebody else serves, the framing of the one that asks.
  bool is_original = false;
  bool is_answer_bodiless = false;  // of who asks: by HEAD

  bool has_body() const { return is_chunked || content_length > 0; }
  bool is_answered_to_head() const { return is_original ? is_answer_bodiless : method == policy::Method::head; }
  std::span<const policy::HeaderField> headers() const { return {fields.data(), field_count}; }
};

// Why a head is refused. `what` is for our own log: a static sentence.
struct HeadRefusal {
  policy::Reason reason;
  std::string_view what;
};

// Passes `head` (one whole head; its target may be rewritten in place) through the gate and the parser into `out`.
// nullopt: `out` is complete and its framing is unambiguous. Whatever is refused here closes the connection.
std::optional<HeadRefusal> read_request_head(std::span<char> head, const HeadLimits& limits,
                                             const policy::ReservedNames& reserved, RequestHead& out);

// "0" or [1-9][0-9]{0,17}; nullopt otherwise.
std::optional<std::uint64_t> parse_content_length(std::string_view text);

bool equals_ignoring_case(std::string_view a, std::string_view lower);

// Calls `visit` with each element of a comma-separated list, trimmed, empty ones left out, until it returns false.
template <class Visit>
void for_each_element(std::string_view list, Visit visit) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    std::string_view element = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    while (!element.empty() && (element.front() == ' ' || element.front() == '\t')) {
      element.remove_prefix(1);
    }
    while (!element.empty() && (element.back() == ' ' || element.back() == '\t')) {
      element.remove_suffix(1);
    }
    if (!element.empty() && !visit(element)) {
      return;
    }
  }
}

}  // namespace keygate::proxy
