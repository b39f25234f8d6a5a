// The oracle: an upstream that keeps every byte it was ever sent, says what a script tells it to, and reads requests
// with a parser that shares nothing with the proxy.
#pragma once

#include "tests/support/http_message.hpp"
#include "tests/support/patience.hpp"
#include "tests/support/socket.hpp"

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace keygate::test {

class RecordingUpstream;

// One request on one connection, as a script sees it. Runs on that connection's thread.
class Turn {
 public:
  const Request& request() const { return request_; }     // the head; the body once read_body() has returned
  std::size_t connection() const { return connection_; }  // counted from 0
  std::size_t number() const { return number_; }          // of the request on this connection, from 0

  // Reads the whole body, having sent "100 Continue" where that is waited for. Throws when the proxy leaves before its
  // end.
  const std::string& read_body();
  void send(std::string_view bytes) const;
  void answer(int status, std::string_view body, std::string_view extra_fields = "") const;
  void close();
  void close_with_reset();
  void finish_sending() const;
  // In a tunnel: what has come behind the head since the last time, waiting for it; empty once the proxy has finished.
  std::string receive();
  // Waits until the test says release().
  void hold() const;
  // Reads on until the proxy leaves.
  void wait_for_end();

 private:
  friend class RecordingUpstream;
  Turn(RecordingUpstream& upstream, std::size_t connection, std::size_t number, Socket& socket, Request request)
      : upstream_(upstream), connection_(connection), number_(number), socket_(socket), request_(std::move(request)) {}

  RecordingUpstream& upstream_;
  std::size_t connection_;
  std::size_t number_;
  Socket& socket_;
  Request request_;
  bool has_read_body_ = false;
  std::size_t received_ = 0;  // by receive()
};

using Script = std::function<void(Turn&)>;

// Reads the body and answers 200 with "ok".
void answer_ok(Turn& turn);

class RecordingUpstream {
 public:
  explicit RecordingUpstream(Script script = answer_ok);
  ~RecordingUpstream();
  RecordingUpstream(const RecordingUpstream&) = delete;
  RecordingUpstream& operator=(const RecordingUpstream&) = delete;

  std::uint16_t port() const { return port_; }
  void follow(Script script);  // for requests that arrive from now on

  // Everything received, by connection, and all of it together.
  std::vector<std::string> recorded() const;
  std::string bytes() const;
  std::size_t connections() const;
  std::size_t open_connections() const;
  // Every complete request, in the order of connections. A record that is no clean sequence of requests fails the test;
  // an incomplete last one is left out.
  std::vector<Request> requests() const;
  // The only request there was; fails the test and returns an empty one otherwise.
  Request only_request() const;
  bool has_partial_request() const;
  // What was recorded so far, as far as the questions above go; everything() still has it.
  void forget();
  std::string everything() const;

  // Scripts inside hold(), and what lets them go on (those that come later too, until hold_again).
  std::size_t held() const;
  void release();
  void hold_again();

 private:
  friend class Turn;
  struct Connection {
    Socket socket;
    std::string received;
    std::size_t read = 0;       // consumed by turns
    std::size_t forgotten = 0;  // where the record begins
    bool is_ended = false;
    std::thread thread;
  };

  void accept_all();
  void serve(std::size_t number);
  bool receive_more(Connection& connection);
  Connection& at(std::size_t number) const;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  Script script_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::size_t forgotten_connections_ = 0;
  std::size_t held_ = 0;
  bool is_released_ = false;
  bool is_stopping_ = false;
  Socket listener_;
  std::uint16_t port_ = 0;
  std::thread acceptor_;
};

}  // namespace keygate::test
