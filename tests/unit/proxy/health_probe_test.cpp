#include "proxy/health_probe.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace keygate::proxy {
namespace {

using namespace std::chrono_literals;

// Zero: it has none.
int status_of(std::string_view answer, std::size_t piece) {
  StatusReader reader;
  for (std::size_t at = 0; at < answer.size(); at += piece) {
    if (!reader.read(answer.substr(at, piece))) break;
  }
  return reader.status();
}

TEST(StatusReader, StepsOverInterimAnswers) {
  const std::string hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n";
  std::string most;
  for (int i = 0; i < StatusReader::max_interim; ++i) most += hints;
  for (const std::size_t piece : {1U, 2U, 3U, 7U, 1000U}) {
    EXPECT_EQ(status_of("HTTP/1.1 200 OK\r\n", piece), 200);
    EXPECT_EQ(status_of(hints + "HTTP/1.1 204 No Content\r\n\r\n", piece), 204);
    EXPECT_EQ(status_of("HTTP/1.1 100 Continue\r\n\r\n" + hints + "HTTP/1.1 503 No\r\n", piece), 503);
    EXPECT_EQ(status_of(most + "HTTP/1.1 200 OK\r\n", piece), 200);
    EXPECT_EQ(status_of(most + hints + "HTTP/1.1 200 OK\r\n", piece), 0);
    EXPECT_EQ(status_of(hints, piece), 0);
    EXPECT_EQ(status_of("HTTP/1.1 103 Early Hints\r\nHTTP/1.1 200 OK\r\n", piece), 0) << "that is one of its fields";
    EXPECT_EQ(status_of("HTTP/1.1 101 Switching Protocols\r\n\r\nHTTP/1.1 200 OK\r\n", piece), 101);
  }
}

TEST(StatusReader, ReadsNoMoreThanItHasTo) {
  StatusReader of_final;
  EXPECT_TRUE(of_final.read("HTTP/1.1 200 OK\r"));
  EXPECT_FALSE(of_final.read("\n"));
  StatusReader of_another_protocol;
  EXPECT_FALSE(of_another_protocol.read("SSH-2.0-OpenSSH_9.2\r\n"));
  EXPECT_EQ(of_another_protocol.status(), 0);
  StatusReader of_noise;
  EXPECT_FALSE(of_noise.read(std::string(10'000, 'x')));
  StatusReader of_hints;
  std::size_t size = 0;
  EXPECT_TRUE(of_hints.read("HTTP/1.1 103 Early Hints\r\n"));
  while (size < 1'000'000 && of_hints.read("Link: <x>\r\n")) size += 11;
  EXPECT_LT(size, 100'000U);
}

struct TheseNames : NameSource {
  explicit TheseNames(net::io_context& context) : io(context) {}
  void ask(const std::string&, std::uint16_t, Answer answer) override {
    net::post(io, [this, answer = std::move(answer)] { answer({}, found); });
  }
  net::io_context& io;
  std::vector<StreamEndpoint> found;
};

class HealthProbes : public testing::Test {
 protected:
  HealthProbes() {
    listen(well);
    net::co_spawn(io, answer_all(well), [](const std::exception_ptr&) {});
    config::EndpointSettings settings;
    settings.host = "app.internal";
    endpoint = std::make_shared<Endpoint>(Endpoint::Place{io, deadlines, names, budget, nullptr, 5s, 60s}, settings);
  }
  static void listen(TcpAcceptor& acceptor, int backlog = 8) {
    acceptor.open(Tcp::v4());
    acceptor.bind({net::ip::address_v4::loopback(), 0});
    acceptor.listen(backlog);
  }
  static Awaitable<void> answer_all(TcpAcceptor& acceptor) {
    while (true) {
      auto [error, socket] = co_await acceptor.async_accept(use_tuple);
      if (error) {
        co_return;
      }
      error_code ignored;
      net::write(socket, net::buffer("HTTP/1.1 200 OK\r\n\r\n", 19), ignored);
      socket.shutdown(Tcp::socket::shutdown_send, ignored);
    }
  }
  std::string ask(std::chrono::milliseconds timeout = 1min) {
    const auto probe = std::make_shared<HealthProbe>(io, endpoint, "/healthz", timeout);
    std::optional<std::string> flaw;
    net::co_spawn(io, run(*probe, flaw), [](const std::exception_ptr& thrown) { EXPECT_FALSE(thrown); });
    while (!flaw && io.run_one_for(20s) > 0) {
    }
    probe->cancel();
    io.poll();
    return flaw.value_or("it does not end");
  }
  static Awaitable<void> run(HealthProbe& probe, std::optional<std::string>& flaw) { flaw = co_await probe.ask(); }

  StreamEndpoint refusing() {
    TcpAcceptor gone(io);
    listen(gone);
    return gone.local_endpoint();
  }

  net::io_context io;
  DeadlineWheel deadlines;
  TheseNames names{io};
  ConnectionBudget budget{10};
  TcpAcceptor well{io};
  std::shared_ptr<Endpoint> endpoint;
};

TEST_F(HealthProbes, TryAllAddressesOfAName) {
  names.found = {refusing(), well.local_endpoint(), refusing()};
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(ask(), "") << i;
  }
}

TEST_F(HealthProbes, SayWhyNoAddressTookThem) {
  names.found = {refusing(), refusing()};
  EXPECT_EQ(ask(), "Connection refused");
}

// One that takes no connection and refuses none, as behind a packet filter.
TEST_F(HealthProbes, LeaveTimeForTheOtherAddresses) {
  TcpAcceptor full(io);
  listen(full, 0);
  Tcp::socket first(io);
  first.connect(full.local_endpoint());
  names.found = {full.local_endpoint(), well.local_endpoint()};
  EXPECT_EQ(ask(4s), "");
}

}  // namespace
}  // namespace keygate::proxy
