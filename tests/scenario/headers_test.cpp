// Headers (docs/threats.md): what a client says about itself is not believed, what Keygate says arrives once.
#include "tests/support/scenario.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <array>
#include <memory>

namespace keygate::test {
namespace {

constexpr std::array<const char*, 6> identity_names{"X-Org-Id", "X-Key-Id",      "X-User-Id",
                                                    "X-Scopes", "X-Environment", "X-Auth-Method"};

class Headers : public Scenario {
 protected:
  void SetUp() override { start(); }

  void expect_identity_of_k1(const Request& seen) {
    EXPECT_EQ(seen.fields["x-org-id"], "org_1");
    EXPECT_EQ(seen.fields["x-key-id"], k1.id);
    EXPECT_EQ(seen.fields["x-scopes"], "v1:read");
    EXPECT_EQ(seen.fields["x-auth-method"], "api_key");
    for (const char* name : identity_names) {
      EXPECT_LE(seen.fields.count_alike(name), 1U) << name;
    }
  }
};

TEST_F(Headers, H01_IdentityComesFromTheKeyAlone) {
  std::string claimed;
  for (const char* name : identity_names) {
    claimed += std::string(name) + ": evil\r\n";
  }
  const Request seen = expect_granted(request_to("/v1/x", claimed + k1.bearer()));
  expect_identity_of_k1(seen);
  // K1 has no user and no environment: nothing stands there rather than the client's word.
  EXPECT_FALSE(seen.fields.has("x-user-id"));
  EXPECT_FALSE(seen.fields.has("x-environment"));
}

TEST_F(Headers, H01_OpenRoutesStripIdentityToo) {
  std::string claimed = "X-Keygate-Degraded: no\r\nX-Keygate-Anything: evil\r\n";
  for (const char* name : identity_names) {
    claimed += std::string(name) + ": evil\r\n";
  }
  const Request seen = expect_granted(request_to("/public/x", claimed));
  for (const char* name :
       {"X-Org-Id", "X-Key-Id", "X-User-Id", "X-Scopes", "X-Environment", "X-Keygate-Degraded", "X-Keygate-Anything"}) {
    EXPECT_EQ(seen.fields.count_alike(name), 0U) << name;
  }
  EXPECT_EQ(seen.fields["x-auth-method"], "anonymous");
}

TEST_F(Headers, H02_NamesThatFoldOntoAnIdentityHeaderAreDropped) {
  for (const std::string name : {"X_Org_Id", "X-Org_Id", "x.org.id", "X-ORG-ID", "X~Org~Id", "x!org|id", "X_ORG-ID"}) {
    const Request seen = expect_granted(request_to("/v1/x", name + ": evil\r\n" + k1.bearer()));
    EXPECT_EQ(seen.fields.count_alike("X-Org-Id"), 1U) << name;
    EXPECT_EQ(seen.fields["x-org-id"], "org_1");
    EXPECT_EQ(expect_granted(request_to("/public/x", name + ": evil\r\n")).fields.count_alike("X-Org-Id"), 0U) << name;
  }
  EXPECT_TRUE(expect_granted(request_to("/v1/x", "X-Org-Idea: kept\r\n" + k1.bearer())).fields.has("x-org-idea"));
}

TEST_F(Headers, H03_ConnectionCannotNominateWhatMatters) {
  const Denial refused{400, "bad_request", Ending::any};
  for (const std::string_view fields :
       {"Connection: X-Org-Id\r\n", "connection: x-ORG-id, close\r\n", "Connection: close\r\nConnection: X-Org-Id\r\n",
        "Connection: close,,X-Org-Id\r\n", "Connection: x_org_id\r\n", "Connection: host\r\n",
        "Connection: authorization\r\n", "Connection: x-api-key\r\n", "Connection: content-length\r\n",
        "Connection: x-forwarded-for\r\n", "Connection: via\r\n", "Connection: cookie\r\n",
        "Connection: x-keygate-degraded\r\n", "Connection: x.scopes\r\n"}) {
    expect_denied(request_to("/v1/x", std::string(fields) + k1.bearer()), refused);
  }
}

TEST_F(Headers, H03_NominatedFieldsGoAndIdentityStays) {
  const Request seen =
      expect_granted(request_to("/v1/x",
                                "Connection: keep-alive, X-Foo\r\nX-Foo: 1\r\nKeep-Alive: "
                                "timeout=5\r\nProxy-Connection: keep-alive\r\nTE: gzip\r\nX-Kept: 1\r\n" +
                                    k1.bearer()));
  for (const char* name : {"x-foo", "keep-alive", "proxy-connection", "te"}) {
    EXPECT_FALSE(seen.fields.has(name)) << name;
  }
  EXPECT_FALSE(seen.fields.lists("connection", "x-foo"));
  EXPECT_TRUE(seen.fields.has("x-kept"));
  expect_identity_of_k1(seen);
}

TEST_F(Headers, H04_DoubledFieldsAreOursAloneOrRefused) {
  expect_identity_of_k1(expect_granted(request_to("/v1/x", "X-Org-Id: a\r\nX-Org-Id: b\r\n" + k1.bearer())));
  expect_denied(request_to("/v1/x", k1.bearer() + ka.bearer()), {400, "ambiguous_credential|bad_request", Ending::any});
  expect_denied(request_to("/v1/x", k1.bearer() + k1.bearer()), {400, "ambiguous_credential|bad_request", Ending::any});
  expect_denied(request_to("/v1/x", "x-api-key: " + k1.text + "\r\nX-Api-Key: " + k1.text + "\r\n"),
                {400, "ambiguous_credential|bad_request", Ending::any});
  expect_denied(request_with_body("/v1/x", "{}", "Content-Type: a/b\r\nContent-Type: c/d\r\n" + k1.bearer()),
                {400, "bad_request", Ending::any});
  const Request seen =
      expect_granted(request_to("/v1/x", "X-A: 1\r\nX-B: 0\r\nX-A: 2\r\nCookie: a=1\r\n" + k1.bearer()));
  EXPECT_EQ(seen.fields.values("x-a"), (std::vector<std::string>{"1", "2"}));
}

TEST_F(Headers, H05_BlanksAroundAValueAreNotPartOfIt) {
  const Request seen = expect_granted("GET /v1/x HTTP/1.1\r\nHost: api.local \t\r\nAuthorization:   Bearer " + k1.text +
                                      "  \r\nX-A: \t v \t\r\n\r\n");
  EXPECT_EQ(seen.fields["host"], "api.local");
  EXPECT_EQ(seen.fields["x-a"], "v");
  expect_identity_of_k1(seen);
}

TEST_F(Headers, H06_ForwardingHeadersOfAStrangerAreReplaced) {
  const Request seen = expect_granted(request_to(
      "/v1/x",
      "X-Forwarded-Proto: https\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Port: 443\r\n"
      "Forwarded: for=1.2.3.4\r\nX-Real-IP: 1.2.3.4\r\nTrue-Client-IP: 1.2.3.4\r\nCF-Connecting-IP: 1.2.3.4\r\n" +
          k1.bearer()));
  EXPECT_EQ(seen.fields["x-forwarded-proto"], "http");
  EXPECT_EQ(seen.fields["x-forwarded-for"], "127.0.0.1");
  for (const Field& field : seen.fields.all()) {
    EXPECT_EQ(field.value.find("1.2.3.4"), std::string::npos) << field.name;
    EXPECT_EQ(field.value.find("evil"), std::string::npos) << field.name;
  }
  EXPECT_NE(seen.fields["via"].find("1.1 keygate"), std::string::npos);
}

TEST_F(Headers, H09_CredentialsThatAreNoTextAreRefusedWithoutALookUp) {
  expect_denied(request_to("/v1/x", "x-api-key: \xff\xfe\r\n"), {401, "malformed_key", Ending::any});
  expect_denied(request_to("/v1/x", "Authorization: Bearer \xc3\x28\r\n"), {401, "malformed_key", Ending::any});
  EXPECT_TRUE(eventually([&] { return keygate.access_log().size() == 2; })) << keygate.output();
  for (const auto& line : keygate.access_log()) {
    EXPECT_EQ(text_of(line, "source"), "") << "somebody was asked";
  }
}

class TamperedStore : public Headers {
 protected:
  // Puts `organization` where no command of ours would: into the row of `key`, whichever table has one for it.
  void put_organization(const Key& key, const std::string& organization) {
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open_v2(keygate.store_file().c_str(), &raw, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK);
    const std::unique_ptr<sqlite3, decltype(&sqlite3_close)> database(raw, &sqlite3_close);
    sqlite3_busy_timeout(raw, 5000);
    // Where the store checks by itself, the file is still no more trustworthy than who can write it.
    ASSERT_EQ(sqlite3_exec(raw, "PRAGMA ignore_check_constraints = 1", nullptr, nullptr, nullptr), SQLITE_OK);
    const std::string table = one_text(raw,
                                       "SELECT m.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = "
                                       "'table' AND c.name LIKE 'organization%'");
    const std::string column =
        one_text(raw, "SELECT c.name FROM pragma_table_info('" + table + "') c WHERE c.name LIKE 'organization%'");
    const std::string id =
        one_text(raw, "SELECT c.name FROM pragma_table_info('" + table + "') c WHERE c.name IN ('id', 'key_id')");
    sqlite3_stmt* statement = nullptr;
    ASSERT_EQ(sqlite3_prepare_v2(raw, ("UPDATE " + table + " SET " + column + " = ?1 WHERE " + id + " = ?2").c_str(),
                                 -1, &statement, nullptr),
              SQLITE_OK)
        << sqlite3_errmsg(raw);
    sqlite3_bind_text(statement, 1, organization.c_str(), static_cast<int>(organization.size()), SQLITE_TRANSIENT);
    sqlite3_bind_text(statement, 2, key.id.c_str(), -1, SQLITE_TRANSIENT);
    EXPECT_EQ(sqlite3_step(statement), SQLITE_DONE) << sqlite3_errmsg(raw);
    sqlite3_finalize(statement);
    ASSERT_EQ(sqlite3_changes(raw), 1);
  }

 private:
  static std::string one_text(sqlite3* database, const std::string& query) {
    sqlite3_stmt* statement = nullptr;
    std::string text;
    if (sqlite3_prepare_v2(database, query.c_str(), -1, &statement, nullptr) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
      const void* bytes = sqlite3_column_text(statement, 0);
      text.assign(static_cast<const char*>(bytes), static_cast<std::size_t>(sqlite3_column_bytes(statement, 0)));
    }
    sqlite3_finalize(statement);
    EXPECT_NE(text, "") << query;
    return text;
  }
};

TEST_F(TamperedStore, H10_AnIdentityThatCannotStandInAHeaderIsNoIdentity) {
  const std::array<std::string, 6> organizations{"o\r\nX-Admin: 1",     std::string(70'000, 'a'), "", "\xc3\xa9", "a b",
                                                 std::string("a\0b", 3)};
  for (const std::string& organization : organizations) {
    const Key key = keygate.create_key();
    put_organization(key, organization);
    expect_denied(request_to("/v1/x", key.bearer()), {503, "key_service_unavailable", Ending::any});
    // Nothing was remembered: repaired, the same key is good at once.
    put_organization(key, "org_1");
    EXPECT_EQ(expect_granted(request_to("/v1/x", key.bearer())).fields["x-org-id"], "org_1");
  }
}

TEST_F(Headers, H10_FieldNamesAreBounded) {
  expect_denied(request_to("/v1/x", ": x\r\n" + k1.bearer()), {400, "bad_request", Ending::closed});
  expect_denied(request_to("/v1/x", std::string(64 * 1024 + 1, 'a') + ": x\r\n" + k1.bearer()),
                {431, "header_too_large", Ending::closed});
}

class HostRoutes : public Scenario {
 protected:
  void SetUp() override {
    start({.policy = R"(version: 1
scopes: {"v1:read": Read}
routes:
  - name: api
    match: {hosts: [api.local], path: "/v1/{rest...}"}
    anonymous: true
)"});
  }

  std::string with_host(std::string_view host) {
    return "GET /v1/x HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n";
  }
};

TEST_F(HostRoutes, H11_SpellingsOfOneHostAreOneHost) {
  for (const std::string_view host :
       {"api.local", "api.local.", "API.LOCAL", "api.local:80", "api.local:8080", "Api.Local.:8080"}) {
    expect_granted(with_host(host));
  }
}

TEST_F(HostRoutes, H11_OtherHostsAndNoHostsAtAllAreNot) {
  for (const std::string_view host :
       {"[::1]", "api.local.evil", "xn--api-local-x", "evil", "api.local-", "xapi.local", "127.0.0.1"}) {
    expect_denied(with_host(host), {403, "no_route", Ending::any});
  }
  for (const std::string_view host :
       {"api.local@evil", "api.local,evil", "api.local/evil", "api.local evil", "api.local:port", "api.local:80:80",
        "[::1", "api.local\\", "api.local?x", "api..local", ""}) {
    expect_denied(with_host(host), {400, "bad_request", Ending::any});
  }
}

class CredentialStripping : public Scenario {
 protected:
  void SetUp() override {
    start({.more = "credentials: {sources: [bearer, {header: x-api-key}, {query: api_key}, {cookie: kg_key}]}\n"});
  }
};

TEST_F(CredentialStripping, H12_TheKeyReachesNoSinkFromAnySource) {
  const Request seen = expect_granted(
      request_to("/v1/x?a=1&api_key=" + k1.text + "&b=2",
                 "X-Api-Key: " + k1.text + "\r\nCookie: theme=dark; kg_key=" + k1.text + "; b=2\r\n" + k1.bearer()));
  EXPECT_EQ(seen.target, "/v1/x?a=1&b=2");
  EXPECT_FALSE(seen.fields.has("authorization"));
  EXPECT_FALSE(seen.fields.has("x-api-key"));
  EXPECT_EQ(seen.fields["cookie"], "theme=dark; b=2");
  // A refused one neither: in the answer, the log and stderr.
  expect_denied(request_to("/admin/x?api_key=" + k1.text, "X-Api-Key: " + k1.text + "\r\n"),
                {403, "insufficient_scope", Ending::any});
  keygate.wait_for_log_of("/admin/x");
}

TEST_F(CredentialStripping, H12_OpenRoutesStripCredentialsToo) {
  const Request seen =
      expect_granted(request_to("/public/x?api_key=" + k1.text,
                                "X-Api-Key: " + k1.text + "\r\nCookie: kg_key=" + k1.text + "\r\n" + k1.bearer()));
  EXPECT_EQ(seen.target, "/public/x");
  EXPECT_FALSE(seen.fields.has("authorization"));
  EXPECT_FALSE(seen.fields.has("x-api-key"));
  EXPECT_FALSE(seen.fields.has("cookie"));
}

TEST_F(Headers, H13_NothingAClientSendsBreaksALogLine) {
  const std::string agent = "User-Agent: a\" {\"level\":\"error\"}\\ \xc3\x28\xff\r\n";
  expect_granted(request_to("/public/x", agent));
  expect_granted(request_to("/public/" + std::string(3000, 'a'), agent));
  expect_denied(request_to("/public/\"x\\", agent), {400, "bad_request|ambiguous_path", Ending::any});
  expect_denied(request_to("/public/%22%0ax", agent), {400, "ambiguous_path", Ending::any});
  expect_denied("GET /public/x HTTP/1.1\r\nHost: \"}\r\n\r\n", {400, "bad_request", Ending::any});
  expect_denied("G\"T /public/x HTTP/1.1\r\nHost: x\r\n\r\n", {400, "bad_request", Ending::any});
  // access_log() fails the test on a line that is no JSON object.
  EXPECT_TRUE(eventually([&] { return keygate.access_log().size() == 6; })) << keygate.output();
  for (const auto& line : keygate.access_log()) {
    for (const auto& member : line) {
      EXPECT_LE(text_of(line, member.key()).size(), 512U) << member.key();
    }
  }
}

TEST_F(Headers, H14_ProbesAndAdminPathsAreNothingSpecialOnTheDataPort) {
  expect_denied(request_to("/admin", "User-Agent: kube-probe/1.0\r\n"), {401, "missing_credential", Ending::any});
  for (const std::string_view target : {"/healthz", "/metrics", "/reload", "/livez", "/readyz"}) {
    expect_denied(request_to(target), {403, "no_route", Ending::any});
  }
}

class BehindAProxy : public Scenario {
 protected:
  const std::string claims = "X-Request-Id: edge-42\r\nX-Forwarded-For: 198.51.100.7\r\nX-Forwarded-Proto: https\r\n";
};

TEST_F(BehindAProxy, A11_ATrustedProxyIsBelievedOfClientSchemeAndRequestId) {
  start({.more = "trusted_proxies: [127.0.0.1]\n"});
  const Request seen = expect_granted(request_to("/v1/x", claims + k1.bearer()));
  EXPECT_EQ(seen.fields["x-request-id"], "edge-42");
  EXPECT_EQ(seen.fields["x-forwarded-proto"], "https");
  const Response denied = ask(request_to("/v1/x", claims));
  expect_problem(denied, 401, "missing_credential");
  EXPECT_NE(denied.body.find("\"request_id\":\"edge-42\""), std::string::npos) << denied.body;
  ASSERT_TRUE(eventually([&] { return keygate.access_log().size() >= 2; }));
  for (const auto& line : keygate.access_log()) {
    EXPECT_EQ(line.at("client").as_string(), "198.51.100.7");
    EXPECT_EQ(line.at("request_id").as_string(), "edge-42");
  }
}

TEST_F(BehindAProxy, A11_NobodyElseIs) {
  start();
  const Request seen = expect_granted(request_to("/v1/x", claims + k1.bearer()));
  EXPECT_NE(seen.fields["x-request-id"], "edge-42");
  EXPECT_EQ(seen.fields["x-forwarded-proto"], "http");
  EXPECT_EQ(ask(request_to("/v1/x", claims)).body.find("edge-42"), std::string::npos);
  ASSERT_TRUE(eventually([&] { return keygate.access_log().size() >= 2; }));
  EXPECT_EQ(keygate.access_log().front().at("client").as_string(), "127.0.0.1");
}

}  // namespace
}  // namespace keygate::test
