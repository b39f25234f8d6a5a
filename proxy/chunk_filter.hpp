// A chunked body on its way through: validated byte by byte, its end found, extensions left out, and trailers too
// unless they are asked for. Pure state machine, in place: what comes out is never longer than what went
// in. One a body; used by exchange.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace keygate::proxy {

enum class ChunkFraming : std::uint8_t {
  keep,           // chunks come out as chunks: for a peer that speaks HTTP/1.1
  keep_trailers,  // and fields behind them that may stand there, as `tail`
  strip,          // only the data comes out: for an HTTP/1.0 client
};

class ChunkFilter {
 public:
  explicit ChunkFilter(ChunkFraming framing = ChunkFraming::keep) : framing_(framing) {}

  struct Step {
    std::size_t consumed = 0;  // bytes of the input that belong to this body
    std::size_t produced = 0;  // bytes at the start of the buffer that are to be sent on
    std::size_t data = 0;      // of the body itself among them
    bool is_done = false;    // the last chunk and the trailers have been read; the rest of the input is not this body's
    bool is_flawed = false;  // malformed: nothing of this step may be sent, the connection is lost
  };

  // Takes the next bytes, in place. After is_done or is_flawed it must not be called again.
  Step feed(std::span<char> bytes);

  // Once is_done, what ends the body behind all that was produced; empty where that has its end already. Trailers that
  // could change what was decided on, or how the message is read, are left out (RFC 9110 §6.5.1).
  std::string_view tail() const { return tail_; }

  static constexpr std::size_t max_size_line = 256;        // one chunk's size with its extension
  static constexpr std::size_t max_extensions = 4 * 1024;  // of a whole body
  static constexpr std::size_t max_trailers = 4 * 1024;
  static constexpr std::size_t max_trailer_fields = 16;

 private:
  enum class State : std::uint8_t {
    size_start,
    size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_start,
    trailer,
    trailer_lf,
    end_lf,
    done,
    flawed
  };

  void put(char c, char*& out) const;
  bool end_of_size(char*& out);
  bool step_size(char c, char*& out);
  bool step_trailer(char c, char*& out);
  void keep_trailer(char c);

  ChunkFraming framing_;
  State state_ = State::size_start;
  std::uint8_t digits_ = 0;
  std::uint16_t line_ = 0;
  std::uint16_t extensions_ = 0;
  std::uint16_t trailers_ = 0;
  std::uint16_t trailer_fields_ = 0;
  bool in_trailer_value_ = false;
  bool is_trailer_kept_ = false;  // the one that is being read
  std::string tail_;
  std::size_t tail_line_ = 0;  // where that one begins in it
  std::uint64_t left_ = 0;
};

}  // namespace keygate::proxy
