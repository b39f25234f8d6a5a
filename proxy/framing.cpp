#include "proxy/framing.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace keygate::proxy {
namespace {

constexpr std::size_t max_name_size = 256;
constexpr std::size_t max_line_size = 8 * 1024;

enum Class : std::uint8_t { token = 1, target = 2, value = 4 };

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (unsigned c = 0; c < 256; ++c) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool is_digit = c >= '0' && c <= '9';
    std::uint8_t set = 0;
    // RFC 9110 §5.6.2.
    if (is_letter || is_digit ||
        std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos) {
      set |= token;
    }
    if (c > 0x20 && c < 0x7f && std::string_view("\"<>\\^`{|}#").find(static_cast<char>(c)) == std::string_view::npos) {
      set |= target;
    }
    // obs-text is let through in values: opaque to us, and Latin-1 header values exist.
    if (c == '\t' || (c >= 0x20 && c != 0x7f)) {
      set |= value;
    }
    classes[c] = set;
  }
  return classes;
}

constexpr auto classes = make_classes();

bool is(char c, Class wanted) { return (classes[static_cast<unsigned char>(c)] & wanted) != 0; }

// The end of the run of `wanted` bytes that starts at `p`.
const char* run(const char* p, const char* end, Class wanted) {
  while (p != end && is(*p, wanted)) {
    ++p;
  }
  return p;
}

// The end of the run of value bytes that starts at `p`. Most of a head is values: sixteen at a time is worth 1,000
// instructions a request.
const char* run_of_value(const char* p, const char* end) {
#if defined(__SSE2__)
  const __m128i last_control = _mm_set1_epi8(0x1f);
  const __m128i tab = _mm_set1_epi8('\t');
  const __m128i del = _mm_set1_epi8(0x7f);
  for (; end - p >= 16; p += 16) {
    __m128i bytes;
    std::memcpy(&bytes, p, sizeof bytes);
    const __m128i is_control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes);
    const __m128i is_bad =
        _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(bytes, tab), is_control), _mm_cmpeq_epi8(bytes, del));
    const auto bad = static_cast<unsigned>(_mm_movemask_epi8(is_bad));
    if (bad != 0) {
      return p + std::countr_zero(bad);
    }
  }
#endif
  return run(p, end, value);
}

bool at_crlf(const char* p, const char* end) { return end - p >= 2 && p[0] == '\r' && p[1] == '\n'; }

// What is wrong where a run has stopped at `p`: half a line end, or `otherwise`.
HeadFlaw stopped_at(const char* p, const char* end, HeadFlaw otherwise) {
  const bool is_half = p != end && (*p == '\r' || *p == '\n') && !at_crlf(p, end);
  return is_half ? HeadFlaw::line_end : otherwise;
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view without_blanks(const char* begin, const char* end) {
  while (begin != end && is_blank(*begin)) {
    ++begin;
  }
  while (begin != end && is_blank(end[-1])) {
    --end;
  }
  return {begin, static_cast<std::size_t>(end - begin)};
}

// Fields from `p` to the empty line, each handed to `take`, which says whether there was room for one more.
template <class Take>
std::optional<HeadFlaw> field_flaw(const char* p, const char* end, Take take) {
  while (p != end) {
    if (at_crlf(p, end)) {
      return p + 2 == end ? std::nullopt : std::optional(HeadFlaw::line_end);
    }
    if (is_blank(*p)) {
      return HeadFlaw::folded;
    }
    const char* const name_end = run(p, end, token);
    if (name_end == end || *name_end != ':' || name_end == p) {
      return stopped_at(name_end, end, HeadFlaw::field_line);
    }
    const char* const line_end = run_of_value(name_end + 1, end);
    if (!at_crlf(line_end, end)) {
      return line_end == end ? HeadFlaw::line_end : stopped_at(line_end, end, HeadFlaw::value_byte);
    }
    if (name_end - p > static_cast<std::ptrdiff_t>(max_name_size) ||
        line_end - p > static_cast<std::ptrdiff_t>(max_line_size)) {
      return HeadFlaw::field_too_long;
    }
    if (!take(std::string_view(p, static_cast<std::size_t>(name_end - p)), name_end + 1, line_end)) {
      return HeadFlaw::too_many_fields;
    }
    p = line_end + 2;
  }
  return HeadFlaw::line_end;  // no empty line: head_size saw a bare LF
}

}  // namespace

std::string_view to_string(HeadFlaw flaw) {
  switch (flaw) {
    case HeadFlaw::line_end:
      return "bare CR or LF";
    case HeadFlaw::start_line:
      return "malformed start line";
    case HeadFlaw::version:
      return "HTTP version not supported";
    case HeadFlaw::target_byte:
      return "forbidden byte in the target";
    case HeadFlaw::backslash:
      return "backslash in the target";
    case HeadFlaw::field_line:
      return "malformed field line";
    case HeadFlaw::folded:
      return "folded field line";
    case HeadFlaw::value_byte:
      return "control byte in a field value";
    case HeadFlaw::target_too_long:
      return "target too long";
    case HeadFlaw::field_too_long:
      return "field too long";
    case HeadFlaw::too_many_fields:
      return "too many fields";
  }
  return "";
}

std::size_t head_size(std::string_view bytes, std::size_t& searched) {
  // Up to three bytes back: the empty line may straddle two reads.
  std::size_t from = searched > 3 ? searched - 3 : 0;
  if (bytes.empty()) {
    return 0;  // its data may be null
  }
  while (const void* found = std::memchr(bytes.data() + from, '\n', bytes.size() - from)) {
    const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    const std::size_t next = at + 1;
    if (next < bytes.size() && bytes[next] == '\n') {
      return next + 1;
    }
    if (next + 1 < bytes.size() && bytes[next] == '\r' && bytes[next + 1] == '\n') {
      return next + 2;
    }
    from = next;
    if (from >= bytes.size()) {
      break;
    }
  }
  searched = bytes.size();
  return 0;
}

std::size_t leading_blank_size(std::string_view bytes, std::size_t skipped) {
  std::size_t size = 0;
  while (skipped + size < max_leading_blank && bytes.substr(size, 2) == "\r\n") {
    size += 2;
  }
  return size;
}

GateResult pass_request_gate(std::string_view head, const HeadLimits& limits) {
  GateResult result;
  const auto refuse = [&](HeadFlaw flaw) {
    result.flaw = flaw;
    return result;
  };
  const char* const end = head.data() + head.size();
  const char* const method_end = run(head.data(), end, token);
  if (method_end == end || *method_end != ' ' || method_end == head.data()) {
    return refuse(stopped_at(method_end, end, HeadFlaw::start_line));
  }
  const char* const target_begin = method_end + 1;
  const char* const target_end = run(target_begin, end, target);
  const auto target_size = static_cast<std::size_t>(target_end - target_begin);
  if (target_size > limits.target_bytes) {
    return refuse(HeadFlaw::target_too_long);
  }
  if (target_end == end || *target_end != ' ' || target_size == 0) {
    const bool has_ended = target_end == end || *target_end == ' ' || at_crlf(target_end, end);
    const HeadFlaw byte_flaw = target_end != end && *target_end == '\\' ? HeadFlaw::backslash : HeadFlaw::target_byte;
    return refuse(has_ended ? HeadFlaw::start_line : stopped_at(target_end, end, byte_flaw));
  }
  // "HTTP/1.1" CRLF
  const std::string_view rest(target_end + 1, static_cast<std::size_t>(end - target_end - 1));
  if (rest.size() < 10 || !rest.starts_with("HTTP/") || rest[6] != '.' || rest[5] < '0' || rest[5] > '9' ||
      rest[7] < '0' || rest[7] > '9') {
    return refuse(HeadFlaw::start_line);
  }
  if (rest[8] != '\r' || rest[9] != '\n') {
    return refuse(stopped_at(rest.data() + 8, end, HeadFlaw::start_line));
  }
  if (rest[5] != '1' || rest[7] > '1') {
    return refuse(HeadFlaw::version);
  }
  result.line.method = {head.data(), static_cast<std::size_t>(method_end - head.data())};
  result.line.target = {target_begin, target_size};
  result.line.minor_version = rest[7] - '0';
  result.flaw = field_flaw(rest.data() + 10, end, [&](std::string_view, const char*, const char*) {
    return ++result.fields <= limits.field_count;
  });
  return result;
}

bool is_no_response(std::string_view bytes) {
  constexpr std::string_view start = "HTTP/1.";
  return bytes.substr(0, start.size()) != start.substr(0, bytes.size());
}

namespace {

template <class Take>
std::optional<HeadFlaw> response_flaw(std::string_view head, Take take) {
  // "HTTP/1.1 200" and either CRLF or " reason" CRLF
  const bool is_version =
      head.size() >= 14 && head.starts_with("HTTP/1.") && (head[7] == '0' || head[7] == '1') && head[8] == ' ';
  if (!is_version) {
    return HeadFlaw::start_line;
  }
  for (const std::size_t at : {9U, 10U, 11U}) {
    if (head[at] < '0' || head[at] > '9') {
      return HeadFlaw::start_line;
    }
  }
  const char* const end = head.data() + head.size();
  const char* p = head.data() + 12;
  if (*p == ' ') {
    p = run_of_value(p, end);
  }
  if (!at_crlf(p, end)) {
    return p == end ? HeadFlaw::line_end : stopped_at(p, end, HeadFlaw::start_line);
  }
  return field_flaw(p + 2, end, take);
}

}  // namespace

std::optional<HeadFlaw> response_flaw(std::string_view head, std::size_t max_fields) {
  std::size_t count = 0;
  return response_flaw(head, [&](std::string_view, const char*, const char*) { return ++count <= max_fields; });
}

std::optional<HeadFlaw> split_response(std::string_view head, std::span<policy::HeaderField> into, ResponseSplit& out) {
  out.fields = 0;
  const auto flaw = response_flaw(head, [&](std::string_view name, const char* value, const char* line_end) {
    if (out.fields == into.size()) {
      return false;
    }
    into[out.fields++] = {name, without_blanks(value, line_end)};
    return true;
  });
  if (!flaw) {
    out.minor_version = head[7] - '0';
    out.status = (head[9] - '0') * 100 + (head[10] - '0') * 10 + (head[11] - '0');
    const std::size_t line_end = head.find('\r');
    out.reason = head.substr(std::min<std::size_t>(13, line_end), line_end - std::min<std::size_t>(13, line_end));
  }
  return flaw;
}

}  // namespace keygate::proxy
