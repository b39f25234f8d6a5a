// Where an endpoint is found, with a source of names that answers when a test says so. No test waits for time to pass.
#include "proxy/endpoint.hpp"

#include <boost/asio/co_spawn.hpp>
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

struct ScriptedNames : NameSource {
  void ask(const std::string& host, std::uint16_t port, Answer answer) override {
    EXPECT_EQ(host, "app.internal");
    EXPECT_EQ(port, 80);
    asked.push_back(std::move(answer));
  }
  void answer(const std::vector<StreamEndpoint>& found, error_code error = {}) {
    ASSERT_FALSE(asked.empty());
    const Answer told = std::exchange(asked, {}).back();
    told(error, found);
  }
  std::vector<Answer> asked;
};

class EndpointNames : public testing::Test {
 protected:
  EndpointNames() {
    listening.open(Tcp::v4());
    listening.bind({net::ip::address_v4::loopback(), 0});
    listening.listen();
  }

  struct Attempt {
    std::unique_ptr<UpstreamConnection> connection;
    std::optional<error_code> outcome;
  };
  std::unique_ptr<Attempt> connect() {
    auto attempt = std::make_unique<Attempt>();
    attempt->connection = std::make_unique<UpstreamConnection>(io, *endpoint);
    net::co_spawn(io, run(*endpoint, *attempt), [](const std::exception_ptr& thrown) { EXPECT_FALSE(thrown); });
    io.restart();
    io.poll();
    return attempt;
  }
  static Awaitable<void> run(Endpoint& endpoint, Attempt& attempt) {
    attempt.outcome = co_await endpoint.connect(*attempt.connection);
  }
  void run_until_settled(const Attempt& attempt) {
    io.restart();
    while (!attempt.outcome && io.run_one_for(10s) > 0) {
    }
  }
  StreamEndpoint here() const { return listening.local_endpoint(); }

  static config::EndpointSettings named() {
    config::EndpointSettings settings;
    settings.host = "app.internal";
    return settings;
  }

  net::io_context io;
  DeadlineWheel deadlines;
  ScriptedNames names;
  ConnectionBudget budget{10};
  TcpAcceptor listening{io};
  std::shared_ptr<Endpoint> endpoint =
      std::make_shared<Endpoint>(Endpoint::Place{io, deadlines, names, budget, nullptr, 5s, 60s}, named());
};

TEST_F(EndpointNames, F40_TheFirstRequestWaitsForTheName) {
  const auto attempt = connect();
  EXPECT_FALSE(attempt->outcome);
  names.answer({here()});
  run_until_settled(*attempt);
  EXPECT_EQ(attempt->outcome, error_code{});
}

TEST_F(EndpointNames, F40_ThoseThatWaitTogetherAskOnce) {
  const auto one = connect();
  const auto other = connect();
  EXPECT_EQ(names.asked.size(), 1U);
  names.answer({here()});
  run_until_settled(*one);
  run_until_settled(*other);
  EXPECT_EQ(other->outcome, error_code{});
}

TEST_F(EndpointNames, F40_AFailureIsSaidAndTheNextRequestAsksAgain) {
  const auto one = connect();
  names.answer({}, net::error::host_not_found);
  run_until_settled(*one);
  EXPECT_EQ(one->outcome, error_code(net::error::host_not_found));
  const auto other = connect();
  names.answer({here()});
  run_until_settled(*other);
  EXPECT_EQ(other->outcome, error_code{});
}

TEST_F(EndpointNames, F40_WhoLeavesWaitsForNoName) {
  const auto one = connect();
  one->connection->cancel();
  run_until_settled(*one);
  EXPECT_EQ(one->outcome, error_code(net::error::operation_aborted));
  EXPECT_FALSE(endpoint->ejection.has_failed()) << "that says nothing of the endpoint";
}

TEST_F(EndpointNames, F40_KnownAddressesServeWhileTheNameIsAskedAndWhereThatFails) {
  const auto one = connect();
  names.answer({here()});
  run_until_settled(*one);
  endpoint->refresh(SteadyClock::now() + 31s);
  EXPECT_EQ(names.asked.size(), 1U);
  const auto meanwhile = connect();
  run_until_settled(*meanwhile);
  EXPECT_EQ(meanwhile->outcome, error_code{}) << "it waited for an answer that it did not need";
  names.answer({}, net::error::host_not_found_try_again);
  const auto after = connect();
  run_until_settled(*after);
  EXPECT_EQ(after->outcome, error_code{});
}

TEST_F(EndpointNames, F40_ARemovedAddressLosesItsConnections) {
  const auto one = connect();
  names.answer({here()});
  run_until_settled(*one);
  const auto other = connect();
  run_until_settled(*other);
  ASSERT_EQ(other->outcome, error_code{});
  endpoint->give_back(std::move(one->connection));
  ASSERT_TRUE(endpoint->has_idle());
  endpoint->refresh(SteadyClock::now() + 31s);
  names.answer({Tcp::endpoint(net::ip::make_address("127.0.0.9"), 80)});
  EXPECT_FALSE(endpoint->has_idle()) << "the idle one has gone";
  endpoint->give_back(std::move(other->connection));
  EXPECT_FALSE(endpoint->has_idle()) << "one that was in use is not kept either";
}

TEST_F(EndpointNames, F40_AnAddressThatRefusesIsSteppedOver) {
  const auto one = connect();
  TcpAcceptor gone(io);
  gone.open(Tcp::v4());
  gone.bind({net::ip::address_v4::loopback(), 0});
  const StreamEndpoint refusing = gone.local_endpoint();
  gone.close();
  names.answer({refusing, here()});
  run_until_settled(*one);
  EXPECT_EQ(one->outcome, error_code{});
  EXPECT_EQ(one->connection->address, here());
}

TEST_F(EndpointNames, F40_AnAnswerAfterTheEndpointHasGoneIsNobodys) {
  const auto one = connect();
  one->connection->cancel();
  run_until_settled(*one);
  one->connection.reset();
  endpoint.reset();
  names.answer({here()});
}

}  // namespace
}  // namespace keygate::proxy
