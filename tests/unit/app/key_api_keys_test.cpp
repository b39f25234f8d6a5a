// What calls to the key server may cost, and what is said of them: scopes without end, pages, seats, the line in the
// log, heads that two readers would not read alike.
#include "app/key_api.hpp"
#include "app/key_audit.hpp"
#include "app/key_call.hpp"
#include "app/key_page.hpp"
#include "app/key_seats.hpp"
#include "tests/unit/keys/temp_folder.hpp"

#include <boost/beast/http/field.hpp>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace keygate::app {
namespace {

namespace http = boost::beast::http;
namespace json = boost::json;
using testing::HasSubstr;

constexpr std::int64_t now = 1'750'000'000;

std::shared_ptr<const ApiRules> rules_with(std::size_t scopes) {
  std::vector<policy::Catalogue::Scope> listed(scopes);
  for (std::size_t i = 0; i < scopes; ++i) {
    listed[i].name = "projects:action_" + std::to_string(i);
    listed[i].implied.add(i);
  }
  auto known = std::make_shared<policy::Policy>();
  known->catalogue = policy::Catalogue(std::move(listed));
  auto rules = std::make_shared<ApiRules>();
  rules->policy = std::move(known);
  return rules;
}

class KeyApiCalls : public testing::Test {
 protected:
  Answer call(std::string_view method, std::string_view path, Call made) {
    const Found found = find_operation(method, path);
    made.rules = rules_;
    if (made.asker == Asker::nobody) made.asker = Asker::admin;
    made.id = found.id;
    made.now = now;
    return perform(*found.operation, made, store_, uses_);
  }

  Answer create(const std::vector<std::string>& scopes) {
    json::array list(scopes.begin(), scopes.end());
    Call made;
    made.body = json::serialize(json::object{{"organization_id", "org_1"}, {"scopes", std::move(list)}});
    return call("POST", "/v1/keys", std::move(made));
  }

  void fill_store(int count, const std::vector<std::string>& scopes, const std::string& organization = "org_1") {
    keys::NewKey key;
    key.organization = organization;
    key.scopes = scopes;
    for (int i = 0; i < count; ++i) ASSERT_TRUE(store_.create(key, now).has_value());
  }

  // All ids, page by page; how large each page is, and how many there are.
  std::vector<std::string> all_pages(std::string_view path, const std::string& organization = "") {
    std::vector<std::string> ids;
    for (std::string after;;) {
      Call made;
      made.organization = organization;
      made.after = after;
      const Answer answer = call("GET", path, std::move(made));
      EXPECT_FALSE(answer.problem);
      largest_ = std::max(largest_, json::serialize(answer.body).size());
      ++pages_;
      for (const json::value& one : answer.body.at("keys").as_array()) ids.emplace_back(one.at("key_id").as_string());
      if (answer.body.at("next").is_null()) return ids;
      after = std::string(answer.body.at("next").as_string());
      EXPECT_EQ(after, ids.back());
    }
  }

  keys::TempFolder folder_;
  keys::Store store_ = std::move(*keys::Store::open(folder_.file("keys.db")));
  keys::NotedUses uses_;
  std::shared_ptr<const ApiRules> rules_ = rules_with(4);
  std::size_t largest_ = 0, pages_ = 0;
};

// 64 KiB of them cost a second, and whoever verified a key waited for it.
TEST_F(KeyApiCalls, MoreScopesThanAKeyMayHaveAreNotLookedAt) {
  rules_ = rules_with(512);
  const Answer answer = create(std::vector<std::string>(13'000, "ab"));
  ASSERT_TRUE(answer.problem);
  EXPECT_EQ(answer.problem->reason, ApiReason::invalid_field);
  EXPECT_THAT(answer.problem->detail, HasSubstr("\"scopes\" has to be 1 to 256 scope names"));
  EXPECT_TRUE(answer.problem->invalid_scopes.empty());
}

TEST_F(KeyApiCalls, HintsAreForTheFirstFewScopesAlone) {
  std::vector<std::string> scopes;
  for (int i = 0; i < 256; ++i) scopes.push_back("projects:actoin_" + std::to_string(i % 4));
  const Answer answer = create(scopes);
  ASSERT_TRUE(answer.problem);
  EXPECT_EQ(answer.problem->reason, ApiReason::invalid_scope);
  EXPECT_EQ(answer.problem->invalid_scopes, scopes) << "but all of them are named";
  std::size_t hints = 0;
  for (std::size_t at = 0; (at = answer.problem->detail.find("did you mean", at)) != std::string::npos; ++at) ++hints;
  EXPECT_EQ(hints, 3U);
  EXPECT_TRUE(answer.problem->detail.ends_with("; and 253 more.")) << answer.problem->detail;
}

TEST_F(KeyApiCalls, AWildcardIsListedWhereTheCatalogueHasItsResource) {
  EXPECT_EQ(create({"projects:*"}).status, 201);
  EXPECT_EQ(create({"project:*"}).problem->reason, ApiReason::invalid_scope);
  EXPECT_EQ(create({"projects:act*"}).problem->reason, ApiReason::invalid_scope);
}

TEST_F(KeyApiCalls, ListsAndReportsComeInPagesOfWhichEachKeyIsOnOne) {
  fill_store(501, {"projects:action_1"});
  fill_store(2, {"projects:action_1"}, "org_2");
  for (const std::string_view path : {"/v1/keys", "/v1/usage"}) {
    pages_ = 0;
    const auto ids = all_pages(path);
    EXPECT_EQ(ids.size(), 503U) << path;
    EXPECT_EQ(std::set(ids.begin(), ids.end()).size(), 503U) << path;
    EXPECT_EQ(pages_, 2U) << path;
    EXPECT_EQ(all_pages(path, "org_2").size(), 2U) << path;
  }
}

TEST_F(KeyApiCalls, PagesOfKeysWithManyScopesAreShort) {
  std::vector<std::string> scopes;
  for (int i = 0; i < 256; ++i) scopes.push_back("projects:" + std::string(50, 'a') + std::to_string(i));
  fill_store(200, scopes);
  for (const std::string_view path : {"/v1/keys", "/v1/usage"}) {
    largest_ = pages_ = 0;
    EXPECT_EQ(all_pages(path).size(), 200U) << path;
    EXPECT_GT(pages_, 2U) << path;
    EXPECT_LT(largest_, 2 * page_bytes) << path;
  }
}

TEST_F(KeyApiCalls, AnotherOrganizationsKeyIsNoPlaceToGoOnFrom) {
  fill_store(1, {"projects:action_1"}, "org_2");
  const std::string theirs = all_pages("/v1/keys").front();
  for (const std::string_view path : {"/v1/keys", "/v1/usage"}) {
    Call made;
    made.asker = Asker::manager;
    made.on_behalf.organization = "org_1";
    made.after = theirs;
    const Answer answer = call("GET", path, std::move(made));
    ASSERT_TRUE(answer.problem) << path;
    EXPECT_EQ(answer.problem->reason, ApiReason::not_found) << path;
  }
}

TEST(KeySeats, OneCustomerDoesNotKeepTheOthersOutNorAllOfThemTheOperator) {
  KeySeats seats;
  std::vector<KeySeats::Seat> taken;
  const auto take = [&](const std::string& customer) {
    auto seat = seats.take(customer);
    if (!seat) return false;
    taken.push_back(std::move(*seat));
    return true;
  };
  for (std::size_t i = 0; i < KeySeats::most_of_one; ++i) EXPECT_TRUE(take("org_1"));
  EXPECT_FALSE(take("org_1"));
  for (std::size_t i = KeySeats::most_of_one; i < KeySeats::most_of_customers; ++i) {
    EXPECT_TRUE(take("org_" + std::to_string(100 + i)));
  }
  EXPECT_FALSE(take("org_2"));
  for (std::size_t i = KeySeats::most_of_customers; i < KeySeats::most; ++i) EXPECT_TRUE(take(""));
  EXPECT_FALSE(take(""));
  taken.clear();
  for (std::size_t i = 0; i < KeySeats::most_of_one; ++i) EXPECT_TRUE(take("org_1"));
  EXPECT_FALSE(take("org_1")) << "each was given back once";
}

TEST(KeySeats, ASeatMayOutliveThem) {
  auto seats = std::make_unique<KeySeats>();
  const auto seat = seats->take("org_1");
  seats.reset();
  EXPECT_TRUE(seat);
}

struct AuditRow {
  std::string name, method, path;
  Call call;
  Answer answer;
  std::string line;  // empty: there is none
};

Answer refused(ApiReason reason) {
  Answer answer;
  answer.problem = ApiProblem{reason, {}, {}};
  return answer;
}

Answer done(int status, const char* body) {
  Answer answer;
  answer.status = status;
  answer.body = json::parse(body).as_object();
  return answer;
}

Call by(Asker asker, OnBehalf on_behalf = {}, std::string organization = "") {
  Call call;
  call.asker = asker;
  call.on_behalf = std::move(on_behalf);
  call.organization = std::move(organization);
  return call;
}

class KeyAudit : public testing::TestWithParam<AuditRow> {};

TEST_P(KeyAudit, SaysWhoDidWhatToWhichKey) {
  const Found found = find_operation(GetParam().method, GetParam().path);
  Call call = GetParam().call;
  call.id = found.id;
  EXPECT_EQ(audit_line(*found.operation, call, GetParam().answer).value_or(""), GetParam().line);
}

const OnBehalf customer{"org_1", "keys:write", "live", "user_7", "key_c"};

INSTANTIATE_TEST_SUITE_P(
    Lines, KeyAudit,
    testing::Values(
        AuditRow{"Create", "POST", "/v1/keys", by(Asker::admin),
                 done(201, R"({"key_id": "key_1", "organization_id": "org_1", "key": "kg_secret"})"),
                 "createKey by admin, organization org_1, key key_1: 201"},
        AuditRow{"Rotate", "POST", "/v1/keys/key_1/rotate", by(Asker::manager, customer),
                 done(201, R"({"key_id": "key_2", "organization_id": "org_1", "key": "kg_secret"})"),
                 "rotateKey by manager, user user_7, with key key_c, organization org_1, key key_1, new key key_2: "
                 "201"},
        AuditRow{"Revoke", "DELETE", "/v1/keys/key_1", by(Asker::admin),
                 done(200, R"({"key_id": "key_1", "organization_id": "org_1"})"),
                 "revokeKey by admin, organization org_1, key key_1: 200"},
        AuditRow{"List", "GET", "/v1/keys", by(Asker::admin), done(200, R"({"keys": []})"), "listKeys by admin: 200"},
        AuditRow{"ListOfOne", "GET", "/v1/keys", by(Asker::admin, {}, "org_2"), done(200, R"({"keys": []})"),
                 "listKeys by admin, organization org_2: 200"},
        AuditRow{"NotFound", "DELETE", "/v1/keys/key_9", by(Asker::manager, customer), refused(ApiReason::not_found),
                 "revokeKey by manager, user user_7, with key key_c, organization org_1, key key_9: 404 not_found"},
        AuditRow{"VerifiedByTheOperator", "POST", "/v1/keys/verify", by(Asker::admin),
                 done(200, R"({"valid": true, "key_id": "key_1", "organization_id": "org_1"})"),
                 "verifyKey by admin, organization org_1, key key_1: 200"},
        AuditRow{"VerifiedByAProxy", "POST", "/v1/keys/verify", by(Asker::proxy), done(200, "{}"), ""},
        AuditRow{"AProxyThatMayNot", "GET", "/v1/keys", by(Asker::proxy), refused(ApiReason::token_not_accepted),
                 "listKeys by proxy: 403 credential_not_accepted"},
        AuditRow{"Nobody", "GET", "/v1/keys", by(Asker::nobody), refused(ApiReason::invalid_token),
                 "listKeys by nobody: 401 invalid_token"},
        AuditRow{"WhatIsNoIdentityIsLeftOut", "GET", "/v1/keys/a%20b", by(Asker::admin, {}, "o\nadmin did it"),
                 refused(ApiReason::not_found), "showKey by admin: 404 not_found"}),
    [](const auto& row) { return row.param.name; });

struct HeadRow {
  std::string name;
  unsigned version;
  std::vector<std::pair<http::field, std::string>> fields;
  bool is_fit;
};

class KeyCallHead : public testing::TestWithParam<HeadRow> {};

TEST_P(KeyCallHead, IsReadAlikeByAll) {
  http::request<http::string_body> request;
  request.version(GetParam().version);
  for (const auto& [name, value] : GetParam().fields) request.insert(name, value);
  const auto flaw = head_flaw(request);
  EXPECT_EQ(!flaw, GetParam().is_fit);
  EXPECT_EQ(flaw.value_or(ApiProblem{}).reason, ApiReason::bad_request);
}

constexpr auto host = http::field::host;
constexpr auto length = http::field::content_length;
constexpr auto coding = http::field::transfer_encoding;

INSTANTIATE_TEST_SUITE_P(
    Heads, KeyCallHead,
    testing::Values(HeadRow{"OneHost", 11, {{host, "h"}}, true}, HeadRow{"NoHost", 11, {}, false},
                    HeadRow{"TwoHosts", 11, {{host, "h"}, {host, "h"}}, false}, HeadRow{"NoHostInHttp10", 10, {}, true},
                    HeadRow{"TwoHostsInHttp10", 10, {{host, "h"}, {host, "i"}}, false},
                    HeadRow{"Length", 11, {{host, "h"}, {length, "3"}}, true},
                    HeadRow{"Chunked", 11, {{host, "h"}, {coding, "chunked"}}, true},
                    HeadRow{"ChunkedInCapitals", 11, {{host, "h"}, {coding, "Chunked"}}, true},
                    HeadRow{"ChunkedInHttp10", 10, {{host, "h"}, {coding, "chunked"}}, false},
                    HeadRow{"ChunkedAndLength", 11, {{host, "h"}, {coding, "chunked"}, {length, "3"}}, false},
                    HeadRow{"Identity", 11, {{host, "h"}, {coding, "identity"}}, false},
                    HeadRow{"GzipAndLength", 11, {{host, "h"}, {coding, "gzip"}, {length, "3"}}, false},
                    HeadRow{"GzipChunked", 11, {{host, "h"}, {coding, "gzip, chunked"}}, false},
                    HeadRow{"ChunkedTwice", 11, {{host, "h"}, {coding, "chunked"}, {coding, "chunked"}}, false},
                    HeadRow{"EmptyCoding", 11, {{host, "h"}, {coding, ""}}, false}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace keygate::app
