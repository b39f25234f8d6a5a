#include "tests/support/relay.hpp"

#include <algorithm>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <utility>
#include <vector>

namespace keygate::test {
namespace {

constexpr std::chrono::milliseconds at_once{0};
constexpr int look_again_ms = 2;
constexpr char foreign_byte = '\x01';  // in no number, no name and no text of Redis, HTTP or JSON

}  // namespace

Relay::Relay(std::uint16_t target) : target_(target), thread_([this] { serve(); }) {}

Relay::~Relay() {
  is_stopped_ = true;
  thread_.join();
}

void Relay::aim_at(std::uint16_t target) { target_ = target; }
void Relay::let_through() { follow({}); }
void Relay::freeze() { follow({Way::frozen}); }
void Relay::hold_replies() { follow({Way::held}); }
void Relay::delay(std::chrono::milliseconds most) { follow({Way::delayed, most}); }
void Relay::garble() { follow({Way::garbled}); }
void Relay::cut_once() { is_cut_wanted_ = true; }
void Relay::refuse_who_says(const std::string& word) { follow({Way::through, at_once, word}); }

void Relay::cut() { follow({Way::cut}); }

void Relay::follow(Order order) {
  const std::lock_guard lock(mutex_);
  order_ = std::move(order);
}

void Relay::serve() {
  while (!is_stopped_) {
    Order order;
    {
      const std::lock_guard lock(mutex_);
      order = order_;
    }
    turn(order);
  }
}

void Relay::turn(const Order& order) {
  if (is_cut_wanted_.exchange(false) || order.way == Way::cut) {
    for (Pair& pair : pairs_) pair.client.close_with_reset();
    pairs_.clear();
  }
  std::vector<pollfd> entries{{listening_.socket.fd(), POLLIN, 0}};
  if (order.way != Way::frozen) {
    for (const Pair& pair : pairs_) {
      entries.push_back({pair.client.fd(), POLLIN, 0});
      entries.push_back({pair.server.fd(), POLLIN, 0});
    }
  }
  poll(entries.data(), entries.size(), look_again_ms);
  if (entries.size() > 1) {
    std::size_t at = 1;
    for (Pair& pair : pairs_) {
      if (entries[at++].revents != 0) pass_request(pair, order);
      if (entries[at++].revents != 0) take_reply(pair, order);
      release(pair, order);
    }
  }
  std::erase_if(pairs_, [](const Pair& pair) { return pair.is_over; });
  std::size_t held = 0;
  for (const Pair& pair : pairs_) {
    for (const Piece& piece : pair.held) held += piece.bytes.size();
  }
  held_bytes_ = held;
  if (entries.front().revents != 0) accept_one(order);
}

void Relay::pass_request(Pair& pair, const Order& order) const {
  std::string bytes;
  const bool is_there = receive(pair.client, bytes, at_once) == Arrival::bytes;
  const bool is_refused = !order.refused.empty() && bytes.find(order.refused) != std::string::npos;
  pair.is_over = pair.is_over || !is_there || is_refused || !pair.server.send(bytes);
}

void Relay::take_reply(Pair& pair, const Order& order) {
  std::string bytes;
  if (receive(pair.server, bytes, at_once) != Arrival::bytes) {
    pair.is_over = true;
    return;
  }
  if (order.way == Way::garbled && random_() % 3 == 0) {
    const std::size_t at = random_() % bytes.size();
    if (random_() % 3 == 0) {
      pair.client.send(std::string_view(bytes).substr(0, at));
      pair.is_over = true;
      return;
    }
    bytes[at] = foreign_byte;
  }
  auto due = Clock::now();
  if (order.way == Way::delayed) {
    due += std::chrono::milliseconds(random_() % static_cast<unsigned>(order.most.count() + 1));
  }
  if (!pair.held.empty()) due = std::max(due, pair.held.back().due);
  pair.held.push_back({due, std::move(bytes)});
}

void Relay::release(Pair& pair, const Order& order) {
  if (order.way == Way::held) return;
  while (!pair.is_over && !pair.held.empty()) {
    Piece& first = pair.held.front();
    if (order.way == Way::delayed && first.due > Clock::now()) return;
    pair.is_over = !pair.client.send(first.bytes);
    pair.held.pop_front();
  }
}

void Relay::accept_one(const Order& order) {
  Socket client(accept4(listening_.socket.fd(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!client.is_open()) return;
  ++accepted_;
  const int yes = 1;
  setsockopt(client.fd(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  auto server = order.way == Way::cut ? std::nullopt : try_connect(target_);
  if (!server) return client.close_with_reset();
  pairs_.push_back({std::move(client), std::move(*server)});
}

}  // namespace keygate::test
