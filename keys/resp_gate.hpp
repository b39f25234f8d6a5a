// Looks at RESP2 bytes before hiredis' reader gets them: it believes a length of terabytes, allocates what an array
// announces, and takes any two bytes for the end of a string (0.14). Pure; one a connection, fed in order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace keygate::keys {

enum class RespFlaw : std::uint8_t {
  unknown_type,    // not + - : $ *; RESP3 is not spoken here
  bad_line,        // a bare CR or LF, or a NUL
  bad_number,      // a length or integer that is none, has leading zeros, or does not fit
  bad_terminator,  // no CR LF behind a string
  too_large,       // a string, an array or a whole reply over what any answer of ours needs
  too_deep,
};
std::string_view to_string(RespFlaw flaw);

class RespGate {
 public:
  static constexpr std::size_t max_string = 64 * 1024;
  static constexpr std::size_t max_reply = max_string + 1024;  // all bytes of one reply
  static constexpr std::size_t max_elements = 16;
  static constexpr std::size_t max_depth = 2;  // arrays in an array

  // Whether these bytes may go on. Once it has said no, the connection is at its end.
  std::optional<RespFlaw> pass(std::string_view bytes);

 private:
  enum class Expecting : std::uint8_t { type, line, line_feed, string, string_cr, string_lf };

  std::optional<RespFlaw> take(char c);
  std::optional<RespFlaw> take_line_byte(char c);
  std::optional<RespFlaw> end_line();
  std::optional<RespFlaw> begin_string(std::int64_t size);
  std::optional<RespFlaw> begin_array(std::int64_t count);
  std::optional<RespFlaw> end_value();

  Expecting expecting_ = Expecting::type;
  char type_ = 0;
  std::string number_;                         // digits of a length or an integer
  std::size_t string_left_ = 0;                // bytes
  std::size_t reply_size_ = 0;                 // bytes so far
  std::array<std::size_t, max_depth> left_{};  // elements, of each array that is open
  std::size_t depth_ = 0;
};

}  // namespace keygate::keys
