#include "tests/support/recording_upstream.hpp"

#include <gtest/gtest.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <utility>

namespace keygate::test {
namespace {

// The proxy left in the middle of a turn: nothing for the script to go on with, and no fault of its own.
struct Left {};

struct Reading {
  std::vector<Request> requests;
  bool has_rest = false;
};

Reading read_all(std::string_view bytes) {
  Reading reading;
  while (!bytes.empty()) {
    auto request = read_request(bytes);
    if (!request) {
      reading.has_rest = true;
      return reading;
    }
    bytes.remove_prefix(request->size);
    reading.requests.push_back(std::move(*request));
  }
  return reading;
}

}  // namespace

const std::string& Turn::read_body() {
  if (has_read_body_) {
    return request_.body;
  }
  if (equal_ignoring_case(request_.fields["expect"], "100-continue")) {
    send("HTTP/1.1 100 Continue\r\n\r\n");
  }
  auto& connection = upstream_.at(connection_);
  for (;;) {
    std::string bytes;
    {
      std::lock_guard lock(upstream_.mutex_);
      bytes = connection.received.substr(connection.read);
    }
    if (auto whole = read_request(bytes)) {
      request_ = std::move(*whole);
      has_read_body_ = true;
      return request_.body;
    }
    if (!upstream_.receive_more(connection)) {
      throw Left{};
    }
  }
}

void Turn::send(std::string_view bytes) const { socket_.send(bytes); }

void Turn::answer(int status, std::string_view body, std::string_view extra_fields) const {
  std::string text = "HTTP/1.1 " + std::to_string(status) + " Told\r\n" + std::string(extra_fields);
  if (status != 204 && status != 304) {
    text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  }
  text += "\r\n";
  if (request_.method != "HEAD") {
    text += body;
  }
  send(text);
}

void Turn::close() {
  // Shut down, not closed: the test may be looking at the descriptor.
  socket_.shut_down();
}

void Turn::close_with_reset() {
  std::lock_guard lock(upstream_.mutex_);
  socket_.close_with_reset();
}

void Turn::finish_sending() const { socket_.shut_down_sending(); }

std::string Turn::receive() {
  auto& connection = upstream_.at(connection_);
  for (;;) {
    {
      std::lock_guard lock(upstream_.mutex_);
      std::string bytes = connection.received.substr(connection.read + request_.head_size + received_);
      received_ += bytes.size();
      if (!bytes.empty()) {
        return bytes;
      }
    }
    if (!upstream_.receive_more(connection)) {
      return {};
    }
  }
}

void Turn::hold() const {
  std::unique_lock lock(upstream_.mutex_);
  ++upstream_.held_;
  upstream_.changed_.notify_all();
  upstream_.changed_.wait_for(lock, 3 * patience, [&] { return upstream_.is_released_ || upstream_.is_stopping_; });
  --upstream_.held_;
}

void Turn::wait_for_end() {
  while (upstream_.receive_more(upstream_.at(connection_))) {
  }
}

void answer_ok(Turn& turn) {
  turn.read_body();
  turn.answer(200, "ok");
}

RecordingUpstream::RecordingUpstream(Script script) : script_(std::move(script)) {
  Listening listening = listen_on_loopback();
  listener_ = std::move(listening.socket);
  port_ = listening.port;
  acceptor_ = std::thread([this] { accept_all(); });
}

RecordingUpstream::~RecordingUpstream() {
  {
    std::lock_guard lock(mutex_);
    is_stopping_ = true;
    listener_.shut_down();
    for (const auto& connection : connections_) {
      connection->socket.shut_down();
    }
  }
  changed_.notify_all();
  acceptor_.join();
  for (const auto& connection : connections_) {
    connection->thread.join();
  }
}

void RecordingUpstream::accept_all() {
  for (;;) {
    Socket socket(accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket.is_open()) {
      return;
    }
    const int yes = 1;
    setsockopt(socket.fd(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    std::lock_guard lock(mutex_);
    if (is_stopping_) {
      return;
    }
    auto connection = std::make_unique<Connection>();
    connection->socket = std::move(socket);
    connections_.push_back(std::move(connection));
    const std::size_t number = connections_.size() - 1;
    connections_.back()->thread = std::thread([this, number] { serve(number); });
  }
}

bool RecordingUpstream::receive_more(Connection& connection) {
  std::string bytes;
  if (!connection.socket.is_open() || receive(connection.socket, bytes, std::chrono::minutes(5)) != Arrival::bytes) {
    return false;
  }
  std::lock_guard lock(mutex_);
  connection.received += bytes;
  changed_.notify_all();
  return true;
}

void RecordingUpstream::serve(std::size_t number) {
  Connection& connection = at(number);
  try {
    for (std::size_t turns = 0;; ++turns) {
      std::optional<Request> head;
      Script script;
      for (;;) {
        {
          std::lock_guard lock(mutex_);
          head = read_request_head(std::string_view(connection.received).substr(connection.read));
          script = script_;
        }
        if (head || !receive_more(connection)) {
          break;
        }
      }
      if (!head) {
        break;
      }
      Turn turn(*this, number, turns, connection.socket, std::move(*head));
      script(turn);
      std::lock_guard lock(mutex_);
      // A script that left the body unread gets it, and what follows, as the next request: as a real upstream would.
      connection.read += turn.has_read_body_ ? turn.request_.size : turn.request_.head_size;
    }
  } catch (const Left&) {
  } catch (const Malformed&) {
    // Stays in the record, where requests() finds it.
  }
  std::lock_guard lock(mutex_);
  connection.is_ended = true;
  connection.socket.close();
  changed_.notify_all();
}

RecordingUpstream::Connection& RecordingUpstream::at(std::size_t number) const {
  std::lock_guard lock(mutex_);
  return *connections_.at(number);
}

void RecordingUpstream::follow(Script script) {
  std::lock_guard lock(mutex_);
  script_ = std::move(script);
}

std::vector<std::string> RecordingUpstream::recorded() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> all;
  for (const auto& connection : connections_) {
    all.push_back(connection->received.substr(connection->forgotten));
  }
  return all;
}

std::string RecordingUpstream::bytes() const {
  std::string all;
  for (const std::string& one : recorded()) {
    all += one;
  }
  return all;
}

std::size_t RecordingUpstream::connections() const {
  std::lock_guard lock(mutex_);
  return connections_.size() - forgotten_connections_;
}

std::size_t RecordingUpstream::open_connections() const {
  std::lock_guard lock(mutex_);
  std::size_t open = 0;
  for (const auto& connection : connections_) {
    open += connection->is_ended ? 0 : 1;
  }
  return open;
}

std::vector<Request> RecordingUpstream::requests() const {
  std::vector<Request> all;
  for (const std::string& one : recorded()) {
    try {
      for (Request& request : read_all(one).requests) {
        all.push_back(std::move(request));
      }
    } catch (const Malformed& flaw) {
      ADD_FAILURE() << "the upstream was sent what is no clean request (" << flaw.what() << "):\n"
                    << one.substr(0, 2000);
    }
  }
  return all;
}

Request RecordingUpstream::only_request() const {
  const auto all = requests();
  if (all.size() != 1) {
    ADD_FAILURE() << "the upstream was sent " << all.size() << " requests instead of one:\n" << bytes().substr(0, 2000);
    return {};
  }
  return all.front();
}

bool RecordingUpstream::has_partial_request() const {
  for (const std::string& one : recorded()) {
    try {
      if (read_all(one).has_rest) {
        return true;
      }
    } catch (const Malformed&) {
      return true;
    }
  }
  return false;
}

void RecordingUpstream::forget() {
  std::lock_guard lock(mutex_);
  for (const auto& connection : connections_) {
    connection->forgotten = connection->received.size();
  }
  forgotten_connections_ = connections_.size();
}

std::string RecordingUpstream::everything() const {
  std::lock_guard lock(mutex_);
  std::string all;
  for (const auto& connection : connections_) {
    all += connection->received;
  }
  return all;
}

std::size_t RecordingUpstream::held() const {
  std::lock_guard lock(mutex_);
  return held_;
}

void RecordingUpstream::release() {
  std::lock_guard lock(mutex_);
  is_released_ = true;
  changed_.notify_all();
}

void RecordingUpstream::hold_again() {
  std::lock_guard lock(mutex_);
  is_released_ = false;
}

}  // namespace keygate::test
