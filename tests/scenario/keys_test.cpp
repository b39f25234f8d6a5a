// The life of keys: created, rotated, expired, revoked by the command line while the proxy runs; and whom they make the
// caller.
#include "tests/support/scenario.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>

namespace keygate::test {
namespace {

namespace json = boost::json;

class Keys : public Scenario {
 protected:
  void SetUp() override { start(); }

  int status_with(const Key& key, std::string_view target = "/v1/x") {
    return ask(request_to(target, key.bearer())).status;
  }
  // "cut": the key ended while its request was under way, and so did the connection.
  std::string code_with(const Key& key, std::string_view target = "/v1/x") {
    RawClient client = keygate.connect();
    client.send(request_to(target, key.bearer()));
    const Response response = read_unless_cut(client);
    if (response.status == 0) return "cut";
    return response.status == 200 ? "ok" : text_of(json::parse(response.body).as_object(), "code");
  }
  static Response read_unless_cut(RawClient& client) {
    try {
      return client.read_response();
    } catch (const std::runtime_error& failure) {
      EXPECT_TRUE(client.is_ended()) << failure.what();
      return {};
    }
  }
};

TEST_F(Keys, ARevokedKeyIsRefusedWithinTheStoresPoll) {
  RawClient client = keygate.connect();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(client.ask(request_to("/v1/x", k1.bearer())).status, 200);
  }
  keygate.revoke_key(k1.id);
  // 250 ms between two looks at the change log; the rest is for a loaded machine.
  EXPECT_TRUE(eventually([&] { return code_with(k1) == "revoked_key"; },
                         std::chrono::milliseconds(is_sanitized ? 3000 : 1250)));
  expect_problem(client.ask(request_to("/v1/x", k1.bearer())), 401, "revoked_key");
  expect_denied(request_to("/v1/x", k1.bearer()), {401, "revoked_key", Ending::open});
}

TEST_F(Keys, ARevokedKeyIsRefusedByEveryWorker) {
  keygate.stop();
  keygate.start({.upstream_port = upstream.port(), .threads = 2});
  // Connections enough that both workers have some.
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 16; ++i) {
    clients.push_back(std::make_unique<RawClient>(keygate.port()));
    EXPECT_EQ(clients.back()->ask(request_to("/v1/x", k1.bearer())).status, 200);
  }
  keygate.revoke_key(k1.id);
  for (const auto& client : clients) {
    const auto is_refused = [&] {
      client->send(request_to("/v1/x", k1.bearer()));
      return read_unless_cut(*client).status != 200;
    };
    EXPECT_TRUE(eventually(is_refused, std::chrono::milliseconds(3000)));
  }
}

TEST_F(Keys, AnExpiredKeyIsRefusedFromMemoryToo) {
  const Key key = keygate.create_key({.expires_in = "2s"});
  RawClient client = keygate.connect();
  EXPECT_EQ(client.ask(request_to("/v1/x", key.bearer())).status, 200);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(eventually([&] { return code_with(key) == "expired_key"; }, std::chrono::seconds(6)));
  EXPECT_LE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(3500));
  expect_denied(request_to("/v1/x", key.bearer()), {401, "expired_key", Ending::open});
}

TEST_F(Keys, RotationKeepsTheOldKeyForItsGraceAndNoLonger) {
  EXPECT_EQ(status_with(k1), 200);
  const Key next = keygate.rotate_key(k1.id, "3s");
  EXPECT_NE(next.text, k1.text);
  EXPECT_NE(next.id, k1.id);
  EXPECT_EQ(status_with(next), 200);
  EXPECT_EQ(status_with(k1), 200);
  EXPECT_TRUE(eventually([&] { return code_with(k1) == "expired_key"; }, std::chrono::seconds(8)));
  EXPECT_EQ(status_with(next), 200);
  EXPECT_EQ(expect_granted(request_to("/v1/x", next.bearer())).fields["x-org-id"], "org_1");
}

TEST_F(Keys, RotationWithoutGraceEndsTheOldKeyAtOnce) {
  EXPECT_EQ(status_with(k1), 200);
  const Key next = keygate.rotate_key(k1.id, "0s");
  EXPECT_TRUE(eventually([&] { return code_with(k1) == "expired_key"; }, std::chrono::seconds(3)));
  EXPECT_EQ(status_with(next), 200);
}

TEST_F(Keys, ARequestThatIsUnderWayWhenItsKeyEndsIsRefused) {
  upstream.follow([](Turn& turn) {
    turn.hold();
    answer_ok(turn);
  });
  RawClient client = keygate.connect();
  client.send(request_to("/v1/x", k1.bearer()));
  ASSERT_TRUE(eventually([&] { return upstream.held() == 1; }));
  keygate.rotate_key(k1.id, "0s");
  expect_problem(client.read_response(), 401, "expired_key");
  upstream.release();
  EXPECT_EQ(code_with(k1), "expired_key");
}

TEST_F(Keys, AKeyCreatedWhileTheProxyRunsIsGoodAtOnce) { EXPECT_EQ(status_with(keygate.create_key()), 200); }

TEST_F(Keys, EveryKeyHasItsOwnIdentity) {
  const Key user = keygate.create_key(
      {.organization = "org_2", .scopes = "v1:read,v1:write", .user = "user_7", .environment = "live"});
  const Request one = expect_granted(request_to("/v1/x", user.bearer()));
  EXPECT_EQ(one.fields["x-org-id"], "org_2");
  EXPECT_EQ(one.fields["x-key-id"], user.id);
  EXPECT_EQ(one.fields["x-user-id"], "user_7");
  EXPECT_EQ(one.fields["x-scopes"], "v1:read v1:write");
  EXPECT_EQ(one.fields["x-environment"], "live");
  EXPECT_EQ(one.fields["x-auth-method"], "api_key");
  const Request other = expect_granted(request_to("/v1/x", k1.bearer()));
  EXPECT_EQ(other.fields["x-org-id"], "org_1");
  EXPECT_EQ(other.fields["x-key-id"], k1.id);
  EXPECT_FALSE(other.fields.has("x-user-id"));
  EXPECT_FALSE(other.fields.has("x-environment"));
}

TEST_F(Keys, TheIdentityOfAnotherCannotBeClaimed) {
  const Request seen =
      expect_granted(request_to("/v1/x", "X-Org-Id: org_a\r\nX-Key-Id: " + ka.id +
                                             "\r\nX-Scopes: admin\r\nX-Auth-Method: admin\r\n" + k1.bearer()));
  EXPECT_EQ(seen.fields["x-org-id"], "org_1");
  EXPECT_EQ(seen.fields["x-key-id"], k1.id);
  EXPECT_EQ(seen.fields["x-scopes"], "v1:read");
  expect_denied(request_to("/admin/x", "X-Scopes: admin\r\n" + k1.bearer()), {403, "insufficient_scope", Ending::any});
}

TEST_F(Keys, AKeyIsShownOnceAndKeptOnlyAsADigest) {
  EXPECT_EQ(k1.text.size(), 48U);
  EXPECT_TRUE(k1.text.starts_with("kg_"));
  for (const Finished& finished : {keygate.keys({"list"}), keygate.keys({"show", k1.id})}) {
    EXPECT_EQ(finished.status.code, 0) << finished.errors;
    EXPECT_NE(finished.output.find(k1.id), std::string::npos) << finished.output;
    EXPECT_FALSE(keygate.is_key_in(finished.output + finished.errors)) << finished.output;
  }
  // SQLite's write-ahead log and the database itself.
  for (const char* suffix : {"", "-wal"}) {
    EXPECT_FALSE(keygate.is_key_in(read_file(keygate.store_file() + suffix))) << suffix;
  }
  EXPECT_NE(keygate.keys({"show", "key_nobody"}).status.code, 0);
  EXPECT_NE(keygate.keys({"revoke", "key_nobody"}).status.code, 0);
  EXPECT_NE(keygate.keys({"rotate", kr.id, "--grace", "1h"}).status.code, 0) << "a revoked key was rotated";
}

class EnvironmentSplit : public Scenario {
 protected:
  void SetUp() override {
    start({.policy = R"(version: 1
scopes: {"v1:read": Read}
routes:
  - name: split
    match: {path: "/v1/{rest...}"}
    require: {scopes: "v1:read"}
    upstream: {live: app, test: sandbox}
  - name: live-only
    match: {path: "/live/{rest...}"}
    require: {scopes: "v1:read", environment: live}
    upstream: app
  - name: open
    match: {path: "/public/{rest...}"}
    anonymous: true
    upstream: app
)",
           .upstreams = "{app: {endpoints: [\"http://127.0.0.1:" + std::to_string(upstream.port()) +
                        "\"]}, sandbox: {endpoints: [\"http://127.0.0.1:" + std::to_string(sandbox->port()) + "\"]}}",
           .more = "credentials: {formats: [{prefix: rk_test_, environment: test, length: 48}, {prefix: rk_, "
                   "environment: live, length: 48}]}\n"});
    live = keygate.create_key({.environment = "live", .prefix = "rk_"});
    test = keygate.create_key({.environment = "test", .prefix = "rk_test_"});
  }

  std::unique_ptr<RecordingUpstream> sandbox = std::make_unique<RecordingUpstream>();
  Key live;
  Key test;
};

TEST_F(EnvironmentSplit, C13_EachEnvironmentHasItsUpstream) {
  EXPECT_EQ(expect_granted(request_to("/v1/x", live.bearer())).fields["x-environment"], "live");
  EXPECT_EQ(sandbox->bytes(), "");
  upstream.forget();
  EXPECT_EQ(ask(request_to("/v1/x", test.bearer())).status, 200);
  EXPECT_EQ(sandbox->only_request().fields["x-environment"], "test");
  EXPECT_EQ(upstream.bytes(), "") << "a test key reached the live upstream";
}

TEST_F(EnvironmentSplit, C13_ATestKeyNeverReachesTheLiveUpstreamEvenWhenItsOwnIsDown) {
  EXPECT_EQ(ask(request_to("/v1/x", test.bearer())).status, 200);
  sandbox.reset();
  upstream.forget();
  for (int i = 0; i < 5; ++i) {
    expect_problem(ask(request_to("/v1/x", test.bearer())), 502, "upstream_unreachable");
  }
  EXPECT_EQ(upstream.bytes(), "") << "a test key reached the live upstream";
}

TEST_F(EnvironmentSplit, C13_ATestKeyIsRefusedWhereOnlyLiveOnesPass) {
  expect_denied(request_to("/live/x", test.bearer()), {403, "wrong_environment", Ending::open});
  expect_granted(request_to("/live/x", live.bearer()));
}

TEST_F(EnvironmentSplit, C13_AStoreThatContradictsThePrefixIsNotBelieved) {
  const Key liar = keygate.create_key({.environment = "live", .prefix = "rk_test_"});
  expect_denied(request_to("/v1/x", liar.bearer()), {503, "key_service_unavailable", Ending::any});
  EXPECT_EQ(sandbox->bytes(), "");
}

TEST_F(EnvironmentSplit, C13_ClaimsOfAnEnvironmentAreNotBelieved) {
  EXPECT_EQ(ask(request_to("/v1/x", "X-Environment: live\r\n" + test.bearer())).status, 200);
  EXPECT_EQ(sandbox->only_request().fields["x-environment"], "test");
  EXPECT_EQ(upstream.bytes(), "");
}

class OrganizationInThePath : public Scenario {
 protected:
  void SetUp() override {
    start({.policy = R"(version: 1
scopes: {"v1:read": Read}
routes:
  - name: projects
    match: {path: "/orgs/{org}/projects/{rest...}"}
    require: {scopes: "v1:read", organization: "{org}"}
)"});
  }
};

TEST_F(OrganizationInThePath, OnlyItsOwnKeysPass) {
  EXPECT_EQ(expect_granted(request_to("/orgs/org_1/projects/7", k1.bearer())).target, "/orgs/org_1/projects/7");
  EXPECT_EQ(expect_granted(request_to("/orgs/org%5F1/projects", k1.bearer())).target, "/orgs/org_1/projects");
  for (const std::string_view target : {"/orgs/org_2/projects/7", "/orgs/org_/projects", "/orgs/org_11/projects",
                                        "/orgs/ORG_1/projects", "/orgs/org_1%20/projects", "/orgs/org_a/projects"}) {
    expect_denied(request_to(target, k1.bearer()), {403, "wrong_organization", Ending::any});
  }
  expect_denied(request_to("/orgs/org_2/projects", "X-Org-Id: org_2\r\n" + k1.bearer()),
                {403, "wrong_organization", Ending::any});
  expect_denied(request_to("/orgs/org_2/projects?org=org_1", k1.bearer()), {403, "wrong_organization", Ending::any});
}

}  // namespace
}  // namespace keygate::test
