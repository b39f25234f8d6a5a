// 127.0.0.2 stands for the address of this machine that others reach.
#include "app/bypass_check.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <gtest/gtest.h>

#include <optional>

namespace keygate::app {
namespace {

using Tcp = net::ip::tcp;

const net::ip::address other_address = net::ip::make_address("127.0.0.2");

// Something that takes connections there, at `port` or any free one.
class Application {
 public:
  Application(net::io_context& io, const net::ip::address& address, std::uint16_t port = 0)
      : acceptor_(io, Tcp::endpoint(address, port)) {
    accept();
  }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  std::size_t connections() const { return connections_; }

 private:
  void accept() {
    acceptor_.async_accept([this](error_code error, const Tcp::socket&) {
      if (error) return;
      ++connections_;
      accept();
    });
  }
  Tcp::acceptor acceptor_;
  std::size_t connections_ = 0;
};

class Bypass : public testing::Test {
 protected:
  void add_upstream(const std::string& name, const std::string& host, std::uint16_t port) {
    config::EndpointSettings endpoint;
    endpoint.host = host;
    endpoint.port = port;
    settings.upstreams.emplace_back();
    settings.upstreams.back().name = name;
    settings.upstreams.back().endpoints.push_back(endpoint);
  }
  void listen_at(const std::string& host, std::uint16_t port) {
    settings.listeners.emplace_back();
    settings.listeners.back().host = host;
    settings.listeners.back().port = port;
  }
  // What has been found out once it has been looked `times` times.
  const std::vector<BypassCheck::Finding>& look(std::size_t times = 1) {
    for (looked_ = 0; looked_ < times || check.findings().empty();) {
      if (io.run_one_for(std::chrono::seconds(10)) == 0) break;
    }
    io.poll();
    return check.findings();
  }

  net::io_context io{1};
  config::Settings settings;
  std::size_t looked_ = 0;
  std::vector<net::ip::address> addresses{other_address};
  BypassCheck check{io,
                    [this] {
                      ++looked_;
                      return addresses;
                    },
                    std::chrono::milliseconds(1)};
};

TEST_F(Bypass, IsFoundWhereTheApplicationAnswersOnAnotherAddress) {
  const Application everywhere(io, other_address);
  add_upstream("app", "127.0.0.1", everywhere.port());
  check.apply(settings);
  EXPECT_FALSE(check.is_exposed()) << "nothing is known yet";
  const auto& findings = look();
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].upstream, "app");
  EXPECT_EQ(findings[0].place, "127.0.0.2:" + std::to_string(everywhere.port()));
  EXPECT_TRUE(check.is_exposed());
}

TEST_F(Bypass, IsNoneWhereTheApplicationIsOnLoopbackAlone) {
  const Application app(io, net::ip::address_v4::loopback());
  add_upstream("app", "localhost", app.port());
  check.apply(settings);
  const auto& findings = look();
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].place, "");
  EXPECT_FALSE(check.is_exposed());
  EXPECT_EQ(app.connections(), 0U);
}

TEST_F(Bypass, IsNoneWhereKeygateItselfListens) {
  const Application keygate(io, other_address);
  add_upstream("app", "127.0.0.1", keygate.port());
  listen_at("127.0.0.2", keygate.port());
  check.apply(settings);
  ASSERT_EQ(look().size(), 1U);
  EXPECT_FALSE(check.is_exposed());
  EXPECT_EQ(keygate.connections(), 0U) << "it is not asked at all";
  settings.listeners.back().host = "0.0.0.0";
  check.apply(settings);
  look();
  EXPECT_FALSE(check.is_exposed());
  settings.listeners.back().host = "127.0.0.3";
  check.apply(settings);
  look();
  EXPECT_TRUE(check.is_exposed()) << "that is another one";
}

TEST_F(Bypass, IsOfUpstreamsOnLoopbackAlone) {
  const Application app(io, other_address);
  add_upstream("elsewhere", "10.0.0.9", app.port());
  add_upstream("by-name", "app.internal", app.port());
  add_upstream("socket", "", 0);
  settings.upstreams.back().endpoints.back().socket = "/run/app.sock";
  check.apply(settings);
  io.poll();
  EXPECT_TRUE(check.findings().empty());
  EXPECT_EQ(looked_, 0U);
}

TEST_F(Bypass, IsOneOfTheUpstreamWhicheverOfItsEndpointsItIs) {
  const Application app(io, other_address);
  add_upstream("app", "127.0.0.1", 1);
  add_upstream("pool", "127.0.0.1", 1);
  settings.upstreams.back().endpoints.push_back(settings.upstreams.back().endpoints.front());
  settings.upstreams.back().endpoints.back().port = app.port();
  check.apply(settings);
  const auto& findings = look();
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].place, "");
  EXPECT_EQ(findings[1].upstream, "pool");
  EXPECT_NE(findings[1].place, "");
}

TEST_F(Bypass, IsLookedForAgain) {
  std::optional<Application> app(std::in_place, io, other_address);
  add_upstream("app", "127.0.0.1", app->port());
  check.apply(settings);
  look();
  ASSERT_TRUE(check.is_exposed());
  app.reset();
  look();
  EXPECT_FALSE(check.is_exposed());
}

TEST_F(Bypass, IsIgnoredWhereThatIsAsked) {
  const Application app(io, other_address);
  add_upstream("app", "127.0.0.1", app.port());
  check.apply(settings);
  look();
  ASSERT_TRUE(check.is_exposed());
  settings.bypass = config::BypassAnswer::ignore;
  check.apply(settings);
  EXPECT_FALSE(check.is_exposed()) << "at once";
  looked_ = 0;
  io.poll();
  EXPECT_EQ(looked_, 0U);
  EXPECT_TRUE(check.findings().empty());
}

// Else a reload would make a pod ready for a moment.
TEST_F(Bypass, StaysKnownOverAReload) {
  const Application app(io, other_address);
  add_upstream("app", "127.0.0.1", app.port());
  check.apply(settings);
  look();
  check.apply(settings);
  EXPECT_TRUE(check.is_exposed());
}

TEST_F(Bypass, IsLookedForAtAFewAddressesAlone) {
  const Application app(io, other_address);
  addresses.assign(BypassCheck::max_addresses, net::ip::make_address("127.0.0.3"));
  addresses.push_back(other_address);
  add_upstream("app", "127.0.0.1", app.port());
  check.apply(settings);
  ASSERT_EQ(look().size(), 1U);
  EXPECT_FALSE(check.is_exposed());
}

TEST(MachineAddresses, AreNotOfLoopback) {
  for (const net::ip::address& one : machine_addresses()) EXPECT_FALSE(one.is_loopback()) << one;
}

}  // namespace
}  // namespace keygate::app
