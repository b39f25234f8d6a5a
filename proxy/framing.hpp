// The raw-byte gate: what is refused here is never parsed, so that no two parsers can read it two ways. Pure. Requests
// come from strangers, and go through Beast's parser behind it, which has to agree; responses are split here.
#pragma once

#include "policy/route_table.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace keygate::proxy {

// How many bytes at the start of `bytes` make a whole head, up to and with its empty line; 0: not there yet. `searched`
// is how many bytes an earlier call has seen; it is brought up to date. A bare LF counts as a line end here, so that a
// head which could never end well is not waited for: the gate then refuses it.
std::size_t head_size(std::string_view bytes, std::size_t& searched);

inline constexpr std::size_t max_leading_blank = 4;

// Of at most two CRLF that may stand before a request line (RFC 9112 §2.2): how many bytes to skip, where `skipped`
// have been already.
std::size_t leading_blank_size(std::string_view bytes, std::size_t skipped = 0);

enum class HeadFlaw : std::uint8_t {
  line_end,     // bare CR or LF
  start_line,   // not exactly "token SP target SP HTTP/1.[01]"
  version,      // another HTTP version
  target_byte,  // outside 0x21-0x7E, or one of "<>\^`{|}#
  backslash,    // raw in the target: a separator to some (P-06)
  field_line,   // no colon, empty name, a byte in the name that is no token character, blank before the colon
  folded,       // a line that begins with blank: obs-fold, or a field before the first
  value_byte,   // a control other than HTAB
  target_too_long,
  field_too_long,  // over 8 KiB, or a name over 256 bytes
  too_many_fields,
};

std::string_view to_string(HeadFlaw flaw);

struct HeadLimits {
  std::size_t target_bytes = 8 * 1024;
  std::size_t field_count = 100;
};

struct StartLine {
  std::string_view method;
  std::string_view target;
  int minor_version = 1;  // of HTTP/1.x
};

struct GateResult {
  std::optional<HeadFlaw> flaw;
  StartLine line;  // valid where there is no flaw
  std::size_t fields = 0;
};

// `head` is one whole head as head_size found it. One pass, allocates nothing; the result views `head`.
GateResult pass_request_gate(std::string_view head, const HeadLimits& limits);

// Whether what has come of a response so far cannot become one, so that it need not be waited for: SSH says hello too.
bool is_no_response(std::string_view bytes);

// The same rules for a response head: status line "HTTP/1.[01] SP 3DIGIT [SP reason]", fields as above, at most
// `max_fields`.
std::optional<HeadFlaw> response_flaw(std::string_view head, std::size_t max_fields);

struct ResponseSplit {
  int status = 0;
  int minor_version = 1;
  std::string_view reason;
  std::size_t fields = 0;
};

// The same, and what the head says: its fields in `into`, of which as many are allowed as it has room for. A value has
// no blanks around it. Where there is a flaw, `out` and `into` say nothing.
std::optional<HeadFlaw> split_response(std::string_view head, std::span<policy::HeaderField> into, ResponseSplit& out);

}  // namespace keygate::proxy
