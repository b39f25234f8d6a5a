// What is found.
#include "tests/unit/app/bypass_fixture.hpp"

namespace keygate::app {
namespace {

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
  EXPECT_EQ(app.connections(), 0U) << "where readiness does not wait for it";
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

TEST_F(Bypass, IsLookedForAtAFewAddressesAlone) {
  const Application app(io, other_address);
  addresses->assign(BypassCheck::max_addresses, net::ip::make_address("127.0.0.3"));
  addresses->push_back(other_address);
  add_upstream("app", "127.0.0.1", app.port());
  check.apply(settings);
  testing::internal::CaptureStderr();
  const std::size_t found = look(2).size();
  const std::string told = testing::internal::GetCapturedStderr();
  EXPECT_EQ(found, 1U);
  EXPECT_FALSE(check.is_exposed());
  EXPECT_EQ(count(told, "at the first 32 of this machine's 33 addresses alone"), 1U) << told;
}

TEST_F(Bypass, IsLookedForOnAFewPortsAlone) {
  const Application app(io, other_address);
  for (std::uint16_t port = 1; port <= BypassCheck::max_ports; ++port) {
    add_upstream("app-" + std::to_string(port), "127.0.0.1", port);
  }
  add_upstream("again", "127.0.0.1", 1);
  add_upstream("beyond", "127.0.0.1", app.port());
  add_upstream("beyond-too", "127.0.0.1", app.port());
  testing::internal::CaptureStderr();
  check.apply(settings);
  const std::string told = testing::internal::GetCapturedStderr();
  EXPECT_EQ(count(told, "first 32 ports alone, without " + std::to_string(app.port()) + " of beyond"), 1U) << told;
  EXPECT_EQ(look().size(), BypassCheck::max_ports + 1);
}

}  // namespace
}  // namespace keygate::app
