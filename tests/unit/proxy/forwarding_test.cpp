#include "proxy/forwarding.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace keygate::proxy {
namespace {

Address address(const std::string& text) { return boost::asio::ip::make_address(text); }

TrustedProxies trust(const std::vector<std::string>& blocks) {
  std::vector<config::Text> texts;
  for (const auto& block : blocks) texts.push_back({block, {}});
  return TrustedProxies(texts);
}

std::string client_of(const std::string& peer, const std::vector<std::string>& lines, const TrustedProxies& trusted) {
  std::vector<policy::HeaderField> headers{{"Host", "a"}};
  for (const auto& line : lines) headers.push_back({"x-Forwarded-FOR", line});
  headers.push_back({"Accept", "9.9.9.9"});
  return client_address(address(peer), headers, trusted).to_string();
}

// --- Whom we trust
// ------------------------------------------------------------------------------------------------------------

TEST(TrustedProxies, H07_AreNobodyByDefault) {
  const TrustedProxies nobody = trust({});
  EXPECT_TRUE(nobody.empty());
  for (const auto* text : {"127.0.0.1", "10.0.0.9", "192.168.1.1", "172.16.0.1", "::1", "fd00::1", "169.254.1.1"}) {
    EXPECT_FALSE(nobody.contains(address(text))) << text;
  }
}

struct Edge {
  const char* block;
  const char* address;
  bool is_within;
};

TEST(TrustedProxies, A11_EndAtTheEdgeOfTheBlock) {
  for (const auto& [block, text, is_within] : std::vector<Edge>{
           {"10.0.0.0/8", "10.0.0.0", true},
           {"10.0.0.0/8", "10.255.255.255", true},
           {"10.0.0.0/8", "9.255.255.255", false},
           {"10.0.0.0/8", "11.0.0.0", false},
           {"10.0.0.0/9", "10.127.255.255", true},
           {"10.0.0.0/9", "10.128.0.0", false},
           {"192.168.1.128/25", "192.168.1.128", true},
           {"192.168.1.128/25", "192.168.1.127", false},
           {"192.168.1.128/25", "192.168.2.128", false},
           {"10.1.2.3/31", "10.1.2.2", true},
           {"10.1.2.3/31", "10.1.2.4", false},
           {"10.1.2.3/32", "10.1.2.3", true},
           {"10.1.2.3/32", "10.1.2.2", false},
           {"10.1.2.3", "10.1.2.3", true},
           {"10.1.2.3", "10.1.2.4", false},
           {"0.0.0.0/0", "255.255.255.255", true},
           {"0.0.0.0/0", "::1", false},
           {"::/0", "2001:db8::1", true},
           {"::/0", "10.0.0.1", false},
           {"2001:db8::/32", "2001:db8:ffff::1", true},
           {"2001:db8::/32", "2001:db9::", false},
           {"2001:db8::/33", "2001:db8:7fff::", true},
           {"2001:db8::/33", "2001:db8:8000::", false},
           {"::1/128", "::1", true},
           {"::1", "::2", false},
           {"2001:db8::1/127", "2001:db8::", true},
       }) {
    EXPECT_EQ(trust({block}).contains(address(text)), is_within) << block << ' ' << text;
  }
}

TEST(TrustedProxies, A11_KnowAMappedAddressByItsOwnForm) {
  EXPECT_TRUE(trust({"10.0.0.0/8"}).contains(address("::ffff:10.1.2.3")));
  EXPECT_FALSE(trust({"10.0.0.0/8"}).contains(address("::ffff:11.1.2.3")));
  EXPECT_FALSE(trust({"::/0"}).contains(address("::ffff:10.1.2.3"))) << "it is a v4 address";
  EXPECT_FALSE(trust({"10.0.0.0/8"}).contains(address("::10.1.2.3"))) << "compatible, not mapped";
}

TEST(TrustedProxies, A11_KnowAMappedBlockByItsOwnForm) {
  EXPECT_TRUE(trust({"::ffff:10.1.2.3"}).contains(address("10.1.2.3")));
  EXPECT_FALSE(trust({"::ffff:10.1.2.3"}).contains(address("10.1.2.4")));
  EXPECT_TRUE(trust({"::ffff:10.0.0.0/104"}).contains(address("10.255.0.1")));
  EXPECT_FALSE(trust({"::ffff:10.0.0.0/104"}).contains(address("11.0.0.1")));
}

// --- Who the client is
// --------------------------------------------------------------------------------------------------------

TEST(ClientAddress, H06_IsThePeerWhereThePeerIsNotTrusted) {
  EXPECT_EQ(client_of("10.0.0.9", {"1.2.3.4"}, trust({})), "10.0.0.9");
  EXPECT_EQ(client_of("203.0.113.9", {"1.2.3.4"}, trust({"10.0.0.0/8"})), "203.0.113.9");
  EXPECT_EQ(client_of("10.0.0.9", {}, trust({"10.0.0.0/8"})), "10.0.0.9");
}

TEST(ClientAddress, H08_IsTheRightmostHopThatIsNotTrusted) {
  const auto trusted = trust({"10.0.0.0/8", "2001:db8::/32"});
  EXPECT_EQ(client_of("10.0.0.1", {"1.1.1.1"}, trusted), "1.1.1.1");
  EXPECT_EQ(client_of("10.0.0.1", {"6.6.6.6, 1.1.1.1"}, trusted), "1.1.1.1") << "the left one is anybody's claim";
  EXPECT_EQ(client_of("10.0.0.1", {"6.6.6.6, 1.1.1.1, 10.0.0.2"}, trusted), "1.1.1.1");
  EXPECT_EQ(client_of("10.0.0.1", {"1.1.1.1,10.0.0.2 ,\t10.0.0.3"}, trusted), "1.1.1.1");
  EXPECT_EQ(client_of("10.0.0.1", {"6.6.6.6", "1.1.1.1", "10.0.0.2"}, trusted), "1.1.1.1") << "lines are one list";
  EXPECT_EQ(client_of("2001:db8::1", {"1.1.1.1, 2001:db8::2"}, trusted), "1.1.1.1");
}

TEST(ClientAddress, A11_IsTheFirstHopWhereAllAreTrusted) {
  EXPECT_EQ(client_of("10.0.0.1", {"10.0.0.4, 10.0.0.3"}, trust({"10.0.0.0/8"})), "10.0.0.4");
}

TEST(ClientAddress, A11_UnmapsThePeerAndTheHops) {
  EXPECT_EQ(client_of("::ffff:203.0.113.9", {}, trust({})), "203.0.113.9");
  EXPECT_EQ(client_of("::ffff:10.0.0.1", {"1.1.1.1"}, trust({"10.0.0.0/8"})), "1.1.1.1");
  EXPECT_EQ(client_of("10.0.0.1", {"1.1.1.1, ::ffff:10.0.0.2"}, trust({"10.0.0.0/8"})), "1.1.1.1");
  EXPECT_EQ(client_of("10.0.0.1", {"::ffff:1.1.1.1"}, trust({"10.0.0.0/8"})), "1.1.1.1");
}

TEST(ClientAddress, TakesAHopWithItsPort) {
  const auto trusted = trust({"10.0.0.0/8"});
  EXPECT_EQ(client_of("10.0.0.1", {"1.1.1.1:8080"}, trusted), "1.1.1.1");
  EXPECT_EQ(client_of("10.0.0.1", {"2001:db8::1"}, trusted), "2001:db8::1");
  EXPECT_EQ(client_of("10.0.0.1", {"[2001:db8::1]"}, trusted), "2001:db8::1");
  EXPECT_EQ(client_of("10.0.0.1", {"[2001:db8::1]:443"}, trusted), "2001:db8::1");
}

TEST(ClientAddress, A11_StopsAtAHopThatIsNoAddress) {
  const auto trusted = trust({"10.0.0.0/8"});
  for (const auto* hop : {"unknown",
                          "_hidden",
                          "garbage",
                          "1.1.1",
                          "1.1.1.1.1",
                          "256.1.1.1",
                          "01.1.1.1",
                          "0x1.1.1.1",
                          "1.1.1.1:",
                          "1.1.1.1:http",
                          "1.1.1.1:123456",
                          "1.1.1.1 2.2.2.2",
                          "[::1",
                          "[::1]x",
                          "[::1]:",
                          "[]",
                          "[",
                          "::1]",
                          "1.1.1.1/8",
                          "\"1.1.1.1\"",
                          ":",
                          ":80",
                          "for=1.1.1.1",
                          ":::1",
                          "::ffff:1.1.1.256"}) {
    EXPECT_EQ(client_of("10.0.0.1", {"6.6.6.6, " + std::string(hop)}, trusted), "10.0.0.1") << hop;
    EXPECT_EQ(client_of("10.0.0.1", {"6.6.6.6, " + std::string(hop) + ", 10.0.0.2"}, trusted), "10.0.0.2") << hop;
  }
  EXPECT_EQ(client_of("10.0.0.1", {"6.6.6.6,, 10.0.0.2"}, trusted), "10.0.0.2");
  EXPECT_EQ(client_of("10.0.0.1", {"6.6.6.6, 1.1.1.1", ""}, trusted), "10.0.0.1") << "a line of which nothing is said";
  EXPECT_EQ(client_of("10.0.0.1", {"6.6.6.6, 1.1.1.1,"}, trusted), "10.0.0.1");
  EXPECT_EQ(client_of("10.0.0.1", {"6.6.6.6," + std::string(5000, 'x')}, trusted), "10.0.0.1");
}

TEST(ClientAddress, H02_ReadsNoOtherSpellingOfTheHeader) {
  const std::vector<policy::HeaderField> headers{{"X_Forwarded_For", "6.6.6.6"},
                                                 {"X-Forwarded-For-2", "6.6.6.6"},
                                                 {"Forwarded", "for=6.6.6.6"},
                                                 {"X-Real-IP", "6.6.6.6"}};
  EXPECT_EQ(client_address(address("10.0.0.1"), headers, trust({"10.0.0.0/8"})), address("10.0.0.1"));
}

std::string named_by(config::DecisionDialect dialect, const std::string& list) {
  const std::vector<policy::HeaderField> headers{{"Host", "a"}, {"X-Forwarded-For", list}};
  return named_client(headers, trust({"127.0.0.1", "10.0.0.0/8"}), dialect).to_string();
}

constexpr auto nobody = "0.0.0.0";

TEST(NamedClient, A11_IsTheFirstWhomNobodyVouchesFor) {
  for (const auto dialect :
       {config::DecisionDialect::nginx, config::DecisionDialect::forwarded, config::DecisionDialect::envoy}) {
    EXPECT_EQ(named_by(dialect, "203.0.113.9"), "203.0.113.9");
    EXPECT_EQ(named_by(dialect, "6.6.6.6, 203.0.113.9, 127.0.0.1"), "203.0.113.9");
    EXPECT_EQ(named_by(dialect, "10.0.0.7, 127.0.0.1"), "10.0.0.7");
    EXPECT_EQ(named_by(dialect, "127.0.0.1, 127.0.0.1"), "127.0.0.1");
    EXPECT_EQ(named_by(dialect, ""), nobody);
    EXPECT_EQ(named_client({}, trust({"127.0.0.1"}), dialect).to_string(), nobody);
    for (const std::string list : {", 127.0.0.1", ",127.0.0.1, 127.0.0.1", " , 10.0.0.7", "203.0.113.9,", ",", " "}) {
      EXPECT_EQ(named_by(dialect, list), nobody) << list;
    }
    EXPECT_EQ(named_by(dialect, ", 203.0.113.9, 127.0.0.1"), "203.0.113.9") << "what stands left of it is not read";
    const std::vector<policy::HeaderField> lines{
        {"X-Forwarded-For", "203.0.113.9"}, {"X-Forwarded-For", ""}, {"X-Forwarded-For", "10.0.0.7, 127.0.0.1"}};
    EXPECT_EQ(named_client(lines, trust({"127.0.0.1", "10.0.0.0/8"}), dialect).to_string(), nobody);
  }
}

TEST(NamedClient, A11_IsNobodyBehindAHopThatIsNoAddress) {
  for (const auto dialect :
       {config::DecisionDialect::nginx, config::DecisionDialect::forwarded, config::DecisionDialect::envoy}) {
    for (const std::string hop : {"unknown", "_hidden", "10.0.0.256", "[::1", "203.0.113.9:x", "10.0.0.1 10.0.0.2"}) {
      EXPECT_EQ(named_by(dialect, hop), nobody) << hop;
      EXPECT_EQ(named_by(dialect, hop + ", 127.0.0.1"), nobody) << hop;
      EXPECT_EQ(named_by(dialect, "203.0.113.9, " + hop + ", 10.0.0.7, 127.0.0.1"), nobody) << hop;
      EXPECT_EQ(named_by(dialect, hop + ", 203.0.113.9"), "203.0.113.9") << hop;
    }
  }
}

TEST(NamedClient, A11_IsNotEnvoyWhichWritesItself) {
  EXPECT_EQ(named_by(config::DecisionDialect::envoy, "127.0.0.1"), nobody);
  EXPECT_EQ(named_by(config::DecisionDialect::envoy, "10.0.0.7"), nobody) << "by whichever of its addresses";
  EXPECT_EQ(named_by(config::DecisionDialect::nginx, "127.0.0.1"), "127.0.0.1") << "a client of its own host";
}

TEST(AskerOf, C08_IsTheAddressOrAnIpv6Clients64) {
  const auto of = [](const char* text) { return asker_of(address(text)); };
  EXPECT_EQ(of("2001:db8::1"), of("2001:db8::ffff:1"));
  EXPECT_NE(of("2001:db8::1"), of("2001:db8:0:1::1"));
  EXPECT_EQ(of("::ffff:192.0.2.1"), of("192.0.2.1"));
  EXPECT_NE(of("192.0.2.1"), of("192.0.2.2"));
}

}  // namespace
}  // namespace keygate::proxy
