// A TCP relay that lets requests through at once and holds replies up for as long as the test says, in their order.
#pragma once

#include "tests/support/socket.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <list>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <utility>
#include <vector>

namespace keygate::test {

class SlowRelay {
 public:
  using Clock = std::chrono::steady_clock;
  using Delay =
      std::function<std::chrono::milliseconds()>;  // of the next piece of a reply; asked on the relay's thread

  SlowRelay(std::uint16_t target, Delay delay)
      : target_(target), delay_(std::move(delay)), thread_([this] { serve(); }) {}
  ~SlowRelay() {
    is_stopped_ = true;
    thread_.join();
  }
  SlowRelay(const SlowRelay&) = delete;
  SlowRelay& operator=(const SlowRelay&) = delete;

  std::uint16_t port() const { return listening_.port; }

 private:
  struct Pair {
    Socket client, server;
    std::deque<std::pair<Clock::time_point, std::string>> held{};
    bool is_over = false;
  };

  void serve() {
    while (!is_stopped_) {
      std::vector<pollfd> entries{{listening_.socket.fd(), POLLIN, 0}};
      for (const Pair& pair : pairs_) {
        entries.push_back({pair.client.fd(), POLLIN, 0});
        entries.push_back({pair.server.fd(), POLLIN, 0});
      }
      poll(entries.data(), entries.size(), 1);
      std::size_t at = 1;
      for (Pair& pair : pairs_) {
        if (entries[at++].revents != 0) pass_request(pair);
        if (entries[at++].revents != 0) hold_reply(pair);
        release(pair);
      }
      std::erase_if(pairs_, [](const Pair& pair) { return pair.is_over; });
      if (entries.front().revents != 0) {
        pairs_.push_back(
            {Socket(accept4(listening_.socket.fd(), nullptr, nullptr, SOCK_CLOEXEC)), connect_to(target_)});
      }
    }
  }

  static void pass_request(Pair& pair) {
    std::string bytes;
    pair.is_over |=
        receive(pair.client, bytes, std::chrono::milliseconds(0)) != Arrival::bytes || !pair.server.send(bytes);
  }

  void hold_reply(Pair& pair) {
    std::string bytes;
    if (receive(pair.server, bytes, std::chrono::milliseconds(0)) != Arrival::bytes) {
      pair.is_over = true;
      return;
    }
    auto due = Clock::now() + delay_();
    if (!pair.held.empty()) due = std::max(due, pair.held.back().first);
    pair.held.emplace_back(due, std::move(bytes));
  }

  static void release(Pair& pair) {
    while (!pair.is_over && !pair.held.empty() && pair.held.front().first <= Clock::now()) {
      pair.is_over = !pair.client.send(pair.held.front().second);
      pair.held.pop_front();
    }
  }

  const std::uint16_t target_;
  const Delay delay_;
  Listening listening_ = listen_on_loopback();
  std::list<Pair> pairs_;
  std::atomic<bool> is_stopped_ = false;
  std::thread thread_;
};

}  // namespace keygate::test
