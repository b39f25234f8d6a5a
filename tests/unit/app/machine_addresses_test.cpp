#include "app/machine_addresses.hpp"

#include <boost/asio/ip/v6_only.hpp>
#include <gtest/gtest.h>

namespace keygate::app {
namespace {

bool is_ours_at(const std::string& listener, const std::string& place, std::uint16_t port = 80) {
  config::ListenerSettings one;
  one.host = listener;
  one.port = 80;
  return is_ours({one}, {net::ip::make_address(place), port});
}

TEST(MachineAddresses, AreNotOfLoopback) {
  const auto all = machine_addresses();
  ASSERT_TRUE(all);
  for (const net::ip::address& one : *all) EXPECT_FALSE(one.is_loopback()) << one;
}

TEST(MachineAddresses, AreOursWhereAListenerIs) {
  EXPECT_TRUE(is_ours_at("10.0.0.5", "10.0.0.5"));
  EXPECT_FALSE(is_ours_at("10.0.0.5", "10.0.0.6"));
  EXPECT_FALSE(is_ours_at("10.0.0.5", "10.0.0.5", 81));
  EXPECT_TRUE(is_ours_at("fd00:0::2", "fd00::2"));
  config::ListenerSettings socket;
  socket.socket = "/run/keygate.sock";
  EXPECT_FALSE(is_ours({socket}, {net::ip::make_address("10.0.0.5"), 0}));
}

// An application on [::] may stand beside a listener on 0.0.0.0, with the same port.
TEST(MachineAddresses, AreOursOfOneFamilyWhereAListenerIsOnAllOfIt) {
  EXPECT_TRUE(is_ours_at("0.0.0.0", "10.0.0.5"));
  EXPECT_FALSE(is_ours_at("0.0.0.0", "fd00::2"));
  EXPECT_TRUE(is_ours_at("::", "fd00::2"));
}

TEST(MachineAddresses, AreOursOfBothFamiliesWhereSocketsTakeBoth) {
  net::io_context io;
  net::ip::tcp::socket made(io);
  error_code error;
  made.open(net::ip::tcp::v6(), error);
  if (error) GTEST_SKIP() << "no IPv6 here: " << error.message();
  net::ip::v6_only only;
  made.get_option(only);
  EXPECT_EQ(is_ours_at("::", "10.0.0.5"), !only.value());
}

TEST(MachineAddresses, AreOfLoopbackWhereAnUpstreamIs) {
  EXPECT_EQ(loopback_of("localhost").size(), 2U);
  ASSERT_EQ(loopback_of("127.0.0.7").size(), 1U);
  EXPECT_EQ(loopback_of("127.0.0.7").front(), net::ip::make_address("127.0.0.7"));
  EXPECT_EQ(loopback_of("::1").front(), net::ip::make_address("::1"));
  EXPECT_EQ(loopback_of("127.1").front(), net::ip::address_v4::loopback());
}

}  // namespace
}  // namespace keygate::app
