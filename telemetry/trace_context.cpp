#include "telemetry/trace_context.hpp"

#include <algorithm>

namespace keygate::telemetry {
namespace {

constexpr std::size_t trace_size = 32, span_size = 16;
constexpr std::size_t trace_at = 3, span_at = trace_at + trace_size + 1, flags_at = span_at + span_size + 1;
constexpr std::size_t longest_key = 256, longest_value = 256;

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

// Lower case only, as the specification has it.
bool are_hex(std::string_view text) { return std::ranges::all_of(text, is_hex); }

bool is_id(std::string_view text) {
  return are_hex(text) && std::ranges::any_of(text, [](char c) { return c != '0'; });
}

bool is_key_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '*' || c == '/' || c == '@';
}

bool is_key(std::string_view key) {
  const bool begins_well = !key.empty() && is_key_character(key.front()) &&
                           ((key.front() >= 'a' && key.front() <= 'z') || (key.front() >= '0' && key.front() <= '9'));
  return begins_well && key.size() <= longest_key && std::ranges::all_of(key, is_key_character) &&
         std::ranges::count(key, '@') <= 1;
}

// 0x20 to 0x7e but for the comma and the equals sign; no blank at its end.
bool is_value(std::string_view value) {
  return !value.empty() && value.size() <= longest_value && value.back() != ' ' &&
         std::ranges::all_of(value, [](char c) { return c >= 0x20 && c <= 0x7e && c != ',' && c != '='; });
}

bool is_member(std::string_view member) {
  const std::size_t equals = member.find('=');
  return equals != std::string_view::npos && is_key(member.substr(0, equals)) && is_value(member.substr(equals + 1));
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

}  // namespace

std::optional<TraceParent> parse_trace_parent(std::string_view text) {
  if (text.size() < trace_parent_size || !are_hex(text.substr(0, 2)) || text.starts_with("ff")) return std::nullopt;
  const bool is_known = text.starts_with("00");
  if (is_known ? text.size() != trace_parent_size : text.size() > trace_parent_size && text[trace_parent_size] != '-') {
    return std::nullopt;
  }
  const bool has_dashes = text[trace_at - 1] == '-' && text[span_at - 1] == '-' && text[flags_at - 1] == '-';
  TraceParent parent{text.substr(trace_at, trace_size), text.substr(span_at, span_size), false};
  const std::string_view flags = text.substr(flags_at, 2);
  if (!has_dashes || !is_id(parent.trace_id) || !is_id(parent.span_id) || !are_hex(flags)) return std::nullopt;
  const char low = flags[1];
  parent.is_sampled = ((low <= '9' ? low - '0' : low - 'a' + 10) & 1) != 0;
  return parent;
}

void write_trace_parent(const TraceParent& parent, std::span<char, trace_parent_size> room) {
  char* at = room.data();
  const auto put = [&at](std::string_view text) { at = std::copy(text.begin(), text.end(), at); };
  put("00-");
  put(parent.trace_id.substr(0, trace_size));
  put("-");
  put(parent.span_id.substr(0, span_size));
  put(parent.is_sampled ? "-01" : "-00");
}

void TraceState::add_line(std::string_view line) {
  while (!line.empty()) {
    const std::size_t comma = line.find(',');
    add(trimmed(line.substr(0, comma)));
    line = comma == std::string_view::npos ? std::string_view{} : line.substr(comma + 1);
  }
}

void TraceState::add(std::string_view member) {
  if (member.empty()) return;
  if (!is_member(member)) is_flawed_ = true;
  const std::size_t more = member.size() + (size_ > 0 ? 1 : 0);
  is_full_ = is_full_ || members_ == max_members || size_ + more > max_bytes;
  if (is_flawed_ || is_full_) return;
  if (size_ > 0) room_[size_++] = ',';
  std::ranges::copy(member, room_.data() + size_);
  size_ += member.size();
  ++members_;
}

}  // namespace keygate::telemetry
