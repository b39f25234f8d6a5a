// The key server's table of operations, the document made of it, its tokens, and what its bodies may say.
#include "app/key_api.hpp"

#include "app/key_api_body.hpp"
#include "app/key_report.hpp"

#include <boost/json/array.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <unistd.h>
#include <utility>
#include <variant>
#include <vector>

namespace keygate::app {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct PathRow {
  std::string name, method, path;
  std::string operation, id;  // empty operation: none
  std::string allowed;
};

class KeyApi : public testing::TestWithParam<PathRow> {};

TEST_P(KeyApi, FindsTheOperation) {
  const Found found = find_operation(GetParam().method, GetParam().path);
  EXPECT_EQ(found.operation == nullptr ? "" : std::string(found.operation->name), GetParam().operation);
  if (found.operation != nullptr) {
    EXPECT_EQ(found.id, GetParam().id);
  } else {
    EXPECT_EQ(found.allowed, GetParam().allowed);
  }
}

INSTANTIATE_TEST_SUITE_P(Paths, KeyApi,
                         testing::Values(PathRow{"Create", "POST", "/v1/keys", "createKey", "", ""},
                                         PathRow{"List", "GET", "/v1/keys", "listKeys", "", ""},
                                         PathRow{"Show", "GET", "/v1/keys/key_1", "showKey", "key_1", ""},
                                         PathRow{"Rotate", "POST", "/v1/keys/key_1/rotate", "rotateKey", "key_1", ""},
                                         PathRow{"Revoke", "DELETE", "/v1/keys/key_1", "revokeKey", "key_1", ""},
                                         PathRow{"Verify", "POST", "/v1/keys/verify", "verifyKey", "", ""},
                                         PathRow{"VerifyIsNoKeysId", "DELETE", "/v1/keys/verify", "", "", "POST"},
                                         PathRow{"Use", "POST", "/v1/usage", "noteUsage", "", ""},
                                         PathRow{"Report", "GET", "/v1/usage", "reportUsage", "", ""},
                                         PathRow{"OtherMethod", "PUT", "/v1/keys/key_1", "", "", "GET, DELETE"},
                                         PathRow{"OtherPath", "GET", "/v1/key", "", "", ""},
                                         PathRow{"EmptyId", "GET", "/v1/keys/", "", "", ""},
                                         PathRow{"TrailingSlash", "POST", "/v1/keys/key_1/rotate/", "", "", ""},
                                         PathRow{"Deeper", "GET", "/v1/keys/key_1/key_2", "", "", ""},
                                         PathRow{"Root", "GET", "/", "", "", ""},
                                         PathRow{"Nothing", "GET", "", "", "", ""}),
                         [](const auto& row) { return row.param.name; });

void collect_references(const json::value& value, std::set<std::string>& found) {
  if (value.is_array()) {
    for (const json::value& one : value.as_array()) collect_references(one, found);
  }
  if (!value.is_object()) return;
  for (const auto& member : value.as_object()) {
    if (member.key() == "$ref") found.insert(std::string(member.value().as_string()));
    collect_references(member.value(), found);
  }
}

TEST(KeyApiDocument, ListsEveryOperationOfTheTableAndNoOther) {
  const json::object document = openapi_document();
  EXPECT_EQ(document.at("openapi").as_string(), "3.1.0");
  EXPECT_TRUE(document.at("info").at("title").is_string());
  EXPECT_TRUE(document.at("info").at("version").is_string());
  std::size_t count = 0;
  std::set<std::string> names;
  for (const auto& path : document.at("paths").as_object()) {
    for (const auto& entry : path.value().as_object()) {
      std::string method(entry.key());
      for (char& c : method) c = static_cast<char>(std::toupper(c));
      std::string sample(path.key());
      const auto id = sample.find("{id}");
      if (id != std::string::npos) sample.replace(id, 4, "key_1");
      const Found found = find_operation(method, sample);
      ASSERT_NE(found.operation, nullptr) << method << ' ' << sample;
      EXPECT_EQ(entry.value().at("operationId").as_string(), std::string(found.operation->name));
      EXPECT_TRUE(names.insert(std::string(found.operation->name)).second);
      EXPECT_TRUE(entry.value().at("responses").as_object().contains(std::to_string(found.operation->status)));
      EXPECT_EQ(entry.value().as_object().contains("requestBody"), !found.operation->request.empty());
      ++count;
    }
  }
  EXPECT_EQ(count, operations().size());
}

TEST(KeyApiDocument, RefersToNothingThatIsNotThere) {
  const json::object document = openapi_document();
  std::set<std::string> references;
  collect_references(document, references);
  EXPECT_GT(references.size(), 10U);
  const json::object& schemas = document.at("components").at("schemas").as_object();
  for (const std::string& reference : references) {
    const std::string prefix = "#/components/schemas/";
    ASSERT_EQ(reference.substr(0, prefix.size()), prefix);
    EXPECT_TRUE(schemas.contains(reference.substr(prefix.size()))) << reference;
  }
}

TEST(KeyApiDocument, DeclaresEachParameterOfAPath) {
  const json::object document = openapi_document();
  for (const auto& path : document.at("paths").as_object()) {
    if (path.key().find("{id}") == json::string_view::npos) continue;
    for (const auto& entry : path.value().as_object()) {
      const json::value& parameter = entry.value().at("parameters").at(0);
      EXPECT_EQ(parameter.at("name").as_string(), "id");
      EXPECT_EQ(parameter.at("in").as_string(), "path");
      EXPECT_TRUE(parameter.at("required").as_bool());
    }
  }
}

std::string fault_of(const std::string& text) {
  try {
    const ApiBody body(text, {"key", "list", "seconds", "objects"});
    static_cast<void>(body.required_text("key"));
    static_cast<void>(body.texts("list"));
    static_cast<void>(body.seconds("seconds"));
    return {};
  } catch (const ApiProblem& problem) {
    EXPECT_EQ(problem.reason, ApiReason::bad_request);
    return problem.detail;
  }
}

TEST(KeyApiBody, SaysWhatItMayNotBe) {
  EXPECT_EQ(fault_of(R"({"key": "k", "list": ["a"], "seconds": 5})"), "");
  EXPECT_EQ(fault_of(R"({"key": "k", "list": null, "seconds": "90d"})"), "");
  EXPECT_THAT(fault_of(""), HasSubstr("\"key\" is missing"));
  EXPECT_THAT(fault_of("[]"), HasSubstr("one JSON object"));
  EXPECT_THAT(fault_of("{"), HasSubstr("one JSON object"));
  EXPECT_THAT(fault_of(R"({"key": "k"} x)"), HasSubstr("one JSON object"));
  EXPECT_THAT(fault_of(R"({"key": 1})"), HasSubstr("\"key\" has to be a text"));
  EXPECT_THAT(fault_of(R"({"key": "k", "list": "a"})"), HasSubstr("\"list\" has to be a list"));
  EXPECT_THAT(fault_of(R"({"key": "k", "list": [1]})"), HasSubstr("\"list\" has to be a list"));
  EXPECT_THAT(fault_of(R"({"key": "k", "seconds": -1})"), HasSubstr("\"seconds\""));
  EXPECT_THAT(fault_of(R"({"key": "k", "seconds": "10ms"})"), HasSubstr("\"seconds\""));
  EXPECT_THAT(fault_of(R"({"key": "k", "seconds": 9223372036854775807})"), HasSubstr("\"seconds\""));
  EXPECT_THAT(fault_of(R"({"key": "k", "kez": 1})"), HasSubstr("members: key, list"));
  EXPECT_THAT(fault_of(std::string(100, '[')), HasSubstr("one JSON object"));
}

class KeyTokensTest : public testing::Test {
 protected:
  KeyTokensTest() { std::filesystem::create_directory(folder_); }
  ~KeyTokensTest() override { std::filesystem::remove_all(folder_); }

  std::optional<config::SecretSettings> file(const std::string& name, const std::string& text) const {
    const std::string path = (folder_ / name).string();
    std::ofstream(path) << text;
    return config::SecretSettings{config::SecretSettings::Kind::file, path, {}};
  }

 private:
  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("keygate-tokens-" + std::to_string(::getpid()));
};

TEST_F(KeyTokensTest, EachOpensItsOwnDoor) {
  const auto read = KeyTokens::read({file("a", "proxy-token\n"), file("b", "manager-token"), file("c", "admin-token")});
  const auto& tokens = std::get<KeyTokens>(read);
  EXPECT_EQ(tokens.asker_of("proxy-token"), Asker::proxy);
  EXPECT_EQ(tokens.asker_of("manager-token"), Asker::manager);
  EXPECT_EQ(tokens.asker_of("admin-token"), Asker::admin);
  for (const char* const wrong : {"", "admin-toke", "admin-token ", "Admin-token", "admin-tokenn"}) {
    EXPECT_EQ(tokens.asker_of(wrong), Asker::nobody) << wrong;
  }
}

TEST_F(KeyTokensTest, AnUnsetOneOpensNothing) {
  const auto read = KeyTokens::read({file("a", "proxy-token"), std::nullopt, std::nullopt});
  EXPECT_EQ(std::get<KeyTokens>(read).asker_of(""), Asker::nobody);
  EXPECT_EQ(std::get<KeyTokens>(read).asker_of("proxy-token"), Asker::proxy);
}

TEST_F(KeyTokensTest, AFileWithoutOneTokenIsAFaultThatNamesIt) {
  for (const char* const text : {"", "\n", "two words", "two\nlines"}) {
    const auto read = KeyTokens::read({file("tok", text), std::nullopt, std::nullopt});
    ASSERT_TRUE(std::holds_alternative<config::Fault>(read)) << text;
    EXPECT_THAT(std::get<config::Fault>(read).message, HasSubstr("tok"));
  }
  const auto missing = KeyTokens::read(
      {config::SecretSettings{config::SecretSettings::Kind::file, "/nowhere/token", {}}, std::nullopt, std::nullopt});
  EXPECT_THAT(std::get<config::Fault>(missing).message, HasSubstr("/nowhere/token"));
}

TEST_F(KeyTokensTest, TwoThatAreTheSameAreAFault) {
  const auto read = KeyTokens::read({file("a", "the-same"), std::nullopt, file("c", "the-same")});
  EXPECT_TRUE(std::holds_alternative<config::Fault>(read));
}

policy::Catalogue catalogue() {
  std::vector<policy::Catalogue::Scope> scopes(3);
  scopes[0].name = "projects:read";
  scopes[1].name = "projects:write";
  scopes[2].name = "billing:read";
  for (std::size_t i = 0; i < scopes.size(); ++i) scopes[i].implied.add(i);
  scopes[1].implied.add(0);
  return policy::Catalogue(std::move(scopes));
}

keys::UsedKey used_key(std::vector<std::string> granted, const std::vector<std::string>& required) {
  keys::UsedKey used;
  used.key.scopes = std::move(granted);
  for (const std::string& scope : required) used.required.emplace_back(scope, 1);
  return used;
}

TEST(KeyReport, SuggestsTheSmallestSetThatSuffices) {
  const policy::Catalogue known = catalogue();
  const KeyNeeds wide = needs_of(used_key({"*"}, {"projects:read"}), &known);
  EXPECT_THAT(wide.needed, ElementsAre("projects:read"));
  EXPECT_THAT(wide.spare, ElementsAre("*"));
  const KeyNeeds implied =
      needs_of(used_key({"projects:*", "billing:read"}, {"projects:read", "projects:write"}), &known);
  EXPECT_THAT(implied.needed, ElementsAre("projects:write")) << "which implies the other";
  EXPECT_THAT(implied.spare, ElementsAre("projects:*", "billing:read"));
}

TEST(KeyReport, LeavesOutAlternativesThatTheKeyDoesNotHold) {
  const policy::Catalogue known = catalogue();
  const KeyNeeds needs = needs_of(used_key({"projects:read"}, {"projects:read", "billing:read"}), &known);
  EXPECT_THAT(needs.needed, ElementsAre("projects:read"));
  EXPECT_THAT(needs.spare, IsEmpty());
}

TEST(KeyReport, WithoutACatalogueNothingIsLeftOutOnAGuess) {
  EXPECT_THAT(needs_of(used_key({"admin"}, {"projects:read"}), nullptr).needed, ElementsAre("projects:read"));
  EXPECT_THAT(needs_of(used_key({"admin"}, {}), nullptr).needed, IsEmpty());
}

}  // namespace
}  // namespace keygate::app
