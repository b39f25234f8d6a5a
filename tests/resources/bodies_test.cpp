// A gibibyte each way through Keygate: every byte arrives in its place, and no memory is kept for it.
#include "tests/support/keygate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <future>
#include <iostream>
#include <sys/socket.h>
#include <vector>

namespace keygate::test {
namespace {

constexpr std::size_t mebibyte = 1024 * 1024;
constexpr std::size_t gibibyte = 1024 * mebibyte;
constexpr std::size_t most_growth = 2 * mebibyte;

// Bytes that repeat after a prime number of them: a piece that is lost, doubled or moved does not fit what follows.
class Pattern {
 public:
  Pattern() : twice_(2 * period) {
    std::uint32_t state = 1;
    for (std::size_t at = 0; at < period; ++at) {
      state = state * 1664525 + 1013904223;
      twice_[at] = twice_[at + period] = static_cast<char>(state >> 24);
    }
  }

  // What stands from `offset` on, at most a period of it.
  std::string_view at(std::size_t offset, std::size_t size) const {
    return {twice_.data() + offset % period, std::min(size, period)};
  }

 private:
  static constexpr std::size_t period = 1'000'003;
  std::vector<char> twice_;
};

bool send_pattern(const Socket& to, std::size_t size) {
  const Pattern pattern;
  for (std::size_t sent = 0; sent < size;) {
    const std::string_view piece = pattern.at(sent, std::min(size - sent, 256 * std::size_t{1024}));
    if (!to.send(piece)) {
      return false;
    }
    sent += piece.size();
  }
  return true;
}

// How many of `size` bytes came as they should; `early` are those that came with the head.
std::size_t receive_pattern(const Socket& from, std::string_view early, std::size_t size) {
  const Pattern pattern;
  std::vector<char> buffer(256 * std::size_t{1024});
  if (early != pattern.at(0, early.size())) {
    return 0;
  }
  std::size_t received = early.size();
  while (received < size) {
    const ssize_t got = ::recv(from.fd(), buffer.data(), std::min(buffer.size(), size - received), 0);
    if (got <= 0 || std::string_view(buffer.data(), static_cast<std::size_t>(got)) !=
                        pattern.at(received, static_cast<std::size_t>(got))) {
      return received;
    }
    received += static_cast<std::size_t>(got);
  }
  return received;
}

// Up to the empty line, and what came with it.
std::pair<std::string, std::string> receive_head(const Socket& from) {
  std::string bytes;
  while (bytes.find("\r\n\r\n") == std::string::npos) {
    if (receive(from, bytes, patience) != Arrival::bytes) {
      throw std::runtime_error("no head, but: " + bytes);
    }
  }
  const std::size_t end = bytes.find("\r\n\r\n") + 4;
  return {bytes.substr(0, end), bytes.substr(end)};
}

std::size_t length_in(const std::string& head) {
  const std::size_t at = head.find("Content-Length: ");
  return at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
}

class LargeBody : public testing::Test {
 protected:
  void SetUp() override {
    key = keygate.create_key();
    keygate.start({.upstream_port = listening.port});
  }

  // Both ways at once: `size` bytes up and down; the upstream says what it got.
  void upload(std::size_t size) {
    auto upstream = std::async(std::launch::async, [&] {
      const Socket socket = accept();
      const auto [head, early] = receive_head(socket);
      const std::size_t received = receive_pattern(socket, early, length_in(head));
      socket.send("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
      return received;
    });
    const Socket client = connect_to(keygate.port());
    client.send("PUT /v1/body HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(size) + "\r\n" + key.bearer() +
                "\r\n");
    EXPECT_TRUE(send_pattern(client, size));
    EXPECT_EQ(upstream.get(), size) << "the upstream got this much as it was sent";
    EXPECT_TRUE(receive_head(client).first.starts_with("HTTP/1.1 204 "));
  }

  void download(std::size_t size) {
    auto upstream = std::async(std::launch::async, [&] {
      const Socket socket = accept();
      receive_head(socket);
      socket.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n");
      return send_pattern(socket, size);
    });
    const Socket client = connect_to(keygate.port());
    client.send("GET /v1/body HTTP/1.1\r\nHost: a\r\n" + key.bearer() + "\r\n");
    const auto [head, early] = receive_head(client);
    EXPECT_TRUE(head.starts_with("HTTP/1.1 200 ")) << head;
    EXPECT_EQ(length_in(head), size);
    EXPECT_EQ(receive_pattern(client, early, size), size) << "the client got this much as it was sent";
    EXPECT_TRUE(upstream.get());
  }

  // What `transfer` adds to a process that has seen a body before.
  template <class Transfer>
  void expect_no_growth(Transfer transfer) {
    transfer(10 * mebibyte);
    const std::size_t before = resident_bytes(keygate.pid());
    forget_peak(keygate.pid());
    const auto start = std::chrono::steady_clock::now();
    transfer(gibibyte);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    const std::size_t after = resident_bytes(keygate.pid());
    const std::size_t peak = peak_resident_bytes(keygate.pid());
    EXPECT_LT(after, before + most_growth);
    EXPECT_LT(peak, before + most_growth);
    EXPECT_LT(taken, std::chrono::seconds(60)) << "a gibibyte is a matter of seconds";
    const auto growth = [&](std::size_t now) {
      return (static_cast<double>(now) - static_cast<double>(before)) / 1024;
    };
    RecordProperty("resident_kib", std::to_string(before / 1024));
    RecordProperty("peak_growth_kib", std::to_string(static_cast<long>(growth(peak))));
    std::cout << "1 GiB in " << taken.count() << " s; resident " << before / 1024 << " KiB, growth " << growth(after)
              << " KiB, at most " << growth(peak) << " KiB\n";
  }

  Socket accept() const { return Socket(::accept4(listening.socket.fd(), nullptr, nullptr, SOCK_CLOEXEC)); }

  Listening listening = listen_on_loopback();
  Keygate keygate;
  Key key;
};

TEST_F(LargeBody, AGibibyteUpArrivesWholeAndCostsNoMemory) {
  expect_no_growth([this](std::size_t size) { upload(size); });
}

TEST_F(LargeBody, AGibibyteDownArrivesWholeAndCostsNoMemory) {
  expect_no_growth([this](std::size_t size) { download(size); });
}

}  // namespace
}  // namespace keygate::test
