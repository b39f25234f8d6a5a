// The life of a Rekall key as its page has it: made, listed, rotated, revoked and expired; by an operator, by a
// customer over HTTP, and at other locations.
#include "tests/scenario/rekall.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace keygate::test {
namespace {

namespace json = boost::json;

TEST_F(Rekall, KeyIsShownOnceAndListedWithNameScopesAndLastUse) {
  const Key key = example.create_key("org_1", read_only, {"--environment", "live", "--name", "Read-Only Dashboard"});
  EXPECT_EQ(text_of(example.listed(key), "last_used_at"), "");
  EXPECT_EQ(code_of(key), "ok");
  EXPECT_TRUE(eventually([&] { return !text_of(example.listed(key), "last_used_at").empty(); }));
  const auto listed = example.listed(key);
  EXPECT_EQ(text_of(listed, "name"), "Read-Only Dashboard");
  EXPECT_EQ(text_of(listed, "scopes"), R"(["memories:read","entities:read","relationships:read"])");
  for (const std::vector<std::string>& verb :
       {std::vector<std::string>{"keys", "list"}, {"keys", "list", "--json"}, {"keys", "show", key.id}}) {
    EXPECT_FALSE(example.is_key_in(example.command(verb).output));
  }
}

TEST_F(Rekall, RotationKeepsBothKeysAlive) {
  // As the page has it: make one, move over, revoke the other.
  const Key old = example.create_key("org_1", read_only);
  const Key made = example.create_key("org_1", read_only);
  EXPECT_EQ(code_of(old), "ok");
  EXPECT_EQ(code_of(made), "ok");
  EXPECT_EQ(example.command({"keys", "revoke", old.id}).status.code, 0);
  EXPECT_TRUE(settles([&] { return code_of(old) == "revoked_key"; }));
  EXPECT_EQ(code_of(made), "ok");
  // In one step: the same scopes and environment, and the old one lives for the grace.
  const Finished rotated = example.command({"keys", "rotate", made.id, "--grace", "7d", "--json"});
  ASSERT_EQ(rotated.status.code, 0) << rotated.errors;
  const auto next = boost::json::parse(rotated.output).as_object();
  const Key third{text_of(next, "key_id"), text_of(next, "key")};
  EXPECT_TRUE(third.text.starts_with("rk_"));
  EXPECT_EQ(code_of(made), "ok");
  EXPECT_EQ(code_of(third), "ok");
  EXPECT_EQ(text_of(example.listed(third), "scopes"), text_of(example.listed(made), "scopes"));
}

TEST_F(Rekall, RevokedKeyIsRefusedWithinTheBound) {
  const Key key = example.create_key("org_1", read_only);
  RawClient client(example.port());
  EXPECT_EQ(client.ask(request_to("/v1/memories", key.bearer())).status, 200);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(example.command({"keys", "revoke", key.id}).status.code, 0);
  EXPECT_TRUE(eventually([&] { return client.ask(request_to("/v1/memories", key.bearer())).status == 401; },
                         std::chrono::seconds(60)));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
  expect_problem(client.ask(request_to("/v1/memories", key.bearer())), 401, "revoked_key");
}

TEST_F(Rekall, RevocationIsPermanent) {
  const Key key = example.create_key("org_1", read_only);
  EXPECT_EQ(example.command({"keys", "revoke", key.id}).status.code, 0);
  const std::string revoked_at = text_of(example.listed(key), "revoked_at");
  EXPECT_EQ(example.command({"keys", "rotate", key.id}).status.code, 1);
  EXPECT_EQ(example.command({"keys", "revoke", key.id}).status.code, 0);
  EXPECT_EQ(text_of(example.listed(key), "revoked_at"), revoked_at);
  EXPECT_EQ(text_of(example.listed(key), "state"), "revoked");
  example.stop();
  example.start();
  EXPECT_EQ(code_of(key), "revoked_key");
}

TEST_F(Rekall, ExpiredKeyIsRefused) {
  const Key key = example.create_key("org_1", read_only, {"--environment", "live", "--expires-in", "2s"});
  RawClient client(example.port());
  EXPECT_EQ(client.ask(request_to("/v1/memories", key.bearer())).status, 200);
  EXPECT_TRUE(eventually([&] { return client.ask(request_to("/v1/memories", key.bearer())).status == 401; }));
  expect_problem(client.ask(request_to("/v1/memories", key.bearer())), 401, "expired_key");
  // The list's clock may be a tick behind the proxy's.
  EXPECT_TRUE(eventually([&] { return text_of(example.listed(key), "state") == "expired"; }));
}

TEST_F(Rekall, KeyMayExpireIn90Days) {
  const Key key = example.create_key("org_1", "memories:read,memories:write", {"--env", "live", "--expires-in", "90d"});
  EXPECT_EQ(code_of(key), "ok");
  const auto listed = example.listed(key);
  EXPECT_EQ(text_of(listed, "state"), "valid");
  EXPECT_GT(text_of(listed, "expires_at"), text_of(listed, "created_at"));
}

// As the SDK does it: with a key, through Keygate.
class RekallOverHttp : public Rekall {
 protected:
  Response send(const Key& by, std::string_view method, std::string_view target, std::string_view body = "") {
    return ask(example.port(), body.empty() ? request_to(target, by.bearer(), method)
                                            : request_with_body(target, body, by.bearer(), method));
  }
  Key created_by(const Key& by, const std::string& body) {
    const Response response = send(by, "POST", "/v1/keys", body);
    EXPECT_EQ(response.status, 201) << response.body;
    const json::object made = json::parse(response.body).as_object();
    const Key key{text_of(made, "key_id"), text_of(made, "key")};
    example.remember(key);
    return key;
  }
  void expect_invalid_scope(const Key& by, const std::string& scopes, const std::string& named) {
    const Response refused = send(by, "POST", "/v1/keys", R"({"scopes":[)" + scopes + "]}");
    EXPECT_EQ(refused.status, 422) << refused.body;
    EXPECT_EQ(code_in(refused), "invalid_scope");
    EXPECT_THAT(refused.body, testing::HasSubstr(R"("invalid_scopes":[")" + named + R"("])"));
  }

  Key manager = example.create_key("org_1", "keys:read,keys:write,memories:read,memories:write");
};

TEST_F(RekallOverHttp, KeyIsCreatedWithScopesAndExpiryShownOnceAndListed) {
  const Key made = created_by(
      manager, R"({"name":"CI Pipeline Key","scopes":["memories:read","memories:write"],"expires_in":"90d"})");
  EXPECT_TRUE(made.text.starts_with("rk_"));
  EXPECT_EQ(made.text.size(), 48U);
  EXPECT_EQ(code_of(made), "ok");
  EXPECT_EQ(code_of(made, "/v1/entities"), "insufficient_scope");
  const auto entry = [&] {
    const Response response = send(manager, "GET", "/v1/keys");
    EXPECT_FALSE(example.is_key_in(response.body));
    const json::value all = json::parse(response.body);
    for (const json::value& one : all.at("keys").as_array()) {
      if (text_of(one.as_object(), "key_id") == made.id) return one.as_object();
    }
    return json::object();
  };
  EXPECT_TRUE(eventually([&] { return !text_of(entry(), "last_used_at").empty(); }));
  EXPECT_EQ(text_of(entry(), "name"), "CI Pipeline Key");
  EXPECT_EQ(text_of(entry(), "organization_id"), "org_1");
  EXPECT_EQ(text_of(entry(), "scopes"), R"(["memories:read","memories:write"])");
  EXPECT_NE(text_of(entry(), "expires_at"), "");
}

TEST_F(RekallOverHttp, UnknownScopesAndThoseBeyondTheMakersAreInvalid) {
  expect_invalid_scope(manager, R"("memories:reed")", "memories:reed");
  expect_invalid_scope(manager, R"("memories:read","entities:read")", "entities:read");
  expect_invalid_scope(manager, R"("*")", "*");
}

TEST_F(RekallOverHttp, KeysAreManagedByThoseWhoMayAndInTheirOrganizationAlone) {
  const Key reader = example.create_key("org_1", "keys:read,memories:read");
  EXPECT_EQ(send(reader, "GET", "/v1/keys").status, 200);
  EXPECT_EQ(code_in(send(reader, "POST", "/v1/keys", R"({"scopes":["memories:read"]})")), "insufficient_scope");
  EXPECT_EQ(code_in(send(reader, "DELETE", "/v1/keys/" + manager.id)), "insufficient_scope");
  const Key stranger = example.create_key("org_2", "keys:read,keys:write,memories:read,memories:write");
  EXPECT_EQ(code_in(send(stranger, "DELETE", "/v1/keys/" + manager.id)), "not_found");
  EXPECT_EQ(code_in(send(stranger, "POST", "/v1/keys", R"({"organization_id":"org_1","scopes":["memories:read"]})")),
            "wrong_organization");
  const Key test = example.create_key("org_1", "*", {"--environment", "test"});
  EXPECT_EQ(code_in(send(test, "GET", "/v1/keys")), "wrong_environment");
  // What a client says of itself, or of a token, is not what the key server is told.
  const Response forged =
      ask(example.port(), request_to("/v1/keys", "X-Org-Id: org_2\r\nx-api-key: " + manager.text + "\r\n"));
  EXPECT_EQ(forged.body.find(stranger.id), std::string::npos) << forged.body;
  EXPECT_EQ(code_in(ask(example.port(),
                        request_to("/v1/keys", "Authorization: Bearer " + key_service.token("admin") + "\r\n"))),
            "malformed_key");
  EXPECT_EQ(code_of(manager), "ok");
}

TEST_F(RekallOverHttp, RotationHasAGraceAndRevocationIsForGood) {
  const Key old = created_by(manager, R"({"scopes":["memories:read"]})");
  const Response rotated = send(manager, "POST", "/v1/keys/" + old.id + "/rotate", R"({"grace":"7d"})");
  ASSERT_EQ(rotated.status, 201) << rotated.body;
  const json::object next = json::parse(rotated.body).as_object();
  const Key replacement{text_of(next, "key_id"), text_of(next, "key")};
  example.remember(replacement);
  EXPECT_EQ(text_of(next.at("replaces").as_object(), "key_id"), old.id);
  EXPECT_EQ(code_of(old), "ok");
  EXPECT_EQ(code_of(replacement), "ok");
  EXPECT_EQ(send(manager, "DELETE", "/v1/keys/" + old.id).status, 200);
  EXPECT_TRUE(settles([&] { return code_of(old) == "revoked_key"; }));
  EXPECT_EQ(code_of(replacement), "ok");
  EXPECT_EQ(code_in(send(manager, "POST", "/v1/keys/" + old.id + "/rotate", "{}")), "conflict");
}

// Two more locations: edge.yaml, which has the key server and Redis, and no store.
class RekallEdges : public Rekall {
 protected:
  void SetUp() override {
    Rekall::SetUp();
    for (ShippedExample* const edge : {&near, &far}) edge->start();
  }
  void TearDown() override {
    Rekall::TearDown();
    for (ShippedExample* const edge : {&near, &far}) {
      edge->stop();
      EXPECT_FALSE(example.is_key_in(edge->output() + edge->errors()));
    }
  }
  std::vector<std::string> codes_of(const Key& key) {
    std::vector<std::string> codes;
    for (const ShippedExample* const one : {&example, &near, &far}) {
      codes.push_back(code_in(ask(one->port(), request_to("/v1/memories", key.bearer()))));
    }
    return codes;
  }

  ShippedExample near{"rekall", environment(), "edge.yaml"};
  ShippedExample far{"rekall", environment(), "edge.yaml"};
};

TEST_F(RekallEdges, RevokedKeyIsRefusedAtAllLocationsWithinTheBound) {
  const Key key = example.create_key("org_1", "memories:read,keys:write");
  const Key other = example.create_key("org_1", "memories:read");
  EXPECT_EQ(codes_of(key), (std::vector<std::string>{"ok", "ok", "ok"}));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(ask(far.port(), request_to("/v1/keys/" + key.id, key.bearer(), "DELETE")).status, 200);
  const std::vector<std::string> refused(3, "revoked_key");
  EXPECT_TRUE(settles([&] { return codes_of(key) == refused; }, std::chrono::seconds(60)));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
  EXPECT_EQ(codes_of(other), (std::vector<std::string>{"ok", "ok", "ok"}));
  EXPECT_EQ(codes_of(key), refused);
}

// News of the revocation is there before the key server has answered the request that brought it about.
TEST_F(RekallEdges, WhoRevokesItsOwnKeyHearsThatItIsDone) {
  for (int i = 0; i < 20; ++i) {
    const Key key = example.create_key("org_1", "keys:write");
    const Response done = ask(far.port(), request_to("/v1/keys/" + key.id, key.bearer(), "DELETE"));
    ASSERT_EQ(done.status, 200) << done.body;
  }
}

TEST_F(RekallEdges, TestKeyReachesTheSandboxAloneFromEveryLocation) {
  const Key test = example.create_key("org_1", "*", {"--environment", "test"});
  EXPECT_EQ(codes_of(test), (std::vector<std::string>{"ok", "ok", "ok"}));
  EXPECT_EQ(sandbox->requests().size(), 3U);
  EXPECT_EQ(production.bytes(), "");
}

}  // namespace
}  // namespace keygate::test
