// Which trace does a request belong to, by its traceparent and tracestate (W3C Trace Context)? Pure and strict: what is
// not written exactly so is no context, and the request begins a trace of its own.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace keygate::telemetry {

struct TraceParent {
  std::string_view trace_id;  // 32 lower-case hex digits, not all zero
  std::string_view span_id;   // 16, likewise
  bool is_sampled = false;
};

inline constexpr std::size_t trace_parent_size = 55;

// Views `text`. Version 00, or a later one of which the part that 00 has is read; nullopt for anything else.
std::optional<TraceParent> parse_trace_parent(std::string_view text);

// "00-<trace>-<span>-01"; the ids have 32 and 16 digits.
void write_trace_parent(const TraceParent& parent, std::span<char, trace_parent_size> room);

// The lines of tracestate as one list, without what is empty: at most 32 members and 512 bytes, the rightmost are left
// out. One member that is malformed makes all of it worthless.
class TraceState {
 public:
  static constexpr std::size_t max_bytes = 512, max_members = 32;

  void clear() { size_ = members_ = 0, is_flawed_ = is_full_ = false; }
  void add_line(std::string_view line);
  std::string_view text() const { return is_flawed_ ? std::string_view{} : std::string_view(room_.data(), size_); }

 private:
  void add(std::string_view member);

  std::array<char, max_bytes> room_;
  std::size_t size_ = 0, members_ = 0;
  bool is_flawed_ = false, is_full_ = false;
};

}  // namespace keygate::telemetry
