// A Redis that answers what the test tells it to: error replies, nonsense, or nothing. On a thread of its own.
#pragma once

#include "tests/support/socket.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <vector>

namespace keygate::test {

class ScriptedRedis {
 public:
  using Words = std::vector<std::string>;
  // The bytes to answer with, perhaps none; nullopt: the connection is closed.
  using Answer = std::function<std::optional<std::string>(const Words&)>;

  explicit ScriptedRedis(Answer answer) : answer_(std::move(answer)), thread_([this] { serve(); }) {}
  ~ScriptedRedis() {
    is_stopped_ = true;
    thread_.join();
  }
  ScriptedRedis(const ScriptedRedis&) = delete;
  ScriptedRedis& operator=(const ScriptedRedis&) = delete;

  std::uint16_t port() const { return listening_.port; }
  int connections() const { return connections_; }
  int commands() const { return commands_; }

  void answer_with(Answer answer) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
  }

  // PING as a healthy server answers it, and `bytes` to everything else.
  static Answer says(std::string bytes) {
    return [bytes = std::move(bytes)](const Words& words) { return words.at(0) == "PING" ? "+PONG\r\n" : bytes; };
  }

 private:
  struct Connection {
    Socket socket;
    std::string arrived{};
  };

  void serve() {
    while (!is_stopped_) {
      std::vector<pollfd> entries{{listening_.socket.fd(), POLLIN, 0}};
      for (const auto& [fd, connection] : open_) entries.push_back({fd, POLLIN, 0});
      poll(entries.data(), entries.size(), 5);
      if (entries.front().revents != 0) accept_one();
      for (std::size_t i = 1; i < entries.size(); ++i) {
        if (entries[i].revents != 0 && !attend(open_.at(entries[i].fd))) open_.erase(entries[i].fd);
      }
    }
  }

  void accept_one() {
    Socket socket(accept4(listening_.socket.fd(), nullptr, nullptr, SOCK_CLOEXEC));
    ++connections_;
    const int fd = socket.fd();
    open_.emplace(fd, Connection{std::move(socket)});
  }

  // Whether the connection lives on.
  bool attend(Connection& connection) {
    if (receive(connection.socket, connection.arrived, std::chrono::milliseconds(0)) != Arrival::bytes) return false;
    for (auto words = take_command(connection.arrived); words; words = take_command(connection.arrived)) {
      ++commands_;
      const std::lock_guard lock(mutex_);
      const auto bytes = answer_(*words);
      if (!bytes || !connection.socket.send(*bytes)) return false;
    }
    return true;
  }

  // "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", as our own encoder writes it.
  static std::optional<Words> take_command(std::string& arrived) {
    std::size_t at = 0;
    const auto number = [&](char mark) -> std::optional<std::size_t> {
      const std::size_t end = arrived.find("\r\n", at);
      if (end == std::string::npos || arrived[at] != mark) return std::nullopt;
      const std::size_t value = std::stoul(arrived.substr(at + 1, end - at - 1));
      at = end + 2;
      return value;
    };
    const auto count = number('*');
    Words words;
    for (std::size_t i = 0; count && i < *count; ++i) {
      const auto size = number('$');
      if (!size || arrived.size() < at + *size + 2) return std::nullopt;
      words.push_back(arrived.substr(at, *size));
      at += *size + 2;
    }
    if (!count) return std::nullopt;
    arrived.erase(0, at);
    return words;
  }

  Listening listening_ = listen_on_loopback();
  std::mutex mutex_;
  Answer answer_;
  std::map<int, Connection> open_;
  std::atomic<bool> is_stopped_ = false;
  std::atomic<int> connections_ = 0;
  std::atomic<int> commands_ = 0;
  std::thread thread_;
};

}  // namespace keygate::test
