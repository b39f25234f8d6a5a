#include "proxy/chunk_filter.hpp"

#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

namespace keygate::proxy {
namespace {

constexpr unsigned max_digits = 15;  // 2^60 bytes: no overflow, and no padding with zeros beyond it

int hex_value(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Quoted strings in extensions have hidden line ends from parsers before: quotes are let through, controls never.
bool is_extension_byte(char c) { return c == '\t' || (c >= 0x20 && c < 0x7f); }

bool is_token_byte(char c) {
  const char lower = static_cast<char>(c | 0x20);
  return (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// What says how a message is framed, routed, read, kept or believed has to be known before its body.
bool may_be_trailer(std::string_view name) {
  static constexpr std::array<std::string_view, 36> never{"age",
                                                          "authentication-info",
                                                          "authorization",
                                                          "cache-control",
                                                          "connection",
                                                          "content-encoding",
                                                          "content-length",
                                                          "content-location",
                                                          "content-range",
                                                          "content-security-policy",
                                                          "content-type",
                                                          "cookie",
                                                          "date",
                                                          "expect",
                                                          "expires",
                                                          "host",
                                                          "keep-alive",
                                                          "location",
                                                          "max-forwards",
                                                          "pragma",
                                                          "proxy-authenticate",
                                                          "proxy-authentication-info",
                                                          "proxy-authorization",
                                                          "proxy-connection",
                                                          "range",
                                                          "retry-after",
                                                          "set-cookie",
                                                          "strict-transport-security",
                                                          "te",
                                                          "trailer",
                                                          "transfer-encoding",
                                                          "upgrade",
                                                          "vary",
                                                          "via",
                                                          "warning",
                                                          "www-authenticate"};
  constexpr std::string_view cors = "access-control-";
  return !boost::beast::iequals(name.substr(0, cors.size()), cors) &&
         std::none_of(never.begin(), never.end(),
                      [name](std::string_view one) { return boost::beast::iequals(name, one); });
}

bool is_value_byte(char c) { return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f); }

}  // namespace

// Each byte of framing is written when its like has been read, never earlier: so `out` cannot overtake the input.
void ChunkFilter::put(char c, char*& out) const {
  if (framing_ != ChunkFraming::strip) {
    *out++ = c;
  }
}

bool ChunkFilter::end_of_size(char*& out) {
  state_ = State::size_lf;
  put('\r', out);
  return true;
}

// One byte of a chunk's size line. False: malformed.
bool ChunkFilter::step_size(char c, char*& out) {
  if (++line_ > max_size_line) {
    return false;
  }
  switch (state_) {
    case State::size_start:
    case State::size: {
      const int digit = hex_value(c);
      if (digit >= 0) {
        if (++digits_ > max_digits) {
          return false;
        }
        left_ = left_ * 16 + static_cast<unsigned>(digit);
        state_ = State::size;
        put(c, out);
        return true;
      }
      if (state_ == State::size_start) {
        return false;
      }
      if (c == '\r') {
        return end_of_size(out);
      }
      state_ = State::extension;
      return c == ';';
    }
    case State::extension:
      if (c == '\r') {
        return end_of_size(out);
      }
      return is_extension_byte(c) && ++extensions_ <= max_extensions;
    case State::size_lf:
      if (c != '\n') {
        return false;
      }
      state_ = left_ == 0 ? State::trailer_start : State::data;
      line_ = 0;
      digits_ = 0;
      put('\n', out);
      return true;
    case State::data:
    case State::data_cr:
    case State::data_lf:
    case State::trailer_start:
    case State::trailer:
    case State::trailer_lf:
    case State::end_lf:
    case State::done:
    case State::flawed:
      break;
  }
  return false;
}

void ChunkFilter::keep_trailer(char c) {
  if (is_trailer_kept_ && c == ':' && !in_trailer_value_) {
    is_trailer_kept_ = may_be_trailer(std::string_view(tail_).substr(tail_line_));
  }
  if (is_trailer_kept_) {
    tail_ += c;
  }
}

// One byte of the trailers, which are checked, and dropped unless they are kept (M-13). False: malformed.
bool ChunkFilter::step_trailer(char c, char*& out) {
  if (++trailers_ > max_trailers) {
    return false;
  }
  switch (state_) {
    case State::trailer_start:
      if (c == '\r') {
        state_ = State::end_lf;
        if (tail_.empty()) {
          put('\r', out);
        }
        return true;
      }
      state_ = State::trailer;
      in_trailer_value_ = false;
      is_trailer_kept_ = framing_ == ChunkFraming::keep_trailers;
      tail_line_ = tail_.size();
      keep_trailer(c);
      return is_token_byte(c) && ++trailer_fields_ <= max_trailer_fields;
    case State::trailer:
      if (c == '\r' && in_trailer_value_) {
        state_ = State::trailer_lf;
        return true;
      }
      keep_trailer(c);
      if (!in_trailer_value_) {
        in_trailer_value_ = c == ':';
        return in_trailer_value_ || is_token_byte(c);
      }
      return is_value_byte(c);
    case State::trailer_lf:
      state_ = State::trailer_start;
      if (is_trailer_kept_) {
        tail_ += "\r\n";
      } else {
        tail_.resize(tail_line_);
      }
      return c == '\n';
    case State::end_lf:
      if (c != '\n') {
        return false;
      }
      state_ = State::done;
      if (tail_.empty()) {
        put('\n', out);
      } else {
        tail_ += "\r\n";
      }
      return true;
    case State::size_start:
    case State::size:
    case State::extension:
    case State::size_lf:
    case State::data:
    case State::data_cr:
    case State::data_lf:
    case State::done:
    case State::flawed:
      break;
  }
  return false;
}

ChunkFilter::Step ChunkFilter::feed(std::span<char> bytes) {
  Step step;
  const char* in = bytes.data();
  const char* const end = in + bytes.size();
  char* out = bytes.data();
  bool is_good = state_ != State::flawed;
  while (in != end && state_ != State::done && is_good) {
    switch (state_) {
      case State::size_start:
      case State::size:
      case State::extension:
      case State::size_lf:
        is_good = step_size(*in++, out);
        break;
      case State::data: {
        const auto size =
            static_cast<std::size_t>(std::min<std::uint64_t>(left_, static_cast<std::uint64_t>(end - in)));
        if (out != in) {
          std::memmove(out, in, size);
        }
        out += size;
        in += size;
        step.data += size;
        left_ -= size;
        state_ = left_ == 0 ? State::data_cr : State::data;
        break;
      }
      case State::data_cr:
        is_good = *in++ == '\r';
        state_ = State::data_lf;
        put('\r', out);
        break;
      case State::data_lf:
        is_good = *in++ == '\n';
        state_ = State::size_start;
        put('\n', out);
        break;
      case State::trailer_start:
      case State::trailer:
      case State::trailer_lf:
      case State::end_lf:
        is_good = step_trailer(*in++, out);
        break;
      case State::done:
      case State::flawed:
        break;
    }
  }
  if (!is_good) {
    state_ = State::flawed;
    return {.is_flawed = true};  // and nothing else: data that came before the flaw is not passed on, nor counted
  }
  step.consumed = static_cast<std::size_t>(in - bytes.data());
  step.produced = static_cast<std::size_t>(out - bytes.data());
  step.is_done = state_ == State::done;
  return step;
}

}  // namespace keygate::proxy
