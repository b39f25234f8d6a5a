// A listener that decides is made one that forwards, and back, while connections to it are open.
#include "tests/scenario/decisions.hpp"
#include "tests/support/parked.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <signal.h>
#include <sstream>

namespace keygate::test {
namespace {

const std::string forwards;
const std::string by_nginx = ", mode: authorize, authorize: {dialect: nginx}";
const std::string by_envoy = ", mode: authorize, authorize: {dialect: envoy}";

class DecisionReload : public DecisionService {
 protected:
  void start_with(const std::string& mode) {
    port = free_port();
    start({.more = "trusted_proxies: [127.0.0.1]\nlisteners:\n" + listener(mode)});
  }
  std::string keygate_config() const {
    std::ostringstream text;
    text << std::ifstream(keygate.config_file()).rdbuf();
    return text.str();
  }
  // Waits until who connects from then on is met so: `status` is that of `request`.
  void reload_with(const std::string& before, const std::string& after, const std::string& request, int status) {
    std::string config = keygate_config();
    config.replace(config.find(listener(before)), listener(before).size(), listener(after));
    keygate.directory().write("keygate.yaml", config);
    keygate.signal(SIGHUP);
    ASSERT_TRUE(eventually([&] { return test::ask(port, request).status == status; })) << keygate.errors();
  }
  // In place of one that forwards.
  void move_to(const std::string& other) {
    std::string config = keygate_config();
    config.replace(config.find(listener(forwards)), listener(forwards).size(), other);
    keygate.directory().write("keygate.yaml", config);
    keygate.signal(SIGHUP);
    ASSERT_TRUE(eventually([&] { return !try_connect(port); })) << keygate.errors();
  }
  std::string listener(const std::string& mode) const {
    return "  - {address: \"127.0.0.1:" + std::to_string(port) + "\"" + mode + "}\n";
  }
};

TEST_F(DecisionReload, P21_EndsConnectionsToAListenerThatForwarded) {
  start_with(forwards);
  const std::string asks = request_to("/public/x", named("GET", "/admin/x"));
  RawClient idle(port);
  EXPECT_EQ(idle.ask(asks).status, 200) << "by the upstream";
  reload_with(forwards, by_nginx, asks, 401);
  EXPECT_TRUE(idle.is_ended()) << "or whoever asks on it would go on being told 200";
}

TEST_F(DecisionReload, P21_EndsParkedConnections) {
  start_with(forwards);
  const std::string asks = request_to("/public/x", named("GET", "/admin/x"));
  RawClient idle(port);
  EXPECT_EQ(idle.ask(asks).status, 200);
  EXPECT_TRUE(are_parked(keygate.pid(), 1));
  reload_with(forwards, by_nginx, asks, 401);
  EXPECT_TRUE(idle.is_ended());
}

TEST_F(DecisionReload, P21_EndsConnectionsOfAnotherDialect) {
  start_with(by_envoy);
  RawClient idle(port);
  EXPECT_EQ(idle.ask(request_to("/public/x")).status, 200);
  reload_with(by_envoy, by_nginx, request_to("/public/x"), 400);
  EXPECT_TRUE(idle.is_ended());
}

TEST_F(DecisionReload, EndsConnectionsToAListenerThatDecided) {
  start_with(by_nginx);
  const std::string asks = request_to("/public/x", named("GET", "/public/x"));
  RawClient idle(port);
  EXPECT_EQ(idle.ask(asks).status, 200);
  EXPECT_EQ(upstream.bytes(), "");
  reload_with(by_nginx, forwards, request_to("/public/x"), 200);
  EXPECT_TRUE(idle.is_ended());
}

TEST_F(DecisionReload, P21_RefusesWhatHadBegunToComeByTheOtherDoor) {
  start_with(forwards);
  RawClient slow(port);
  const std::string request = request_to("/public/x");
  slow.send(request.substr(0, 30));
  EXPECT_EQ(test::ask(port, request).status, 200);  // so these have been read: the one worker takes turns
  reload_with(forwards, by_nginx, request, 400);
  slow.send(request.substr(30));
  EXPECT_EQ(slow.read_response().status, 503);
  EXPECT_TRUE(slow.is_ended());
}

// What asks on one would be told what it was told before, whatever listens at the next address.
TEST_F(DecisionReload, P21_EndsConnectionsToAListenerThatIsGone) {
  start_with(forwards);
  const std::string asks = request_to("/public/x", named("GET", "/admin/x"));
  RawClient idle(port), slow(port);
  EXPECT_EQ(idle.ask(asks).status, 200) << "by the upstream";
  slow.send(asks.substr(0, 30));
  EXPECT_EQ(test::ask(port, asks).status, 200);  // so these have been read
  move_to("  - {address: \"127.0.0.1:" + std::to_string(free_port()) + "\"" + by_nginx + "}\n");
  EXPECT_TRUE(idle.is_ended());
  slow.send(asks.substr(30));
  EXPECT_EQ(slow.read_response().status, 200) << "it had begun to ask before";
  EXPECT_TRUE(slow.is_ended());
}

TEST_F(DecisionReload, P21_EndsParkedConnectionsToAListenerThatIsGone) {
  start_with(forwards);
  RawClient silent(port);
  EXPECT_EQ(silent.ask(request_to("/public/x")).status, 200);
  ASSERT_TRUE(are_parked(keygate.pid(), 1));
  move_to("  - {address: \"127.0.0.1:" + std::to_string(free_port()) + "\"" + by_nginx + "}\n");
  EXPECT_TRUE(silent.is_ended());
}

TEST_F(DecisionReload, LeavesConnectionsAloneWhereTheListenerIsAsItWas) {
  start_with(by_nginx);
  RawClient idle(port);
  EXPECT_EQ(idle.ask(request_to("/ask", named("GET", "/public/x"))).status, 200);
  keygate.rewrite_policy(std::string(standard_policy) +
                         "  - name: more\n    match: {path: /now}\n    anonymous: true\n");
  keygate.signal(SIGHUP);
  ASSERT_TRUE(eventually([&] { return ask(request_to("/now")).status == 200; })) << keygate.errors();
  EXPECT_EQ(idle.ask(request_to("/ask", named("GET", "/now"))).status, 200);
}

}  // namespace
}  // namespace keygate::test
