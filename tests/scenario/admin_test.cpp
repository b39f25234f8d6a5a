// The admin listener of a real process, and the verbs that ask it.
#include "tests/support/curl.hpp"
#include "tests/support/scenario.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <vector>

namespace keygate::test {
namespace {

namespace json = boost::json;

const std::string token = "admin-token-of-more-than-32-characters";

class Admin : public Scenario {
 protected:
  // On a unix socket, without a token.
  void start_on_socket() {
    Config config;
    config.more = "admin: {address: \"unix:admin.sock\"}\n";
    config.threads = 2;
    start(config);
    socket = keygate.directory() / "admin.sock";
  }

  // On a port, with a token file or without.
  void start_on_port(bool has_token) {
    port = listen_on_loopback_once();
    Config config;
    config.more = "admin: {address: \"127.0.0.1:" + std::to_string(port) + "\"" +
                  (has_token ? ", token_file: \"" + token_file() + "\"" : "") + "}\n";
    start(config);
  }

  static std::uint16_t listen_on_loopback_once() {
    const Listening other = listen_on_loopback(0);
    return other.port;
  }

  // Apart from the configuration's folder, which is not there yet.
  std::string token_file() { return tokens.write("token", token + "\n"); }

  CurlResult call(const std::string& path, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{"--unix-socket", socket, "http://localhost" + path};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return curl(arguments);
  }
  json::object object(const std::string& path) const {
    const CurlResult result = call(path);
    EXPECT_EQ(result.status, 200) << result.body << result.errors;
    return json::parse(result.body).as_object();
  }
  // An exchange is counted when its end has been noticed, which may be after the client has its answer.
  bool has_counted(int requests) const {
    return eventually([&] { return object("/api/status").at("requests").to_number<int>() >= requests; });
  }
  int status_over_port(const std::string& head, const std::string& body = "") const {
    return test::ask(port, head +
                               (body.empty() ? ""
                                             : "Content-Type: application/json\r\nContent-Length: " +
                                                   std::to_string(body.size()) + "\r\n") +
                               "\r\n" + body)
        .status;
  }
  Finished keygate_says(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), keygate_binary());
    return run({arguments, {}, "", ""});
  }

  TempDir tokens;
  std::string socket;
  std::uint16_t port = 0;
};

TEST_F(Admin, ShowsStateRoutesDependenciesAndConfiguration) {
  start_on_socket();
  expect_granted(request_to("/v1/x", k1.bearer()));
  expect_denied(request_to("/v1/x"), {401, "missing_credential"});
  ASSERT_TRUE(has_counted(2));
  const json::object status = object("/api/status");
  EXPECT_EQ(status.at("requests").to_number<int>(), 2);
  EXPECT_EQ(status.at("denials").to_number<int>(), 1);
  EXPECT_EQ(status.at("generation").to_number<int>(), 1);
  EXPECT_FALSE(status.at("draining").as_bool());
  const json::array routes = object("/api/routes").at("routes").as_array();
  ASSERT_EQ(routes.size(), 3U);
  EXPECT_EQ(routes[0].at("route").as_string(), "v1");
  EXPECT_EQ(routes[0].at("hits").to_number<int>(), 2);
  EXPECT_EQ(routes[0].at("scopes").as_string(), "v1:read");
  expect_denied(request_to("/nowhere"), {403, "no_route"});
  ASSERT_TRUE(has_counted(3));
  const json::array with_none = object("/api/routes").at("routes").as_array();
  ASSERT_EQ(with_none.size(), 4U);
  EXPECT_EQ(with_none[1].at("route").as_string(), "(none)");
  EXPECT_EQ(object("/api/dependencies").at("upstreams").as_array().size(), 1U);
  EXPECT_EQ(object("/api/config").at("resolution").at("staleness_bound").as_string(), "1m");
}

TEST_F(Admin, ShowsTheLastDecisionsAndNoKey) {
  start_on_socket();
  for (int i = 0; i < 150; ++i) expect_granted(request_to("/v1/" + std::to_string(i), k1.bearer()));
  expect_denied(request_to("/v1/last?secret=word", kr.bearer()), {401, "revoked_key"});
  ASSERT_TRUE(has_counted(151));
  const json::array all = object("/api/decisions").at("decisions").as_array();
  EXPECT_EQ(all.size(), 100U);
  // Which of two workers' came first within a millisecond, nobody knows.
  EXPECT_TRUE(std::any_of(all.begin(), all.end(),
                          [](const json::value& decision) { return decision.at("path").as_string() == "/v1/last"; }));
  const json::array denied = object("/api/decisions?denied=1").at("decisions").as_array();
  ASSERT_EQ(denied.size(), 1U);
  EXPECT_EQ(denied[0].at("code").as_string(), "revoked_key");
  EXPECT_EQ(call("/api/decisions?color=red").status, 400);
  EXPECT_EQ(call("/api/events?color=red").status, 400);
  const std::string text = call("/api/decisions").body;
  EXPECT_FALSE(keygate.is_key_in(text));
  EXPECT_EQ(text.find("secret=word"), std::string::npos);
}

TEST_F(Admin, ExplainsByThePolicyInForce) {
  start_on_socket();
  const auto explained = [&](const std::string& question) {
    return call("/api/explain", {"-H", "Content-Type: application/json", "-d", question});
  };
  const auto granted = json::parse(explained(R"({"method":"GET","url":"/v1/x","scopes":["v1:read"]})").body);
  EXPECT_EQ(granted.at("decision").as_string(), "granted");
  const auto denied = json::parse(explained(R"({"method":"GET","url":"/admin/x","scopes":["v1:read"]})").body);
  EXPECT_EQ(denied.at("code").as_string(), "insufficient_scope");
  const auto anonymous = json::parse(explained(R"({"method":"GET","url":"/v1/x"})").body);
  EXPECT_EQ(anonymous.at("code").as_string(), "missing_credential");
  for (const char* const question :
       {"", "[]", "{}", R"({"method":"GET","url":"/","scope":"x"})", R"({"method":1,"url":"/"})",
        R"({"method":"GET","url":"/v1/x","headers":["a\r\nb"]})"}) {
    EXPECT_EQ(explained(question).status, 400) << question;
  }
}

TEST_F(Admin, SocketIsForItsOwnUserAlone) {
  start_on_socket();
  struct stat facts {};
  ASSERT_EQ(::stat(socket.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
}

TEST_F(Admin, RefusesOtherNamesAndOtherSites) {
  start_on_port(true);
  const std::string own = "Host: 127.0.0.1:" + std::to_string(port) + "\r\n";
  EXPECT_EQ(status_over_port("GET /api/status HTTP/1.1\r\n" + own), 200);
  EXPECT_EQ(status_over_port("GET /api/status HTTP/1.1\r\nHost: rebound.example\r\n"), 421);
  EXPECT_EQ(status_over_port("GET / HTTP/1.1\r\nHost: rebound.example\r\n"), 421);
  EXPECT_EQ(status_over_port("GET /api/events HTTP/1.1\r\nHost: rebound.example\r\n"), 421);
  EXPECT_EQ(status_over_port("GET /api/status HTTP/1.1\r\n" + own + "Origin: http://evil.example\r\n"), 403);
  EXPECT_EQ(status_over_port("GET /api/status HTTP/1.1\r\n" + own + "Sec-Fetch-Site: cross-site\r\n"), 403);
  EXPECT_EQ(status_over_port("DELETE /api/status HTTP/1.1\r\n" + own), 405);
  EXPECT_EQ(status_over_port("GET /v1/x HTTP/1.1\r\n" + own + k1.bearer()), 404);
}

TEST_F(Admin, ChangesNothingWithoutTheToken) {
  start_on_port(true);
  const std::string own = "Host: localhost\r\n";
  for (const char* const path : {"/api/reload", "/api/drain", "/api/cache/invalidate"}) {
    const std::string head = "POST " + std::string(path) + " HTTP/1.1\r\n" + own;
    EXPECT_EQ(status_over_port(head), 401) << path;
    EXPECT_EQ(status_over_port(head + "Authorization: Bearer wrong\r\n"), 401) << path;
  }
  EXPECT_EQ(keygate.readiness(), 200);
  const std::string known = own + "Authorization: Bearer " + token + "\r\n";
  EXPECT_EQ(status_over_port("POST /api/reload HTTP/1.1\r\n" + known), 200);
  EXPECT_NE(keygate.errors().find(R"("level":"audit","message":"admin: POST /api/reload")"), std::string::npos);
  EXPECT_EQ(status_over_port("POST /api/cache/invalidate HTTP/1.1\r\n" + known, R"({"all":true})"), 200);
  EXPECT_EQ(status_over_port("POST /api/cache/invalidate HTTP/1.1\r\n" + known, R"({"digest":"12"})"), 400);
  EXPECT_EQ(keygate.errors().find(token), std::string::npos);
}

TEST_F(Admin, OnAPortWithoutATokenIsForLookingAlone) {
  start_on_port(false);
  EXPECT_EQ(status_over_port("GET /api/status HTTP/1.1\r\nHost: localhost\r\n"), 200);
  EXPECT_EQ(status_over_port("POST /api/reload HTTP/1.1\r\nHost: localhost\r\n"), 403);
  EXPECT_NE(keygate.errors().find("nobody may change anything"), std::string::npos) << keygate.errors();
}

TEST_F(Admin, IsNotOnTheDataListener) {
  start_on_socket();
  expect_denied(request_to("/api/status", k1.bearer()), {403, "no_route"});
}

TEST_F(Admin, ForgetsWhatIsInMemory) {
  start_on_socket();
  expect_granted(request_to("/v1/x", k1.bearer()));
  EXPECT_GE(object("/api/status").at("memory_cache").at("keys").to_number<int>(), 1);
  EXPECT_EQ(call("/api/cache/invalidate", {"-H", "Content-Type: application/json", "-d", R"({"all":true})"}).status,
            200);
  EXPECT_TRUE(eventually([&] { return object("/api/status").at("memory_cache").at("keys").to_number<int>() == 0; }));
  expect_granted(request_to("/v1/x", k1.bearer()));
}

TEST_F(Admin, ReloadsByTheVerb) {
  start_on_socket();
  const Finished taken = keygate_says({"reload", "-c", keygate.config_file()});
  EXPECT_EQ(taken.status.code, 0) << taken.errors;
  EXPECT_NE(taken.output.find("generation 2"), std::string::npos) << taken.output;
  keygate.rewrite_policy("routes: [{name: broken}]\n");
  const Finished refused = keygate_says({"reload", "--admin", "unix:" + socket});
  EXPECT_EQ(refused.status.code, 1);
  EXPECT_NE(refused.errors.find("policy.yaml:1"), std::string::npos) << refused.errors;
  EXPECT_FALSE(object("/api/status").at("last_reload").at("successful").as_bool());
}

TEST_F(Admin, ADrainedProxyServesUntilItIsToldToStop) {
  start_on_socket();
  EXPECT_EQ(keygate_says({"healthcheck", "-c", keygate.config_file()}).status.code, 0);
  const Finished drained = keygate_says({"drain", "-c", keygate.config_file()});
  EXPECT_EQ(drained.status.code, 0) << drained.errors;
  EXPECT_EQ(keygate.readiness(), 503);
  EXPECT_EQ(keygate_says({"healthcheck", "--admin", "unix:" + socket}).status.code, 1);
  EXPECT_EQ(keygate_says({"healthcheck", "--live", "--admin", "unix:" + socket}).status.code, 0);
  const Response response = ask(request_to("/v1/x", k1.bearer()));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(keygate_says({"reload", "-c", keygate.config_file()}).status.code, 1);
  EXPECT_EQ(keygate.stop().code, 0);
}

TEST_F(Admin, VerbsSayWhereNobodyAnswers) {
  start_on_socket();
  const Finished nobody = keygate_says({"healthcheck", "--admin", "unix:" + (keygate.directory() / "none.sock")});
  EXPECT_EQ(nobody.status.code, 1);
  EXPECT_NE(nobody.errors.find("none.sock"), std::string::npos);
  EXPECT_EQ(keygate_says({"reload"}).status.code, 2);
  EXPECT_EQ(keygate_says({"drain", "--wait", "soon", "--admin", "unix:" + socket}).status.code, 2);
}

TEST_F(Admin, ATailShowsWhatIsDecided) {
  start_on_socket();
  Process tail({{keygate_binary(), "tail", "-c", keygate.config_file(), "--denied"}, {}, "", ""});
  // Until it follows.
  EXPECT_TRUE(eventually([&] {
    ask(request_to("/v1/denied"));
    return tail.output().find("missing_credential") != std::string::npos;
  }));
  expect_granted(request_to("/v1/granted", k1.bearer()));
  expect_denied(request_to("/v1/later", kr.bearer()), {401, "revoked_key"});
  EXPECT_TRUE(eventually([&] { return tail.output().find("/v1/later  revoked_key") != std::string::npos; }));
  EXPECT_EQ(tail.output().find("/v1/granted"), std::string::npos) << "granted, and only denials were asked for";
}

TEST_F(Admin, SilentConnectionsShutNobodyOut) {
  start_on_port(true);
  std::vector<RawClient> silent;
  for (int i = 0; i < 40; ++i) silent.emplace_back(port);
  EXPECT_EQ(status_over_port("GET /api/status HTTP/1.1\r\nHost: localhost\r\n"), 200);
}

// Whatever listens where a proxy was expected does not write to the terminal as it likes.
TEST_F(Admin, WhatAListenerSaysReachesTheTerminalWithoutItsControls) {
  RecordingUpstream other([](Turn& turn) {
    const std::string told =
        R"({"decisions":[{"code":"\u001b[2J","status":200,"path":"/\u001b]0;x\u0007","time":"t"}],"missed":0})";
    turn.answer(200,
                turn.request().target == "/readyz" ? "ready\x1b[2J\n" : "event: decisions\ndata: " + told + "\n\n");
    turn.close();
  });
  const std::string address = "127.0.0.1:" + std::to_string(other.port());
  const Finished health = keygate_says({"healthcheck", "--admin", address});
  EXPECT_EQ(health.output, "ready?[2J\n");
  const Finished tail = keygate_says({"tail", "--admin", address});
  EXPECT_NE(tail.output.find("?[2J"), std::string::npos) << tail.output << tail.errors;
  EXPECT_EQ((tail.output + tail.errors).find_first_of("\x1b\x07"), std::string::npos) << tail.output;
}

}  // namespace
}  // namespace keygate::test
