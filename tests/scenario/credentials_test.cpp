// Credentials and scopes (docs/threats.md): one key, found where it may stand, judged anew for each request.
#include "tests/support/scenario.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <signal.h>
#include <thread>

namespace keygate::test {
namespace {

class Credentials : public Scenario {
 protected:
  void SetUp() override { start(); }
};

TEST_F(Credentials, A01_N14_NoKeyIsChallengedWithoutAnError) {
  expect_denied(request_to("/v1/x"), {401, "missing_credential", Ending::open});
  EXPECT_EQ(ask(request_to("/v1/x")).fields["www-authenticate"], "Bearer realm=\"keygate\"");
}

TEST_F(Credentials, A02_UnknownAndRevokedKeysAreInvalidTokens) {
  const std::string unknown = "kg_" + std::string(45, 'x');
  expect_denied(request_to("/v1/x", "Authorization: Bearer " + unknown + "\r\n"), {401, "invalid_key", Ending::open});
  expect_denied(request_to("/v1/x", kr.bearer()), {401, "revoked_key", Ending::open});
  EXPECT_NE(ask(request_to("/v1/x", kr.bearer())).fields["www-authenticate"].find("error=\"invalid_token\""),
            std::string::npos);
}

TEST_F(Credentials, A02_AMissingScopeIsNamedAndNoneThatIsHeld) {
  const Response response = ask(request_to("/admin/x", k1.bearer()));
  expect_problem(response, 403, "insufficient_scope");
  EXPECT_NE(response.fields["www-authenticate"].find("scope=\"admin\""), std::string::npos)
      << response.fields["www-authenticate"];
  EXPECT_NE(response.body.find("required_scopes"), std::string::npos) << response.body;
  EXPECT_EQ((response.fields["www-authenticate"] + response.body).find("v1:read"), std::string::npos);
}

TEST_F(Credentials, A03_TwoKeysAreRefusedAndOneKeyTwiceIsNot) {
  const Denial ambiguous{400, "ambiguous_credential", Ending::any};
  expect_denied(request_to("/v1/x", k1.bearer() + "x-api-key: " + ka.text + "\r\n"), ambiguous);
  expect_denied(request_to("/v1/x", k1.bearer() + "x-api-key: " + kr.text + "\r\n"), ambiguous);
  const Request seen = expect_granted(request_to("/v1/x", k1.bearer() + "x-api-key: " + k1.text + "\r\n"));
  EXPECT_FALSE(seen.fields.has("authorization"));
  EXPECT_FALSE(seen.fields.has("x-api-key"));
}

TEST_F(Credentials, A04_TheSchemeIsCaseInsensitiveAndTheTokenIsOne) {
  for (const std::string value : {"bearer ", "BEARER ", "Bearer  ", "Bearer    "}) {
    expect_granted(request_to("/v1/x", "Authorization: " + value + k1.text + "\r\n"));
  }
  for (const std::string& value : {"Bearer " + k1.text + " x", "Bearer " + k1.text + ",Bearer " + ka.text,
                                   "Bearer " + k1.text + ", x=y", std::string("Bearer"), std::string("Bearer "),
                                   "Bearer \"" + k1.text + "\"", "Bearer " + k1.text + "\xc3\xa9"}) {
    expect_denied(request_to("/v1/x", "Authorization: " + value + "\r\n"), {401, "malformed_key", Ending::any});
  }
  for (const std::string& value :
       {std::string("Basic dXNlcjpwYXNz"), "Basic " + k1.text, "Bearerx " + k1.text, k1.text}) {
    expect_denied(request_to("/v1/x", "Authorization: " + value + "\r\n"),
                  {401, "missing_credential|malformed_key", Ending::any});
  }
}

TEST_F(Credentials, A04_ABasicHeaderBesideAKeyIsNoSecondKey) {
  EXPECT_EQ(expect_granted(request_to("/v1/x", "Authorization: Basic dXNlcjpwYXNz\r\nx-api-key: " + k1.text + "\r\n"))
                .fields["x-org-id"],
            "org_1");
}

TEST_F(Credentials, A05_AQueryIsNoPlaceForAKeyUnlessConfigured) {
  expect_denied(request_to("/v1/x?api_key=" + k1.text), {401, "missing_credential", Ending::any});
  keygate.wait_for_log_of("/v1/x");
}

TEST_F(Credentials, AWrongOrganizationOrRouteIsNotTheKeysFault) {
  expect_denied(request_to("/nowhere", k1.bearer()), {403, "no_route", Ending::open});
  expect_denied(request_to("/nowhere"), {403, "no_route", Ending::open});
}

TEST_F(Credentials, C01_ACachedIdentityIsJudgedAnewForEveryRoute) {
  RawClient client = keygate.connect();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(client.ask(request_to("/v1/x", k1.bearer())).status, 200);
    expect_problem(client.ask(request_to("/admin/x", k1.bearer())), 403, "insufficient_scope");
    EXPECT_EQ(client.ask(request_to("/admin/x", ka.bearer())).status, 200);
    expect_problem(client.ask(request_to("/v1/x", ka.bearer())), 403, "insufficient_scope");
  }
  EXPECT_EQ(upstream.requests().size(), 6U);
  EXPECT_TRUE(eventually([&] { return keygate.access_log().size() == 12; })) << keygate.output();
  std::size_t from_memory = 0;
  for (const auto& line : keygate.access_log()) {
    from_memory += text_of(line, "source") == "memory" ? 1 : 0;
  }
  EXPECT_EQ(from_memory, 10U) << "each key is looked up once";
}

TEST_F(Credentials, A05_GrantsByOtherThanBearerAreNotForSharedCaches) {
  EXPECT_TRUE(ask(request_to("/v1/x", "x-api-key: " + k1.text + "\r\n")).fields.lists("cache-control", "private"));
  upstream.follow([](Turn& turn) {
    turn.read_body();
    turn.answer(200, "ok", "Cache-Control: public, max-age=60\r\n");
  });
  EXPECT_EQ(ask(request_to("/v1/x", "x-api-key: " + k1.text + "\r\n")).fields["cache-control"], "public, max-age=60");
}

class OtherSources : public Scenario {
 protected:
  void SetUp() override {
    start({.more = "credentials: {sources: [{query: api_key}, {cookie: kg_key}, {header: X-Rk-Key}]}\n"});
  }
};

TEST_F(OtherSources, A05_N16_AConfiguredQueryKeyAloneIsTakenOutAndKeptOutOfCaches) {
  RawClient client = keygate.connect();
  const Response response = client.ask(request_to("/v1/x?a=1&api_key=" + k1.text));
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(response.fields.lists("cache-control", "private")) << response.fields["cache-control"];
  EXPECT_EQ(upstream.only_request().target, "/v1/x?a=1");
  EXPECT_EQ(text_of(keygate.wait_for_log_of("/v1/x"), "key_id"), k1.id);
}

TEST_F(OtherSources, OnlyTheKeysPairLeavesTheCookies) {
  EXPECT_EQ(expect_granted(request_to("/v1/x", "Cookie: a=1; kg_key=" + k1.text + "; b=2\r\n")).fields["cookie"],
            "a=1; b=2");
  EXPECT_EQ(expect_granted(request_to("/v1/x", "Cookie: kg_key=" + k1.text + "\r\n")).fields.count("cookie"), 0U);
  expect_denied(request_to("/v1/x", "Cookie: kg_key=" + k1.text + "; kg_key=" + ka.text + "\r\n"),
                {400, "ambiguous_credential", Ending::any});
  expect_denied(request_to("/v1/x", "Cookie: xkg_key=" + k1.text + "\r\n"), {401, "missing_credential", Ending::any});
}

TEST_F(OtherSources, BearerIsNoSourceUnlessListed) {
  expect_denied(request_to("/v1/x", k1.bearer()), {401, "missing_credential", Ending::any});
  EXPECT_EQ(expect_granted(request_to("/v1/x", "x-rk-key: " + k1.text + "\r\n")).fields.count_alike("x-rk-key"), 0U);
}

class Formats : public Scenario {
 protected:
  void SetUp() override { start({.more = "credentials: {formats: [{prefix: kg_, length: 48, checksum: crc32}]}\n"}); }
};

TEST_F(Formats, AKeyOfNoFormatIsRefusedWithoutALookUp) {
  std::string typo = k1.text;
  typo.back() = typo.back() == 'A' ? 'B' : 'A';
  const Denial malformed{401, "malformed_key", Ending::any};
  for (const std::string& text : {typo, k1.text.substr(0, 47), k1.text + "A", "xx_" + k1.text.substr(3),
                                  std::string("kg_"), std::string(300, 'a')}) {
    expect_denied(request_to("/v1/x", "Authorization: Bearer " + text + "\r\n"), malformed);
  }
  expect_granted(request_to("/v1/x", k1.bearer()));
  EXPECT_TRUE(eventually([&] { return keygate.access_log().size() == 7; }));
  for (const auto& line : keygate.access_log()) {
    EXPECT_EQ(text_of(line, "source").empty(), text_of(line, "code") == "malformed_key");
  }
}

class ConcurrentIdentity : public Scenario {};

TEST_F(ConcurrentIdentity, C03_EveryCallGetsItsOwnIdentity) {
  upstream.follow([](Turn& turn) {
    turn.read_body();
    turn.answer(200, turn.request().fields["x-org-id"] + " " + turn.request().fields["x-key-id"]);
  });
  start({.threads = 2});
  const Key other = keygate.create_key({.organization = "org_2", .scopes = "v1:read"});
  const std::array<std::pair<std::string, std::string>, 2> cases{
      {{request_to("/v1/x", k1.bearer()), "org_1 " + k1.id},
       {request_to("/v1/x", other.bearer()), "org_2 " + other.id}}};
  std::atomic<int> right{0};
  std::atomic<int> wrong{0};
  std::vector<std::thread> clients;
  for (std::size_t number = 0; number < 10; ++number) {
    clients.emplace_back([&, number] {
      try {
        RawClient client(keygate.port());
        for (std::size_t i = 0; i < 100; ++i) {
          const auto& [request, identity] = cases[(number + i) % 2];
          ++(client.ask(request).body == identity ? right : wrong);
        }
      } catch (const std::exception& failure) {
        ADD_FAILURE() << failure.what();
      }
    });
  }
  for (std::thread& client : clients) {
    client.join();
  }
  EXPECT_EQ(right, 1000);
  EXPECT_EQ(wrong, 0);
}

// A start that must fail, and a reload that must change nothing (C-12).
struct Broken {
  const char* name;
  std::string policy;
  std::string more;
  const char* said;  // part of what stderr must say
};

void PrintTo(const Broken& broken, std::ostream* out) { *out << broken.name; }

std::vector<Broken> broken() {
  const std::string standard(standard_policy);
  return {
      {"UnsetVariable", standard, "log: {level: \"${KEYGATE_TEST_UNSET}\"}\n", "KEYGATE_TEST_UNSET"},
      {"UnknownScope",
       "version: 1\nscopes: {\"a:b\": A}\nroutes:\n  - {name: a, match: {path: /a}, require: {scopes: \"a:c\"}}\n", "",
       "a:c"},
      {"EmptyPolicy", "", "", "policy.yaml"},
      {"PolicyWithoutRoutes", "version: 1\nscopes: {}\n", "", "policy.yaml"},
      {"EmptyScopeList",
       "version: 1\nscopes: {\"a:b\": A}\nroutes:\n  - {name: a, match: {path: /a}, require: {scopes: []}}\n", "",
       "policy.yaml:4"},
      {"EmptyRequire", "version: 1\nscopes: {\"a:b\": A}\nroutes:\n  - {name: a, match: {path: /a}, require: {}}\n", "",
       "policy.yaml:4"},
      {"OpenByOmission", "version: 1\nscopes: {\"a:b\": A}\nroutes:\n  - {name: a, match: {path: /a}}\n", "",
       "policy.yaml:4"},
      {"UnknownKey",
       "version: 1\nscopes: {\"a:b\": A}\nroutes:\n  - {name: a, match: {path: /a}, require: {scope: \"a:b\"}}\n", "",
       "scopes"},
      {"DuplicateKey",
       "version: 1\nscopes: {\"a:b\": A}\nroutes:\n  - {name: a, match: {path: /a}, require: {scopes: \"a:b\"}, "
       "require: {scopes: \"a:b\"}}\n",
       "", "policy.yaml:4"},
      {"SecondDocument", standard + "---\nversion: 1\n", "", "policy.yaml"},
      {"QuotedBoolean",
       "version: 1\nscopes: {\"a:b\": A}\nroutes:\n  - {name: a, match: {path: /a}, anonymous: \"true\"}\n", "",
       "policy.yaml:4"},
      {"OverlappingRoutes",
       "version: 1\nscopes: {\"a:b\": A}\nroutes:\n  - {name: a, match: {path: \"/a/{x}\"}, require: {scopes: "
       "\"a:b\"}}\n  - {name: b, match: {path: \"/a/{y}\"}, anonymous: true}\n",
       "", "policy.yaml:5"},
      {"TestKeysCouldReachLive", standard, "credentials: {formats: [{prefix: kg_test_, environment: test}]}\n",
       "environment"},
      {"UnknownUpstream",
       "version: 1\nscopes: {\"a:b\": A}\nroutes:\n  - {name: a, match: {path: /a}, require: {scopes: \"a:b\"}, "
       "upstream: nobody}\n",
       "", "nobody"},
      {"NearMiss", standard, "credentals: {}\n", "credentials"},
  };
}

class BrokenConfiguration : public Scenario, public testing::WithParamInterface<Broken> {
 protected:
  Config config() const {
    return {.policy = GetParam().policy, .upstream_port = upstream.port(), .more = GetParam().more};
  }
};

TEST_P(BrokenConfiguration, C12_RefusesToStart) {
  keygate.write_files(config());
  const Finished finished = keygate.run_to_failure();
  EXPECT_EQ(finished.status.code, 1) << finished.errors;
  EXPECT_NE(finished.errors.find(GetParam().said), std::string::npos) << finished.errors;
  EXPECT_FALSE(has_sanitizer_report(finished.errors)) << finished.errors;
}

TEST_P(BrokenConfiguration, C12_IsFoundByCheck) {
  keygate.write_files(config());
  const Finished finished = run({{keygate_binary(), "check", "-c", keygate.config_file()}});
  EXPECT_EQ(finished.status.code, 1) << finished.output << finished.errors;
  EXPECT_NE((finished.output + finished.errors).find(GetParam().said), std::string::npos)
      << finished.output << finished.errors;
}

TEST_P(BrokenConfiguration, C12_KeepsTheOldOneOnReload) {
  start();
  if (!GetParam().more.empty()) {
    keygate.directory().write("keygate.yaml", read_file(keygate.config_file()) + GetParam().more);
  }
  keygate.rewrite_policy(GetParam().policy);
  keygate.signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return keygate.errors().find(GetParam().said) != std::string::npos; }))
      << keygate.errors();
  expect_granted(request_to("/v1/x", k1.bearer()));
  expect_denied(request_to("/admin/x", k1.bearer()), {403, "insufficient_scope", Ending::any});
  EXPECT_EQ(keygate.readiness(), 200);
}

INSTANTIATE_TEST_SUITE_P(Fault, BrokenConfiguration, testing::ValuesIn(broken()),
                         [](const auto& row) { return std::string(row.param.name); });

class Check : public Scenario {};

TEST_F(Check, AGoodConfigurationPassesAndOpensNothing) {
  keygate.write_files({.upstream_port = upstream.port()});
  const Finished finished = run({{keygate_binary(), "check", "-c", keygate.config_file()}});
  EXPECT_EQ(finished.status.code, 0) << finished.output << finished.errors;
  EXPECT_FALSE(std::filesystem::exists(keygate.store_file())) << "check has made a store";
  EXPECT_EQ(upstream.connections(), 0U);
}

TEST_F(Check, AllFaultsAreToldAtOnceWithTheirPlaces) {
  keygate.write_files({.policy = "version: 1\nscopes: {\"a:b\": A}\nroutes:\n  - {name: a, match: {path: a}, "
                                 "anonymous: true}\n  - {name: b, match: {path: /b}, require: {scopes: \"x:y\"}}\n",
                       .upstream_port = 1,
                       .more = "lmits: {}\n"});
  const Finished finished = run({{keygate_binary(), "check", "-c", keygate.config_file()}});
  EXPECT_EQ(finished.status.code, 1);
  const std::string said = finished.output + finished.errors;
  for (const char* part : {"policy.yaml:4:", "policy.yaml:5:", "keygate.yaml:", "limits"}) {
    EXPECT_NE(said.find(part), std::string::npos) << part << " in " << said;
  }
}

TEST_F(Check, WrongUsageIsTwo) {
  EXPECT_EQ(run({{keygate_binary(), "run", "--no-such-option"}}).status.code, 2);
  EXPECT_EQ(run({{keygate_binary(), "check"}}).status.code, 2);
  EXPECT_EQ(run({{keygate_binary(), "no-such-verb"}}).status.code, 2);
  EXPECT_EQ(run({{keygate_binary(), "run", "-c", "/nonexistent/keygate.yaml"}}).status.code, 1);
}

TEST_F(Check, VersionSaysWhatThisIs) {
  const Finished finished = run({{keygate_binary(), "version"}});
  EXPECT_EQ(finished.status.code, 0);
  EXPECT_TRUE(finished.output.starts_with("keygate ")) << finished.output;
}

class Scopes : public Scenario {
 protected:
  void SetUp() override {
    start({.policy = R"(version: 1
scopes:
  "projects:read": Read
  "projects:readwrite": Read and write
  "projects:write": {description: Write, implies: ["projects:read"]}
  "projects:purge": {description: Purge, restricted: true}
  admin: {description: Administration, restricted: true}
routes:
  - {name: read, match: {path: /read}, require: {scopes: "projects:read"}}
  - {name: readwrite, match: {path: /readwrite}, require: {scopes: "projects:readwrite"}}
  - {name: write, match: {path: /write}, require: {scopes: "projects:write"}}
  - {name: purge, match: {path: /purge}, require: {scopes: "projects:purge"}}
  - {name: admin, match: {path: /admin}, require: {scopes: admin}}
  - {name: all, match: {path: /all}, require: {scopes: {all: ["projects:read", "projects:readwrite"]}}}
  - {name: any, match: {path: /any}, require: {scopes: {any: ["projects:read", "projects:readwrite"]}}}
  - {name: optional, match: {path: /optional}, require: {scopes: "projects:read"}, optional: true}
)"});
  }

  // The paths that a key with these scopes may call.
  void expect_reach(const std::string& scopes, const std::vector<std::string>& reached) {
    const Key key = keygate.create_key({.organization = "org_1", .scopes = scopes});
    for (const std::string path : {"/read", "/readwrite", "/write", "/purge", "/admin", "/all", "/any"}) {
      const bool may = std::find(reached.begin(), reached.end(), path) != reached.end();
      EXPECT_EQ(ask(request_to(path, key.bearer())).status, may ? 200 : 403) << scopes << " on " << path;
    }
  }
};

TEST_F(Scopes, C14_ScopesAreExactStrings) {
  expect_reach("projects:read", {"/read", "/any"});
  expect_reach("projects:readwrite", {"/readwrite", "/any"});
  expect_reach("projects:read,projects:readwrite", {"/read", "/readwrite", "/all", "/any"});
}

TEST_F(Scopes, C14_NothingIsImpliedUnlessTheCatalogueSaysSo) {
  expect_reach("projects:write", {"/read", "/write", "/any"});
  expect_reach("admin", {"/admin"});
}

TEST_F(Scopes, C14_WildcardsHoldNothingRestricted) {
  expect_reach("projects:*", {"/read", "/readwrite", "/write", "/all", "/any"});
  expect_reach("projects:*,projects:purge", {"/read", "/readwrite", "/write", "/purge", "/all", "/any"});
}

TEST_F(Scopes, C14_ScopesOutsideTheCatalogueCountForNothing) { expect_reach("other:read,project:read", {}); }

TEST_F(Scopes, AnOptionalRouteTakesNoKeyOrAGoodOne) {
  EXPECT_EQ(expect_granted(request_to("/optional")).fields["x-auth-method"], "anonymous");
  EXPECT_EQ(expect_granted(request_to("/optional")).fields.count("x-org-id"), 0U);
  const Key key = keygate.create_key({.organization = "org_1", .scopes = "projects:read"});
  EXPECT_EQ(expect_granted(request_to("/optional", key.bearer())).fields["x-org-id"], "org_1");
  expect_denied(request_to("/optional", kr.bearer()), {401, "revoked_key", Ending::any});
  expect_denied(request_to("/optional", "Authorization: Bearer x\r\n"), {401, "malformed_key", Ending::any});
  expect_denied(request_to("/optional", "Authorization: Bearer kg_" + std::string(45, 'x') + "\r\n"),
                {401, "invalid_key", Ending::any});
}

TEST_F(Scenario, A05_WhatAnAdminSecretGetsIsNotForSharedCachesEither) {
  const std::string secret(48, 's');
  start_without_keys(
      {.policy = "version: 1\nscopes: {admin: everything}\nroutes:\n"
                 "  - {name: all, match: {path: '/{rest...}'}, require: {scopes: admin, credentials: [admin]}}\n",
       .more = "credentials: {admin_secrets: [{name: ops, secret: " + secret + ", scopes: [admin]}]}\n"});
  EXPECT_TRUE(ask(request_to("/v1/x", "x-api-key: " + secret + "\r\n")).fields.lists("cache-control", "private"));
  EXPECT_FALSE(ask(request_to("/v1/x", "Authorization: Bearer " + secret + "\r\n")).fields.has("cache-control"));
}

}  // namespace
}  // namespace keygate::test
