// Clients that keep their connection and say nothing: what one costs, and that all are still served.
#include "tests/support/nginx.hpp"
#include "tests/support/parked.hpp"
#include "tests/support/scenario.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <iostream>
#include <sys/resource.h>

namespace keygate::test {
namespace {

constexpr std::size_t wanted = 5'000;
constexpr std::size_t at_a_time = 250;    // are busy: what a busy client takes is kept for the next
constexpr std::size_t most_bytes = 1024;  // for each; a session that is kept would be 3 KiB, and its buffer 16

// How many clients this process and Keygate bear, which counts an upstream connection for each of its own.
std::size_t bearable_clients() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  const std::size_t spare = 200;
  return files.rlim_cur > spare ? std::min<std::size_t>(wanted, (files.rlim_cur - spare) / 2) : 0;
}

// Sessions and buffers go back after some silence: memory once it has not changed for longer than that.
std::size_t settled_resident_bytes(pid_t pid) {
  std::size_t last = 0;
  auto since = std::chrono::steady_clock::now();
  eventually([&] {
    const std::size_t now = resident_bytes(pid);
    if (now != last) {
      last = now;
      since = std::chrono::steady_clock::now();
    }
    return std::chrono::steady_clock::now() - since > std::chrono::milliseconds(1500);
  });
  return last;
}

TEST(IdleConnections, ThousandsCostLittleAndAreStillServed) {
  const std::size_t count = bearable_clients();
  ASSERT_GE(count, 100U) << "RLIMIT_NOFILE is too low to see anything";
  if (count < wanted) {
    std::cout << "RLIMIT_NOFILE bears " << count << " connections instead of " << wanted << "\n";
  }
  Nginx nginx;
  Keygate keygate;
  const Key key = keygate.create_key();
  keygate.start({.upstream_port = nginx.port()});
  const std::string request = "GET /v1/empty HTTP/1.1\r\nHost: a\r\n" + key.bearer() + "\r\n";
  const auto ask_on = [&](RawClient& client) {
    client.send(request);
    return client.read_response().status;
  };

  std::deque<RawClient> clients;
  const auto connect_up_to = [&](std::size_t number) {
    while (clients.size() < number) {
      clients.emplace_back(keygate.port());
      ASSERT_EQ(ask_on(clients.back()), 204) << "of client " << clients.size();
    }
  };
  connect_up_to(count / 50);  // the process is warm: what it allocates once is there
  const std::size_t before = resident_bytes(keygate.pid());
  const std::size_t warm = clients.size();
  while (clients.size() < count) {
    connect_up_to(std::min(count, clients.size() + at_a_time));
    ASSERT_TRUE(are_parked(keygate.pid(), clients.size()));
  }

  const auto each = [&](std::size_t resident) { return resident > before ? (resident - before) / (count - warm) : 0; };
  const std::size_t at_first = each(resident_bytes(keygate.pid()));
  const std::size_t settled = settled_resident_bytes(keygate.pid());
  EXPECT_LT(each(settled), most_bytes);
  RecordProperty("connections", std::to_string(count));
  RecordProperty("bytes_each", std::to_string(each(settled)));
  std::cout << count << " idle connections: " << each(settled) << " bytes each (" << at_first
            << " just after their requests); resident " << settled / 1024 << " KiB, " << before / 1024
            << " KiB when warm\n";

  for (RawClient& client : clients) {
    ASSERT_EQ(ask_on(client), 204);
  }
}

}  // namespace
}  // namespace keygate::test
