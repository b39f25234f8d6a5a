#include "proxy/judging.hpp"

#include "tests/unit/proxy/forwarder.hpp"

#include <gtest/gtest.h>

namespace keygate::proxy {
namespace {

using testing::HeadText;

// A cookie may hold a session here.
config::Settings with_sessions() {
  config::Settings settings = testing::plain_settings();
  settings.credentials.sources.push_back({config::CredentialSource::Kind::cookie, "session"});
  settings.credentials.formats.push_back({"kg_", config::Environment::none, 0, false, {}});
  settings.resolution.store.reset();
  settings.resolution.service.emplace().session_url.emplace();
  return settings;
}

class CrossSite : public ::testing::Test {
 protected:
  bool is_cross_site(const std::string& method, const std::string& fields, bool is_secure = false) {
    const HeadText text(method + " / HTTP/1.1\r\nHost: app.example\r\nCookie: session=abc\r\n" + fields + "\r\n",
                        snapshot->reserved);
    auto parsed = policy::RequestTarget::parse(text.head().target);
    const auto& target = std::get<policy::RequestTarget>(parsed);
    const policy::Route* const route =
        snapshot->policy->table.match({"", text.head().method, &target, text.head().headers()});
    keys::Hasher hash;
    const Approach found = approach(*snapshot, route, text.head(), target, hash, is_secure);
    EXPECT_EQ(found.caller.kind, policy::CredentialKind::session);
    return found.caller.is_cross_site;
  }

  std::shared_ptr<const Snapshot> snapshot = testing::snapshot_of(with_sessions());
};

TEST_F(CrossSite, IsATunnelThatAnotherSiteOpens) {
  const std::string handshake =
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
      "Sec-WebSocket-Version: 13\r\n";
  EXPECT_TRUE(is_cross_site("GET", handshake));
  EXPECT_TRUE(is_cross_site("GET", handshake + "Origin: https://evil.example\r\n"));
  EXPECT_FALSE(is_cross_site("GET", handshake + "Origin: https://app.example\r\n"));
  EXPECT_FALSE(is_cross_site("GET", handshake + "Sec-Fetch-Site: same-origin\r\n"));
  EXPECT_TRUE(is_cross_site("GET", handshake + "Sec-Fetch-Site: same-site\r\n"));
}

TEST_F(CrossSite, IsWhatChangesSomethingAndDoesNotComeFromTheSameOrigin) {
  EXPECT_TRUE(is_cross_site("POST", "")) << "who does not say is not believed";
  EXPECT_FALSE(is_cross_site("GET", ""));
  EXPECT_FALSE(is_cross_site("HEAD", ""));
  EXPECT_FALSE(is_cross_site("POST", "Origin: https://app.example\r\n"));
  EXPECT_TRUE(is_cross_site("POST", "Origin: https://evil.example\r\n"));
  EXPECT_TRUE(is_cross_site("DELETE", "Origin: https://app.example.evil\r\n"));
  EXPECT_TRUE(is_cross_site("POST", "Origin: null\r\n"));
  EXPECT_TRUE(is_cross_site("POST", "Origin: https://app.example:8443\r\n"));
}

TEST_F(CrossSite, IsNoSiteThatMayAskWithCredentials) {
  const auto asks = [&](bool credentials, const std::vector<std::string>& origins, const std::string& fields) {
    config::Settings settings = with_sessions();
    settings.policy.routes = {policy::testing::keyed("all", "/{rest...}").cors(origins, credentials)};
    snapshot = testing::snapshot_of(settings);
    return is_cross_site("POST", fields);
  };
  const std::vector<std::string> origins{"https://web.example"};
  EXPECT_FALSE(asks(true, origins, "Origin: https://web.example\r\n"));
  EXPECT_FALSE(asks(true, origins, "Origin: https://web.example\r\nSec-Fetch-Site: cross-site\r\n"));
  EXPECT_FALSE(asks(true, origins, "Origin: https://app.example\r\n")) << "its own origin, as ever";
  EXPECT_TRUE(asks(true, origins, "Origin: https://evil.example\r\n"));
  EXPECT_TRUE(asks(true, origins, "Origin: https://web.example.evil\r\n"));
  EXPECT_TRUE(asks(true, origins, "Origin: http://web.example\r\n"));
  EXPECT_TRUE(asks(true, origins, "Origin: https://web.example\r\nOrigin: https://web.example\r\n"));
  EXPECT_TRUE(asks(true, origins, "Sec-Fetch-Site: cross-site\r\n")) << "nobody says from where";
  EXPECT_TRUE(asks(false, origins, "Origin: https://web.example\r\n")) << "it may read, and not act for anybody";
  EXPECT_TRUE(asks(false, {"*"}, "Origin: https://web.example\r\n"));
  // A form is sent without a preflight: what cors would not allow is not let pass.
  config::Settings settings = with_sessions();
  config::RouteDocument route = policy::testing::keyed("all", "/{rest...}").cors(origins, true);
  route.cors->methods = policy::testing::texts({"GET"}, 20);
  settings.policy.routes = {route};
  snapshot = testing::snapshot_of(settings);
  EXPECT_TRUE(is_cross_site("POST", "Origin: https://web.example\r\n"));
}

TEST_F(CrossSite, OverTlsAPageThatCameWithoutIsAnother) {
  EXPECT_TRUE(is_cross_site("POST", "Origin: http://app.example\r\n", true));
  EXPECT_FALSE(is_cross_site("POST", "Origin: https://app.example\r\n", true));
  // Without TLS here, a proxy before us may have ended it: both may be the page's own.
  EXPECT_FALSE(is_cross_site("POST", "Origin: http://app.example\r\n"));
  EXPECT_FALSE(is_cross_site("POST", "Origin: https://app.example\r\n"));
}

TEST_F(CrossSite, WhatTheBrowserSaysCountsOverOrigin) {
  EXPECT_FALSE(is_cross_site("POST", "Sec-Fetch-Site: same-origin\r\n"));
  for (const char* const site : {"cross-site", "same-site", "none", "Same-Origin", ""}) {
    EXPECT_TRUE(is_cross_site("POST", "Sec-Fetch-Site: " + std::string(site) + "\r\n")) << site;
    // A page of plain HTTP, say, of the same name.
    EXPECT_TRUE(is_cross_site("POST", "Origin: http://app.example\r\nSec-Fetch-Site: " + std::string(site) + "\r\n"))
        << site;
  }
}

TEST_F(CrossSite, WhatIsSaidTwiceIsSaidByNobodyKnowsWhom) {
  EXPECT_TRUE(is_cross_site("POST", "Origin: https://app.example\r\nOrigin: https://app.example\r\n"));
  EXPECT_TRUE(is_cross_site("POST", "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site\r\n"));
}

}  // namespace
}  // namespace keygate::proxy
