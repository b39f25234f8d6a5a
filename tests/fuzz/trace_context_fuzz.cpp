// The trace that a client names: exactly what the grammar of W3C Trace Context takes, and a tracestate within its
// bounds that another reader takes too.
// Input: a traceparent, a line end, and lines of tracestate.
#include "telemetry/trace_context.hpp"
#include "tests/fuzz/probe.hpp"

#include <algorithm>
#include <array>
#include <regex>
#include <string>
#include <string_view>

namespace keygate::fuzz {
namespace {

using telemetry::TraceState;

bool is_parent(const std::string& text) {
  static const std::regex known("00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}");
  static const std::regex later("(?!00|ff)[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-[\\s\\S]*)?");
  if (text.size() > 4'096) return false;  // std::regex goes as deep as its text is long
  if (!std::regex_match(text, known) && !std::regex_match(text, later)) return false;
  return text.substr(3, 32) != std::string(32, '0') && text.substr(36, 16) != std::string(16, '0');
}

void probe_state(std::string_view lines) {
  TraceState state;
  for (std::size_t at = 0; at <= lines.size();) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    state.add_line(lines.substr(at, end - at));
    at = end + 1;
  }
  const std::string text(state.text());
  hold(text.size() <= TraceState::max_bytes, "what goes on is bounded");
  static const std::regex list("([a-z0-9][a-z0-9_*/@-]*=[ -+\\--<>-~]+)(,[a-z0-9][a-z0-9_*/@-]*=[ -+\\--<>-~]+){0,31}");
  hold(text.empty() || std::regex_match(text, list), "what goes on is a list of members");
  TraceState again;
  again.add_line(text);
  hold_equal(std::string(again.text()), text, "what goes on is taken as it is by whoever reads as we do");
}

}  // namespace

void probe(std::string_view input) {
  const std::size_t end = std::min(input.find('\n'), input.size());
  const std::string written(input.substr(0, end));
  const auto parent = telemetry::parse_trace_parent(written);
  if (written.size() <= 4'096) hold_equal(parent.has_value(), is_parent(written), "what the grammar takes is a parent");
  if (parent) {
    std::array<char, telemetry::trace_parent_size> room{};
    telemetry::write_trace_parent(*parent, room);
    const std::string_view again(room.data(), room.size());
    hold(is_parent(std::string(again)), "what we write is a parent");
    const auto read = telemetry::parse_trace_parent(again);
    hold(read && read->trace_id == parent->trace_id && read->span_id == parent->span_id &&
             read->is_sampled == parent->is_sampled,
         "what we write says the same");
  }
  probe_state(end < input.size() ? input.substr(end + 1) : std::string_view{});
}

}  // namespace keygate::fuzz
