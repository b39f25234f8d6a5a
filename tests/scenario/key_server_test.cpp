// `keygate keyserver` over a real socket: who may ask what, what is answered, and what becomes of it in the store.
#include "tests/support/keygate.hpp"
#include "tests/support/scenario.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cctype>
#include <memory>
#include <signal.h>
#include <string>
#include <vector>

namespace keygate::test {
namespace {

namespace json = boost::json;
using testing::HasSubstr;
using testing::Not;

const std::string proxy_token = "proxy-token-0123456789abcdefghijkl";
const std::string manage_token = "manage-token-0123456789abcdefghijk";
const std::string admin_token = "admin-token-0123456789abcdefghijkl";

constexpr std::string_view catalogue = R"(scopes:
  "projects:read": List projects
  "projects:write": {description: Change projects, implies: ["projects:read"]}
  "keys:write": Manage keys
  admin: {description: Everything, restricted: true}
)";

class KeyServer : public testing::Test {
 protected:
  void SetUp() override { start(); }

  void TearDown() override {
    if (!process_ || process_->exited()) return;
    stop();
  }

  void start() {
    for (const auto& [name, text] :
         {std::pair{"proxy", proxy_token}, {"manage", manage_token}, {"admin", admin_token}}) {
      directory_.write(name, text + "\n");
    }
    directory_.write("policy.yaml", catalogue);
    for (int attempt = 0; attempt < 3; ++attempt) {
      port_ = free_port();
      health_port_ = free_port();
      directory_.write("keyserver.yaml",
                       "listen: 127.0.0.1:" + std::to_string(port_) +
                           "\nhealth: {address: \"127.0.0.1:" + std::to_string(health_port_) +
                           "\"}\nresolution: {store: {path: keys.db}}\npolicy: policy.yaml\n"
                           "limits: {drain_delay: 0s, drain_timeout: 5s, header_timeout: 1s}\n"
                           "key_service: {token_file: proxy, manage_token_file: manage, admin_token_file: admin}\n");
      process_ = std::make_unique<Process>(Command{{keygate_binary(), "keyserver", "-c", config_file()}});
      eventually([&] { return process_->exited() || readiness() == 200; });
      if (!process_->exited()) return;
    }
    FAIL() << "the key server does not come up: " << process_->errors();
  }

  void stop() {
    process_->signal(SIGTERM);
    const auto status = process_->wait();
    ASSERT_TRUE(status) << "it does not end";
    EXPECT_EQ(*status, (ExitStatus{0, 0})) << process_->errors();
    EXPECT_FALSE(has_sanitizer_report(process_->errors())) << process_->errors();
    for (const std::string& key : known_) {
      EXPECT_THAT(process_->errors(), Not(HasSubstr(key.substr(14)))) << "a key is in the log";
    }
  }

  std::string config_file() const { return directory_ / "keyserver.yaml"; }

  int readiness() const {
    try {
      return test::ask(health_port_, "GET /readyz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").status;
    } catch (const std::exception&) {
      return 0;
    }
  }

  static std::string request(std::string_view method, std::string_view target, const std::string& token,
                             const std::string& body = "", const std::string& fields = "") {
    const std::string authorization = token.empty() ? "" : "Authorization: Bearer " + token + "\r\n";
    const std::string length = body.empty() ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: keys.local\r\n" + authorization +
           fields + length + "\r\n" + body;
  }

  Response call(std::string_view method, std::string_view target, const std::string& token,
                const std::string& body = "", const std::string& fields = "") {
    return test::ask(port_, request(method, target, token, body, fields));
  }

  static json::object object_in(const Response& response) {
    const json::value value = json::parse(response.body);
    return value.is_object() ? value.as_object() : json::object();
  }

  static void expect_code(const Response& response, int status, const std::string& code) {
    EXPECT_EQ(response.status, status) << response.body;
    EXPECT_EQ(response.fields["content-type"], "application/problem+json");
    const json::object body = object_in(response);
    EXPECT_EQ(text_of(body, "code"), code) << response.body;
    EXPECT_EQ(text_of(body, "type"), "urn:keygate:error:" + code);
    EXPECT_EQ(text_of(body, "status"), std::to_string(status));
    EXPECT_NE(text_of(body, "request_id"), "");
  }

  json::object create(const std::string& organization = "org_1", const std::string& scopes = R"("projects:read")",
                      const std::string& more = "") {
    const Response response =
        call("POST", "/v1/keys", admin_token,
             R"({"organization_id": ")" + organization + R"(", "scopes": [)" + scopes + "]" + more + "}");
    EXPECT_EQ(response.status, 201) << response.body;
    json::object made = object_in(response);
    known_.push_back(text_of(made, "key"));
    return made;
  }

  json::object verify(const std::string& key) {
    const Response response = call("POST", "/v1/keys/verify", proxy_token, R"({"key": ")" + key + R"("})");
    EXPECT_EQ(response.status, 200) << response.body;
    return object_in(response);
  }

  // `keygate keys VERB… --service URL --token-file F`.
  Finished remote(std::vector<std::string> arguments, const std::string& token = "admin") const {
    std::vector<std::string> argv{keygate_binary(), "keys"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    argv.insert(argv.end(),
                {"--service", "http://127.0.0.1:" + std::to_string(port_), "--token-file", directory_ / token});
    return run({argv});
  }
  Finished local(std::vector<std::string> arguments) const {
    std::vector<std::string> argv{keygate_binary(), "keys"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    argv.insert(argv.end(), {"--store", directory_ / "keys.db"});
    return run({argv});
  }

  static std::string behalf_of(const std::string& organization, const std::string& scopes) {
    return "X-Org-Id: " + organization + "\r\nX-Scopes: " + scopes + "\r\n";
  }

  std::string digest_of(const std::string& key) const { return sha256_of_file(directory_.write("key", key)); }

  TempDir directory_;
  std::uint16_t port_ = 0, health_port_ = 0;
  std::unique_ptr<Process> process_;
  std::vector<std::string> known_;
};

TEST_F(KeyServer, VerifiesInTheNativeDialect) {
  const json::object made = create("org_1", R"("projects:read", "keys:write")",
                                   R"(, "user_id": "user_7", "name": "CI", "environment": "live", "expires_in": "1h")");
  const json::object found = verify(text_of(made, "key"));
  EXPECT_EQ(found.at("valid"), json::value(true));
  EXPECT_EQ(text_of(found, "key_id"), text_of(made, "key_id"));
  EXPECT_EQ(text_of(found, "organization_id"), "org_1");
  EXPECT_EQ(text_of(found, "user_id"), "user_7");
  EXPECT_EQ(text_of(found, "name"), "CI");
  EXPECT_EQ(text_of(found, "environment"), "live");
  EXPECT_EQ(found.at("scopes"), (json::array{"projects:read", "keys:write"}));
  EXPECT_TRUE(found.at("expires_at").is_int64());
  EXPECT_EQ(verify("kg_nobody"), (json::object{{"valid", false}, {"code", "unknown"}}));
}

TEST_F(KeyServer, ShowsAKeyOnceAndNeverAgain) {
  const json::object made = create();
  const std::string key = text_of(made, "key"), id = text_of(made, "key_id");
  EXPECT_EQ(key.size(), 48U);
  for (const std::string& target : {"/v1/keys/" + id, std::string("/v1/keys"), std::string("/v1/usage")}) {
    const Response response = call("GET", target, admin_token);
    EXPECT_EQ(response.status, 200);
    EXPECT_THAT(response.body, HasSubstr(id));
    EXPECT_THAT(response.body, Not(HasSubstr(key.substr(14))));
    EXPECT_EQ(response.fields["cache-control"], "no-store");
  }
}

TEST_F(KeyServer, EachTokenOpensItsOwnOperationsAndNoOthers) {
  expect_code(call("GET", "/v1/keys", ""), 401, "missing_credential");
  expect_code(call("GET", "/v1/keys", "", "", "Authorization: Basic eDp5\r\n"), 401, "missing_credential");
  expect_code(call("GET", "/v1/keys", "wrong"), 401, "invalid_token");
  expect_code(call("GET", "/v1/keys", admin_token + "x"), 401, "invalid_token");
  for (const auto& [method, target] : {std::pair{"POST", "/v1/keys"},
                                       {"GET", "/v1/keys"},
                                       {"GET", "/v1/keys/key_1"},
                                       {"POST", "/v1/keys/key_1/rotate"},
                                       {"DELETE", "/v1/keys/key_1"},
                                       {"GET", "/v1/usage"}}) {
    expect_code(call(method, target, proxy_token), 403, "credential_not_accepted");
  }
  const std::string customer = behalf_of("org_1", "keys:write");
  for (const auto* const target : {"/v1/keys/verify", "/v1/usage"}) {
    expect_code(call("POST", target, manage_token, "{}", customer), 403, "credential_not_accepted");
  }
  EXPECT_EQ(call("POST", "/v1/keys/verify", admin_token, R"({"key": "x"})").status, 200);
}

TEST_F(KeyServer, ATwiceSentTokenIsNobodys) {
  const Response response = call("GET", "/v1/keys", admin_token, "", "Authorization: Bearer " + admin_token + "\r\n");
  expect_code(response, 400, "bad_request");
}

TEST_F(KeyServer, ACustomerSeesTheirOwnOrganizationAlone) {
  const std::string mine = text_of(create("org_1"), "key_id"), theirs = text_of(create("org_2"), "key_id");
  const std::string customer = behalf_of("org_1", "projects:read keys:write");
  EXPECT_EQ(call("GET", "/v1/keys/" + mine, manage_token, "", customer).status, 200);
  expect_code(call("GET", "/v1/keys/" + theirs, manage_token, "", customer), 404, "not_found");
  expect_code(call("DELETE", "/v1/keys/" + theirs, manage_token, "", customer), 404, "not_found");
  expect_code(call("POST", "/v1/keys/" + theirs + "/rotate", manage_token, "", customer), 404, "not_found");
  const Response list = call("GET", "/v1/keys", manage_token, "", customer);
  EXPECT_THAT(list.body, HasSubstr(mine));
  EXPECT_THAT(list.body, Not(HasSubstr(theirs)));
  EXPECT_THAT(call("GET", "/v1/usage", manage_token, "", customer).body, Not(HasSubstr(theirs)));
  expect_code(call("GET", "/v1/keys?organization_id=org_2", manage_token, "", customer), 403, "wrong_organization");
  expect_code(call("GET", "/v1/keys?after=" + theirs, manage_token, "", customer), 404, "not_found");
  expect_code(call("GET", "/v1/usage?after=" + theirs, manage_token, "", customer), 404, "not_found");
  expect_code(
      call("POST", "/v1/keys", manage_token, R"({"organization_id": "org_2", "scopes": ["keys:write"]})", customer),
      403, "wrong_organization");
  for (const char* const none : {"", "X-Scopes: keys:write\r\n", "X-Org-Id: \r\n", "X-Org-Id: a b\r\n"}) {
    expect_code(call("GET", "/v1/keys", manage_token, "", none), 403, "wrong_organization");
  }
  expect_code(call("GET", "/v1/keys", manage_token, "", "X-Org-Id: org_1\r\nX-Org-Id: org_2\r\n"), 400, "bad_request");
  EXPECT_EQ(call("GET", "/v1/keys/" + theirs, admin_token).status, 200);
}

TEST_F(KeyServer, ACustomerGrantsNoMoreThanTheyHold) {
  const std::string customer = behalf_of("org_1", "projects:read keys:write admin");
  const auto ask_for = [&](const std::string& scope) {
    return call("POST", "/v1/keys", manage_token, R"({"scopes": [")" + scope + R"("]})", customer);
  };
  const Response made = ask_for("projects:read");
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(text_of(object_in(made), "organization_id"), "org_1");
  for (const char* const beyond : {"projects:write", "*", "projects:*", "admin"}) {
    expect_code(ask_for(beyond), 422, "invalid_scope");
    EXPECT_EQ(object_in(ask_for(beyond)).at("invalid_scopes"), json::array{beyond});
  }
  // A rotated key's text would come to whoever asks.
  const std::string wide = text_of(create("org_1", R"("projects:write")"), "key_id");
  expect_code(call("POST", "/v1/keys/" + wide + "/rotate", manage_token, "", customer), 403, "insufficient_scope");
  EXPECT_EQ(call("DELETE", "/v1/keys/" + wide, manage_token, "", customer).status, 200) << "but they may end it";
}

TEST_F(KeyServer, ATestKeyMakesNoLiveOnes) {
  const std::string customer = behalf_of("org_1", "projects:read") + "X-Environment: test\r\n";
  const Response own = call("POST", "/v1/keys", manage_token, R"({"scopes": ["projects:read"]})", customer);
  EXPECT_EQ(text_of(object_in(own), "environment"), "test") << own.body;
  expect_code(
      call("POST", "/v1/keys", manage_token, R"({"scopes": ["projects:read"], "environment": "live"})", customer), 422,
      "invalid_field");
  const std::string live = text_of(create("org_1", R"("projects:read")", R"(, "environment": "live")"), "key_id");
  expect_code(call("POST", "/v1/keys/" + live + "/rotate", manage_token, "", customer), 403, "insufficient_scope");
}

TEST_F(KeyServer, ScopesAreThoseOfTheCatalogueAndRestrictedOnesAreTheAdmins) {
  const Response unknown =
      call("POST", "/v1/keys", admin_token, R"({"organization_id": "o", "scopes": ["project:read", "no scope"]})");
  expect_code(unknown, 422, "invalid_scope");
  EXPECT_THAT(unknown.body, HasSubstr("did you mean \\\"projects:read\\\"?"));
  EXPECT_EQ(object_in(unknown).at("invalid_scopes"), (json::array{"project:read", "no scope"}));
  EXPECT_EQ(text_of(create("org_1", R"("admin")"), "state"), "valid");
  create("org_1", R"("*")");
}

TEST_F(KeyServer, FieldsThatCannotBeAreNamed) {
  expect_code(call("POST", "/v1/keys", admin_token, "{"), 400, "bad_request");
  expect_code(call("POST", "/v1/keys", admin_token, R"({"scopes": ["projects:read"]})"), 400, "bad_request");
  for (const std::string more :
       {R"("organization_id": "a b")", R"("organization_id": "o", "prefix": "has blank")",
        R"("organization_id": "o", "environment": "prod")", R"("organization_id": "o", "expires_in": 0)"}) {
    expect_code(call("POST", "/v1/keys", admin_token, R"({"scopes": ["projects:read"], )" + std::string(more) + "}"),
                422, "invalid_field");
  }
  expect_code(call("POST", "/v1/keys", admin_token, R"({"organization_id": "o", "scopes": []})"), 422, "invalid_field");
  const Response unknown = call("POST", "/v1/keys", admin_token, R"({"organisation_id": "o"})");
  expect_code(unknown, 400, "bad_request");
  EXPECT_THAT(unknown.body, HasSubstr("organization_id"));
}

TEST_F(KeyServer, RestrictionsAreKeptShownAndToldToProxies) {
  const std::string bounds = R"("allowed_cidrs":["10.0.0.0/8","::1/128"],"rate_limit":{"limit":600,"window":"60s"})";
  const json::object made = create("org_1", R"("projects:read")", ", " + bounds);
  const Response shown = call("GET", "/v1/keys/" + text_of(made, "key_id"), admin_token);
  EXPECT_THAT(shown.body, HasSubstr(bounds));
  EXPECT_THAT(json::serialize(verify(text_of(made, "key"))), HasSubstr(bounds));
  for (const std::string more : {R"("allowed_cidrs": [])", R"("allowed_cidrs": ["10.0.0.1/8"])",
                                 R"("rate_limit": {"limit": 600})", R"("rate_limit": "600/1m")"}) {
    const Response refused =
        call("POST", "/v1/keys", admin_token, R"({"organization_id": "o", "scopes": ["projects:read"], )" + more + "}");
    expect_code(refused, 422, "invalid_field");
    EXPECT_THAT(refused.body, HasSubstr(more.substr(1, more.find('"', 1) - 1)));
  }
}

TEST_F(KeyServer, RotationGivesTheOldKeyItsGrace) {
  const json::object old = create();
  const std::string target = "/v1/keys/" + text_of(old, "key_id") + "/rotate";
  const Response rotated = call("POST", target, admin_token, R"({"grace": "1h"})");
  EXPECT_EQ(rotated.status, 201) << rotated.body;
  const json::object fresh = object_in(rotated);
  known_.push_back(text_of(fresh, "key"));
  EXPECT_EQ(verify(text_of(old, "key")).at("valid"), json::value(true));
  EXPECT_EQ(verify(text_of(fresh, "key")).at("valid"), json::value(true));
  EXPECT_EQ(text_of(fresh.at("replaces").as_object(), "rotated_to"), text_of(fresh, "key_id"));
  const std::string again = "/v1/keys/" + text_of(fresh, "key_id") + "/rotate";
  EXPECT_EQ(call("POST", again, admin_token, R"({"grace": 0})").status, 201);
  EXPECT_EQ(text_of(verify(text_of(fresh, "key")), "code"), "expired");
  expect_code(call("POST", again, admin_token), 409, "conflict");
}

TEST_F(KeyServer, RevocationIsForGoodAndSaysWhetherProxiesWereTold) {
  const json::object made = create();
  const std::string target = "/v1/keys/" + text_of(made, "key_id");
  const Response revoked = call("DELETE", target, admin_token);
  EXPECT_EQ(revoked.status, 200) << revoked.body;
  EXPECT_EQ(text_of(object_in(revoked), "state"), "revoked");
  EXPECT_EQ(object_in(revoked).at("pushed"), json::value(false)) << "there is no Redis to tell them by";
  EXPECT_EQ(text_of(verify(text_of(made, "key")), "code"), "revoked");
  expect_code(call("POST", target + "/rotate", admin_token), 409, "conflict");
  EXPECT_EQ(text_of(object_in(call("DELETE", target, admin_token)), "revoked_at"),
            text_of(object_in(revoked), "revoked_at"));
  expect_code(call("DELETE", "/v1/keys/key_none", admin_token), 404, "not_found");
}

TEST_F(KeyServer, SeesWhatTheCommandLineDoesToItsStore) {
  const json::object made = create();
  ASSERT_EQ(local({"revoke", text_of(made, "key_id")}).status.code, 0);
  EXPECT_EQ(text_of(verify(text_of(made, "key")), "code"), "revoked");
}

TEST_F(KeyServer, UsesComeToTheReport) {
  const json::object made = create("org_1", R"("*")");
  const json::value shown = json::parse(local({"show", text_of(made, "key_id"), "--json"}).output);
  EXPECT_EQ(text_of(shown.as_object(), "last_used_at"), "");
  const std::string digest = digest_of(text_of(made, "key"));
  const Response noted = call("POST", "/v1/usage", proxy_token,
                              R"({"uses": [{"digest": ")" + digest +
                                  R"(", "at": 1750000000, "scopes": ["projects:read", "projects:write"]}]})");
  EXPECT_EQ(noted.status, 202) << noted.body;
  const auto reported = [&] {
    const Response report = call("GET", "/v1/usage?organization_id=org_1", admin_token);
    return object_in(report).at("keys").at(0).at("needed") == json::array{"projects:write"};
  };
  EXPECT_TRUE(eventually(reported)) << call("GET", "/v1/usage", admin_token).body;
  EXPECT_THAT(remote({"report", "--org", "org_1"}).output, HasSubstr("needs:   projects:write  (last used 2025-06-15"));
  EXPECT_THAT(local({"report"}).output, HasSubstr("needs:   projects:read,projects:write"));
  for (const std::string& faulty :
       {std::string(R"({"uses": 1})"), std::string(R"({"uses": [{"digest": "00", "at": 1}]})"),
        R"({"uses": [{"digest": ")" + digest + R"(", "at": "now"}]})"}) {
    expect_code(call("POST", "/v1/usage", proxy_token, faulty), 400, "bad_request");
  }
}

TEST_F(KeyServer, TheCommandLineDoesAllOfItByService) {
  const Finished made =
      remote({"create", "--org", "org_1", "--scopes", "projects:read", "--name", "laptop", "--expires-in", "90d"});
  ASSERT_EQ(made.status.code, 0) << made.errors;
  const std::string key = made.output.substr(0, 48);
  known_.push_back(key);
  const std::string id = made.errors.substr(0, 24);
  EXPECT_EQ(text_of(verify(key), "key_id"), id);
  EXPECT_THAT(remote({"list"}).output, HasSubstr(id));
  EXPECT_THAT(remote({"show", id}).output, HasSubstr("name:         laptop"));
  const Finished rotated = remote({"rotate", id, "--grace", "0s", "--json"});
  ASSERT_EQ(rotated.status.code, 0) << rotated.errors;
  const json::object fresh = json::parse(rotated.output).as_object();
  known_.push_back(text_of(fresh, "key"));
  EXPECT_EQ(text_of(verify(key), "code"), "expired");
  EXPECT_THAT(remote({"revoke", text_of(fresh, "key_id")}).output, HasSubstr("revoked 20"));
  EXPECT_EQ(text_of(verify(text_of(fresh, "key")), "code"), "revoked");
}

TEST_F(KeyServer, TheCommandLineReadsAllPages) {
  create();
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open((directory_ / "keys.db").c_str(), &database), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(database,
                         "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)"
                         "INSERT INTO keys (id, digest, shown_prefix, prefix, organization, user, name, environment,"
                         " scopes, created_at) SELECT 'key_' || i, randomblob(32), 'kg_', 'kg_', 'org_1', '', '', '',"
                         " 'projects:read', 1750000000 FROM n",
                         nullptr, nullptr, nullptr),
            SQLITE_OK)
      << sqlite3_errmsg(database);
  sqlite3_close(database);
  for (const char* const verb : {"list", "report"}) {
    const Finished asked = remote({verb, "--org", "org_1", "--json"});
    ASSERT_EQ(asked.status.code, 0) << asked.errors;
    EXPECT_EQ(json::parse(asked.output).at("keys").as_array().size(), 1201U) << verb;
  }
  EXPECT_EQ(object_in(call("GET", "/v1/usage", admin_token)).at("keys").as_array().size(), 500U);
}

TEST_F(KeyServer, TheCommandLineSaysWhatTheServiceRefuses) {
  const Finished unknown = remote({"create", "--org", "org_1", "--scopes", "project:read"});
  EXPECT_EQ(unknown.status.code, 1);
  EXPECT_THAT(unknown.errors, HasSubstr("invalid_scope: \"project:read\" is not in the catalogue"));
  EXPECT_THAT(remote({"list"}, "proxy").errors, HasSubstr("credential_not_accepted"));
  EXPECT_THAT(remote({"show", "../usage"}).errors, HasSubstr("not_found"));
  EXPECT_EQ(remote({"list", "--store", "x.db"}).status.code, 2);
  EXPECT_EQ(run({{keygate_binary(), "keys", "list", "--service", "http://127.0.0.1:1"}}).status.code, 2);
  const Finished nobody =
      run({{keygate_binary(), "keys", "list", "--service", "http://127.0.0.1:" + std::to_string(free_port()),
            "--token-file", directory_ / "admin"}});
  EXPECT_EQ(nobody.status.code, 1);
  EXPECT_THAT(nobody.errors, HasSubstr("does not answer"));
}

TEST_F(KeyServer, ItsDocumentListsWhatItAnswers) {
  const Response response = call("GET", "/openapi.json", "");
  EXPECT_EQ(response.status, 200);
  const json::object document = object_in(response);
  std::size_t count = 0;
  for (const auto& path : document.at("paths").as_object()) {
    for (const auto& entry : path.value().as_object()) {
      std::string method(entry.key());
      for (char& c : method) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      // There is such an operation: without a token it is 401, and neither 404 nor 405.
      expect_code(call(method, std::string(path.key()), ""), 401, "missing_credential");
      ++count;
    }
  }
  EXPECT_EQ(count, 8U);
  expect_code(call("GET", "/v1/nothing", admin_token), 404, "not_found");
  const Response put = call("PUT", "/v1/keys", admin_token);
  expect_code(put, 405, "method_not_allowed");
  EXPECT_EQ(put.fields["allow"], "POST, GET");
}

TEST_F(KeyServer, KeepsConnectionsAndClosesThemWhenItDrains) {
  RawClient client(port_);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.ask(request("GET", "/v1/keys", admin_token)).status, 200);
  EXPECT_EQ(client.ask(request("GET", "/v1/keys", "")).status, 401);
  process_->signal(SIGTERM);
  EXPECT_TRUE(client.is_ended());
  EXPECT_EQ(process_->wait(), (ExitStatus{0, 0})) << process_->errors();
}

TEST_F(KeyServer, RefusesWhatIsTooLargeOrNoHttp) {
  expect_code(call("POST", "/v1/keys/verify", proxy_token, R"({"key": ")" + std::string(65536, 'x') + R"("})"), 413,
              "body_too_large");
  expect_code(call("GET", "/v1/keys", admin_token, "", "X-Long: " + std::string(20000, 'x') + "\r\n"), 431,
              "header_too_large");
  expect_code(test::ask(port_, "GET / HTTP/9\r\n\r\n"), 400, "bad_request");
  EXPECT_EQ(readiness(), 200);
}

// A proxy in front that pools its connections would take the body for the next answer.
TEST_F(KeyServer, AnAnswerToHeadHasNoBody) {
  for (const auto* const target : {"/v1/keys", "/openapi.json", "/nowhere"}) {
    RawClient client(port_);
    const Response head = client.ask(request("HEAD", target, admin_token), AnswerTo::head);
    EXPECT_GE(head.status, 404) << target;
    EXPECT_LE(head.status, 405) << target;
    EXPECT_EQ(client.ask(request("GET", "/v1/keys", admin_token)).status, 200) << target;
  }
}

// What follows would be another request to it, and a body to whoever stands in front.
TEST_F(KeyServer, HeadsThatAreNotReadAlikeByAllEndTheConnection) {
  const std::string smuggled = request("GET", "/v1/keys", admin_token);
  const std::string token = "Authorization: Bearer " + admin_token + "\r\n";
  const std::string start = "GET /v1/keys HTTP/1.1\r\n" + token;
  for (const std::string& head : {start + "Host: h\r\nTransfer-Encoding: identity\r\n\r\n",
                                  start + "Host: h\r\nTransfer-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
                                  start + "Host: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                                  start + "\r\n", start + "Host: h\r\nHost: i\r\n\r\n"}) {
    RawClient client(port_);
    client.send(head + smuggled);
    const Response response = client.read_response();
    expect_code(response, 400, "bad_request");
    EXPECT_EQ(response.fields["connection"], "close") << head;
    EXPECT_TRUE(client.is_ended()) << head;
  }
  RawClient client(port_);
  const std::string verify = "POST /v1/keys/verify HTTP/1.1\r\nHost: h\r\n" + token;
  client.send(verify + "Transfer-Encoding: chunked\r\n\r\nc\r\n{\"key\": \"x\"}\r\n0\r\n\r\n");
  EXPECT_EQ(client.read_response().status, 200) << "chunked it may be";
}

TEST_F(KeyServer, EachCallThatManagesKeysLeavesALine) {
  const json::object made = create("org_1");
  const std::string id = text_of(made, "key_id"), key = text_of(made, "key");
  const auto line = [&](const std::string& text) {
    return eventually([&] { return process_->errors().find(text) != std::string::npos; });
  };
  EXPECT_TRUE(line(R"("level":"audit","message":"createKey by admin, organization org_1, key )" + id + ": 201"));
  verify(key);
  EXPECT_THAT(process_->errors(), Not(HasSubstr("verifyKey"))) << "proxies ask all the time";
  call("POST", "/v1/keys/verify", admin_token, R"({"key": ")" + key + R"("})");
  EXPECT_TRUE(line("verifyKey by admin, organization org_1, key " + id + ": 200"));
  const std::string customer = behalf_of("org_2", "keys:write") + "X-User-Id: user_7\r\nX-Key-Id: key_c\r\n";
  call("DELETE", "/v1/keys/" + id, manage_token, "", customer);
  EXPECT_TRUE(
      line("revokeKey by manager, user user_7, with key key_c, organization org_2, key " + id + ": 404 not_found"));
  call("GET", "/v1/keys?organization_id=org_1", manage_token, "", customer);
  EXPECT_TRUE(line("listKeys by manager, user user_7, with key key_c, organization org_2: 403 wrong_organization"));
  call("GET", "/v1/keys", proxy_token);
  EXPECT_TRUE(line("listKeys by proxy: 403 credential_not_accepted"));
  call("GET", "/v1/keys", "none-of-the-tokens-of-this-server");
  EXPECT_TRUE(line("listKeys by nobody: 401 invalid_token"));
  for (const std::string& token : {admin_token, manage_token, proxy_token}) {
    EXPECT_THAT(process_->errors(), Not(HasSubstr(token)));
  }
}

TEST_F(KeyServer, TheCommandLineSaysThatATokenGoesInClear) {
  EXPECT_THAT(remote({"list"}).errors, Not(HasSubstr("in clear")));
  const auto asked = [&](const std::string& url) {
    return run({{keygate_binary(), "keys", "list", "--service", url, "--token-file", directory_ / "admin"}}).errors;
  };
  EXPECT_THAT(asked("http://keys.invalid:1"), HasSubstr("the token goes to keys.invalid in clear; use https://"));
  EXPECT_THAT(asked("https://keys.invalid:1"), Not(HasSubstr("in clear")));
  EXPECT_THAT(asked("http://localhost:1"), Not(HasSubstr("in clear")));
}

TEST_F(KeyServer, AClientThatSendsHalfAHeadIsSentAway) {
  RawClient client(port_);
  client.send("GET /v1/keys HT");
  EXPECT_TRUE(client.is_ended());
}

TEST_F(KeyServer, AReloadTakesANewCatalogueAndKeepsTheOldOneWhereItIsFaulty) {
  const auto status_of = [&] {
    return call("POST", "/v1/keys", admin_token, R"({"organization_id": "o", "scopes": ["new:scope"]})").status;
  };
  EXPECT_EQ(status_of(), 422);
  directory_.write("policy.yaml", "scopes: {\"new:scope\": New}\n");
  process_->signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return status_of() == 201; }));
  directory_.write("policy.yaml", "scopes: [\n");
  process_->signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return process_->errors().find("reload refused") != std::string::npos; }));
  EXPECT_EQ(status_of(), 201);
}

TEST_F(KeyServer, AChangeToACatalogueOrATokenIsSeen) {
  const auto status_with = [&](const std::string& token) {
    return call("POST", "/v1/keys", token, R"({"organization_id": "o", "scopes": ["new:scope"]})").status;
  };
  EXPECT_EQ(status_with(admin_token), 422);
  directory_.write("policy.yaml", "scopes: {\"new:scope\": New}\n");
  EXPECT_TRUE(eventually([&] { return status_with(admin_token) == 201; })) << process_->errors();
  const std::string next(40, 'n');
  directory_.write("admin", proxy_token + "\n");  // two are the same
  EXPECT_TRUE(eventually([&] { return process_->errors().find("reload refused") != std::string::npos; }));
  EXPECT_EQ(status_with(admin_token), 201);
  directory_.write("admin", next + "\n");
  EXPECT_TRUE(eventually([&] { return status_with(next) == 201; })) << process_->errors();
  EXPECT_EQ(status_with(admin_token), 401);
}

TEST_F(KeyServer, CheckGuessesWhatTheFileIsFor) {
  const Finished checked = run({{keygate_binary(), "check", "-c", config_file()}});
  EXPECT_EQ(checked.status.code, 0) << checked.output;
  EXPECT_THAT(checked.output, HasSubstr("ok (a key server, 4 scopes)"));
}

TEST_F(KeyServer, WithoutAConfigurationTheFormOfScopesIsAllThatCounts) {
  stop();
  process_ = std::make_unique<Process>(
      Command{{keygate_binary(), "keyserver", "--store", directory_ / "keys.db", "--listen",
               "127.0.0.1:" + std::to_string(port_), "--admin-token-file", directory_ / "admin"}});
  ASSERT_TRUE(eventually([&] { return process_->errors().find("is serving") != std::string::npos; }))
      << process_->errors();
  EXPECT_EQ(text_of(create("org_1", R"("any:thing")"), "state"), "valid");
  expect_code(call("POST", "/v1/keys", admin_token, R"({"organization_id": "o", "scopes": ["No Scope"]})"), 422,
              "invalid_scope");
  expect_code(call("POST", "/v1/keys/verify", proxy_token, "{}"), 401, "invalid_token");
}

TEST_F(KeyServer, StartsOnlyWithTokensItCanRead) {
  const Finished none = run({{keygate_binary(), "keyserver", "--store", directory_ / "x.db"}});
  EXPECT_EQ(none.status.code, 2);
  const Finished missing =
      run({{keygate_binary(), "keyserver", "--store", directory_ / "x.db", "--token-file", directory_ / "nowhere"}});
  EXPECT_EQ(missing.status.code, 1);
  EXPECT_THAT(missing.errors, HasSubstr("nowhere\" cannot be read"));
}

}  // namespace
}  // namespace keygate::test
