// A client that sends exactly the bytes a test wrote, and reads answers with a parser of its own.
#pragma once

#include "tests/support/http_message.hpp"
#include "tests/support/patience.hpp"
#include "tests/support/socket.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace keygate::test {

// How a request gets onto the wire. `split`: a packet a byte (the first 4 KiB, then 64 bytes at a time).
enum class Delivery { whole, split, pipelined };

class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : socket_(connect_to(port)) {}

  // false: the other side has gone; what it said before can still be read.
  bool send(std::string_view bytes) { return socket_.send(bytes); }
  bool send_split(std::string_view bytes);
  void finish_sending() { socket_.shut_down_sending(); }  // FIN
  void leave() { socket_.close(); }
  void leave_with_reset() { socket_.close_with_reset(); }

  // The next response, interim ones inside it. Throws std::runtime_error when none comes in time or the connection ends
  // before it is complete, Malformed when it cannot be read in one way.
  Response read_response(AnswerTo method = AnswerTo::get);
  Response ask(std::string_view request, AnswerTo method = AnswerTo::get);

  // Everything until the other side ends the connection; throws when it does not.
  std::string read_to_end();
  // Whether the other side ends the connection, saying nothing more, within `limit`.
  bool is_ended(std::chrono::milliseconds limit = patience);
  // Bytes that have come and were not read as part of a response.
  const std::string& unread();

  // All bytes ever received.
  const std::string& received() const { return received_; }

 private:
  Arrival more(std::chrono::milliseconds limit);

  Socket socket_;
  std::string received_;
  std::string unread_;
  bool is_end_ = false;
};

// One request on a connection of its own.
Response ask(std::uint16_t port, std::string_view request, AnswerTo method = AnswerTo::get);

}  // namespace keygate::test
