#include "app/explain_request.hpp"

#include "app/explain_paper.hpp"
#include "app/keys_place.hpp"
#include "keys/key_format.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>

namespace keygate::app {
namespace {

using config::CredentialSource;
using policy::Environment;
using ::testing::HasSubstr;

std::string head(const std::string& url, std::vector<std::string> lines = {}) {
  return head_of(asked_request("GET", url, "127.0.0.1:8080", std::move(lines)));
}

TEST(ExplainRequest, AUrlBecomesTheHeadThatAClientWouldSend) {
  EXPECT_EQ(head("/a?b"), "GET /a?b HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n");
  EXPECT_EQ(head("http://API.example:81/a/../b%2f"), "GET /a/../b%2f HTTP/1.1\r\nHost: API.example:81\r\n\r\n");
  EXPECT_EQ(head("https://a.example"), "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
  EXPECT_EQ(head("https://a.example?x=/y"), "GET /?x=/y HTTP/1.1\r\nHost: a.example\r\n\r\n");
  EXPECT_EQ(head("/", {"host: b", "X:1"}), "GET / HTTP/1.1\r\nhost: b\r\nX:1\r\n\r\n");
}

TEST(ExplainRequest, ALineThatWouldBeTwoIsRefused) {
  EXPECT_THROW(head("a"), Refusal);
  EXPECT_THROW(head("/", {"X"}), Refusal);
  EXPECT_THROW(head("/", {"X: 1\r\nY: 2"}), Refusal);
  EXPECT_THROW(head("/", {"X: 1\n\n"}), Refusal);
  EXPECT_THROW(head("/", {"X: 1\n"}), Refusal);
}

TEST(ExplainRequest, AKeyGoesToTheFirstPlaceThatIsFree) {
  config::CredentialSettings settings;
  settings.sources = {{CredentialSource::Kind::bearer, ""},
                      {CredentialSource::Kind::header, "x-api-key"},
                      {CredentialSource::Kind::query, "api_key"},
                      {CredentialSource::Kind::cookie, "session"}};
  const auto placed = [&](const std::string& url, std::vector<std::string> lines) {
    return head_of(with_key(asked_request("GET", url, "h", std::move(lines)), settings, keys::SecretView("K")));
  };
  EXPECT_THAT(placed("/", {}), HasSubstr("\r\nAuthorization: Bearer K\r\n"));
  EXPECT_THAT(placed("/", {"authorization: Basic x"}), HasSubstr("\r\nx-api-key: K\r\n"));
  EXPECT_THAT(placed("/", {"authorization: Basic x", "X-Api-Key: y"}), HasSubstr("GET /?api_key=K HTTP"));
  EXPECT_THAT(placed("/?a=b", {"authorization: Basic x", "X-Api-Key: y"}), HasSubstr("GET /?a=b&api_key=K HTTP"));
  EXPECT_THAT(placed("/?api_key=z", {"authorization: Basic x", "X-Api-Key: y"}),
              HasSubstr("\r\nCookie: session=K\r\n"));
  EXPECT_THROW(placed("/?api_key=z", {"authorization: Basic x", "X-Api-Key: y", "Cookie: a=b"}), Refusal);
}

TEST(ExplainRequest, ASessionStandsInACookieWhereThereIsOneAndAnAdminSecretNever) {
  config::Settings settings;
  settings.resolution.service.emplace().session_url.emplace();
  settings.credentials.sources = {{CredentialSource::Kind::cookie, "sid"}, {CredentialSource::Kind::bearer, ""}};
  settings.credentials.admin_secrets.push_back({"ops team", {}, {}, Environment::none, {}});
  const auto asked = asked_request("GET", "/", "h", {});
  EXPECT_THAT(head_of(with_session(asked, settings)), HasSubstr("\r\nCookie: sid="));
  EXPECT_THAT(head_of(with_admin_secret(asked, settings, "ops team")), HasSubstr("\r\nAuthorization: Bearer "));
  EXPECT_THROW(with_admin_secret(asked, settings, "ops"), Refusal);
  settings.credentials.sources.erase(settings.credentials.sources.begin());
  EXPECT_THAT(head_of(with_session(asked, settings)), HasSubstr("\r\nAuthorization: Bearer "));
  settings.resolution.service->session_url.reset();
  EXPECT_THROW(with_session(asked, settings), Refusal);
}

TEST(ExplainRequest, ASampleKeyFitsItsFormat) {
  config::CredentialSettings settings;
  EXPECT_EQ(keys::KeyFormats({}).fit(keys::SecretView(sample_key(settings, std::nullopt).text)), Environment::none);
  settings.formats = {{"rk_", Environment::live, 48, true, {}}, {"rk_test_", Environment::test, 0, false, {}}};
  const keys::KeyFormats formats(settings.formats);
  for (const auto environment : {Environment::live, Environment::test}) {
    EXPECT_EQ(formats.fit(keys::SecretView(sample_key(settings, environment).text)), environment);
  }
  EXPECT_EQ(sample_key(settings, std::nullopt).environment, Environment::live);
  settings.formats.pop_back();
  EXPECT_THROW(sample_key(settings, Environment::test), Refusal);
  settings.formats = {{"ak_", Environment::none, 48, false, {}}};
  EXPECT_EQ(sample_key(settings, Environment::test).environment, Environment::none);
}

TEST(ExplainPaper, ColumnsLineUpInColourToo) {
  std::ostringstream plain, coloured;
  for (auto* out : {&plain, &coloured}) {
    Paper paper(*out, out == &coloured);
    paper.table({{paper.good("✓") + " a", "", "x"}, {"longer", "", ""}});
  }
  EXPECT_EQ(plain.str(), "  ✓ a     x\n  longer\n");
  EXPECT_EQ(coloured.str(), "  \x1b[32m✓\x1b[0m a     x\n  longer\n");
}

TEST(ExplainPaper, NothingThatIsAskedCommandsTheTerminal) {
  EXPECT_EQ(harmless("/a\x1b[2J\n\x7f"
                     "é"),
            "/a?[2J??é");
}

}  // namespace
}  // namespace keygate::app
