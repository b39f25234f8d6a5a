#include "keys/resp_gate.hpp"

#include <algorithm>
#include <charconv>

namespace keygate::keys {

namespace {

constexpr std::size_t longest_number = 20;  // of an int64 with its sign
constexpr std::string_view types = "+-:$*";

// As Redis writes them: no plus, no leading zeros, in 64 bits.
std::optional<std::int64_t> number_in(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  const std::string_view digits = text.substr(text[0] == '-' ? 1 : 0);
  const bool is_padded = digits[0] == '0' && text != "0";
  return is_padded ? std::nullopt : std::optional(number);
}

}  // namespace

std::string_view to_string(RespFlaw flaw) {
  switch (flaw) {
    case RespFlaw::unknown_type:
      return "a reply of no type of RESP2";
    case RespFlaw::bad_line:
      return "a line of a reply is malformed";
    case RespFlaw::bad_number:
      return "a length or number is malformed";
    case RespFlaw::bad_terminator:
      return "a string does not end where it says";
    case RespFlaw::too_large:
      return "a reply is too large";
    case RespFlaw::too_deep:
      return "a reply is nested too deeply";
  }
  return "a reply is malformed";
}

std::optional<RespFlaw> RespGate::pass(std::string_view bytes) {
  while (!bytes.empty()) {
    if (expecting_ == Expecting::string) {
      // Its size has been judged, and its bytes may be any.
      const std::size_t taken = std::min(bytes.size(), string_left_);
      string_left_ -= taken;
      reply_size_ += taken;
      bytes.remove_prefix(taken);
      if (string_left_ == 0) expecting_ = Expecting::string_cr;
      if (reply_size_ > max_reply) return RespFlaw::too_large;
      continue;
    }
    if (++reply_size_ > max_reply) return RespFlaw::too_large;
    if (const auto flaw = take(bytes.front())) return flaw;
    bytes.remove_prefix(1);
  }
  return std::nullopt;
}

std::optional<RespFlaw> RespGate::take(char c) {
  switch (expecting_) {
    case Expecting::type:
      if (types.find(c) == std::string_view::npos) return RespFlaw::unknown_type;
      type_ = c;
      number_.clear();
      expecting_ = Expecting::line;
      return std::nullopt;
    case Expecting::line:
      return take_line_byte(c);
    case Expecting::line_feed:
      return c == '\n' ? end_line() : RespFlaw::bad_line;
    case Expecting::string:
      return std::nullopt;  // pass() takes those
    case Expecting::string_cr:
      expecting_ = Expecting::string_lf;
      return c == '\r' ? std::nullopt : std::optional(RespFlaw::bad_terminator);
    case Expecting::string_lf:
      return c == '\n' ? end_value() : RespFlaw::bad_terminator;
  }
  return RespFlaw::bad_line;
}

std::optional<RespFlaw> RespGate::take_line_byte(char c) {
  if (c == '\r') {
    expecting_ = Expecting::line_feed;
    return std::nullopt;
  }
  if (c == '\n' || c == '\0') return RespFlaw::bad_line;
  if (type_ == '+' || type_ == '-') return std::nullopt;
  if (number_.size() == longest_number) return RespFlaw::bad_number;
  number_ += c;
  return std::nullopt;
}

std::optional<RespFlaw> RespGate::end_line() {
  if (type_ == '+' || type_ == '-') return end_value();
  const auto number = number_.empty() ? std::nullopt : number_in(number_);
  if (!number) return RespFlaw::bad_number;
  if (type_ == ':') return end_value();
  if (*number < -1) return RespFlaw::bad_number;
  if (*number == -1) return end_value();  // null
  return type_ == '$' ? begin_string(*number) : begin_array(*number);
}

std::optional<RespFlaw> RespGate::begin_string(std::int64_t size) {
  if (static_cast<std::uint64_t>(size) > max_string) return RespFlaw::too_large;
  if (reply_size_ + static_cast<std::size_t>(size) > max_reply) return RespFlaw::too_large;
  string_left_ = static_cast<std::size_t>(size);
  expecting_ = size == 0 ? Expecting::string_cr : Expecting::string;
  return std::nullopt;
}

std::optional<RespFlaw> RespGate::begin_array(std::int64_t count) {
  if (static_cast<std::uint64_t>(count) > max_elements) return RespFlaw::too_large;
  if (count == 0) return end_value();
  if (depth_ == max_depth) return RespFlaw::too_deep;
  left_[depth_++] = static_cast<std::size_t>(count);
  expecting_ = Expecting::type;
  return std::nullopt;
}

// A value is complete, and with it perhaps the arrays that it was the last of.
std::optional<RespFlaw> RespGate::end_value() {
  expecting_ = Expecting::type;
  while (depth_ > 0 && --left_[depth_ - 1] == 0) --depth_;
  if (depth_ == 0) reply_size_ = 0;
  return std::nullopt;
}

}  // namespace keygate::keys
