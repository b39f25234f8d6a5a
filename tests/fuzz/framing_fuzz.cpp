// The framing gate: it takes exactly what the grammar takes, and finds a head's end however the bytes arrive.
#include "proxy/framing.hpp"
#include "tests/fuzz/probe.hpp"
#include "tests/fuzz/strict_head.hpp"

#include <algorithm>

namespace keygate::fuzz {
namespace {

using proxy::HeadLimits;

// The definition: up to the first empty line, a bare LF counting as a line end.
std::size_t naive_head_size(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != '\n') continue;
    if (bytes.substr(i + 1, 1) == "\n") return i + 2;
    if (bytes.substr(i + 1, 2) == "\r\n") return i + 3;
  }
  return 0;
}

void check_head_size(std::string_view bytes) {
  const std::size_t size = naive_head_size(bytes);
  std::size_t searched = 0;
  hold_equal(proxy::head_size(bytes, searched), size, "head_size finds the first empty line");

  // As it comes over a wire: one byte more each time, or pieces that grow.
  for (const std::size_t step : {1U, 2U, 7U}) {
    std::size_t seen = 0;
    std::size_t found = 0;
    std::size_t come = 0;
    while (found == 0 && come < bytes.size()) {
      come = std::min(come + step, bytes.size());
      found = proxy::head_size(bytes.substr(0, come), seen);
      hold(found != 0 || seen == come, "head_size keeps count of what it has searched");
    }
    hold_equal(found, size, "head_size finds the same in pieces");
    hold(found == 0 || come < size + step, "head_size finds the end as soon as it is there");
  }
}

void check_gate(std::string_view bytes, const HeadLimits& limits) {
  const auto gate = proxy::pass_request_gate(bytes, limits);
  const auto strict = strict_head(bytes);
  const auto line = strict ? strict_request_line(strict->start) : std::nullopt;
  const bool is_within = line && line->target.size() <= limits.target_bytes &&
                         strict->fields.size() <= limits.field_count && strict->longest_line <= 8 * 1024 &&
                         strict->longest_name <= 256;
  if (gate.flaw) {
    if (is_within) broken("the gate takes what the grammar takes", std::string(to_string(*gate.flaw)));
    hold(!to_string(*gate.flaw).empty(), "each flaw has a name");
    return;
  }
  hold(is_within, "the gate takes nothing but what the grammar takes");
  hold_equal(gate.line.method, line->method, "the gate's method is the grammar's");
  hold_equal(gate.line.target, line->target, "the gate's target is the grammar's");
  hold_equal(gate.line.minor_version == 1 ? "HTTP/1.1" : "HTTP/1.0", line->version, "so is its version");
  hold_equal(gate.fields, strict->fields.size(), "the gate counts the fields");
  hold(gate.line.method.data() >= bytes.data() && gate.line.method.data() < bytes.data() + bytes.size(),
       "the gate's result views the head");
}

}  // namespace

void probe(std::string_view input) {
  const std::size_t blank = proxy::leading_blank_size(input);
  hold(blank <= proxy::max_leading_blank && blank % 2 == 0, "at most two leading CRLF are skipped");
  hold(input.substr(0, blank) == std::string_view("\r\n\r\n").substr(0, blank), "only CRLF is skipped");
  hold_equal(proxy::leading_blank_size(input, proxy::max_leading_blank), 0, "nothing more is skipped than may be");
  input.remove_prefix(blank);

  check_head_size(input);
  const std::string_view head = input.substr(0, naive_head_size(input));
  for (const HeadLimits& limits : {HeadLimits{}, HeadLimits{.target_bytes = 16, .field_count = 3}}) {
    check_gate(head, limits);
    check_gate(input, limits);  // not one whole head, most of the time
  }
}

}  // namespace keygate::fuzz
