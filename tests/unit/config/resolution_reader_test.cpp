// What may stand under `resolution`, and what is said of the rest.
#include "config/address.hpp"
#include "config/dependency_url.hpp"
#include "tests/unit/config/loading.hpp"

#include <gmock/gmock.h>

namespace keygate::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string with_resolution(const std::string& members) {
  return "upstream: http://127.0.0.1:3000\n"
         "policy: {routes: [{name: all, match: {path: '/{rest...}'}, anonymous: true}]}\n"
         "resolution: {" +
         members + "}\n";
}

std::string with_service(const std::string& members) {
  return with_resolution("service: {url: 'http://127.0.0.1:4000/v1/keys/verify'" + members + "}");
}

std::string with_redis(const std::string& redis) {
  return with_resolution("store: {path: keygate.db}, redis: " + redis);
}

struct Row {
  std::string yaml;
  std::string says;
};

TEST(Resolution, SaysWhatIsWrong) {
  const std::vector<Row> rows{
      {with_resolution("staleness_bound: 60s"), "who knows the keys is missing"},
      {with_resolution("store: {path: a}, service: {url: 'http://127.0.0.1/'}"),
       "\"service\" and \"store\" stand here"},
      {with_service(", token_file: a, token_env: B"), "\"token_file\" and \"token_env\" stand here"},
      {with_service(", session_scopes: [a]"), "\"session_scopes\" without \"session_url\""},
      {with_service(", mapping: {valid: /ok, key_id: /id}"), "only \"dialect: custom\" has a \"mapping\""},
      {with_service(", dialect: custom"), "\"dialect: custom\" needs a \"mapping\""},
      {with_service(", ca_file: ca.pem"), "only https:// has certificates"},
      {with_redis("{url: 'http://127.0.0.1'}"), "redis://"},
      {with_redis("{url: 'redis://127.0.0.1', timeout: 2s}"), "timeout"},
      {with_redis("{url: 'redis://127.0.0.1', username: ada}"), "a user without a password"},
      {with_redis("{url: 'redis://127.0.0.1', password_file: a, password_env: B}"),
       "\"password_file\" and \"password_env\" stand here"},
      {with_redis("{url: 'redis://127.0.0.1', ca_file: ca.pem}"), "only rediss:// has certificates"},
      {with_redis("{url: 'redis://127.0.0.1', namespace: 'a b'}"), "is no namespace"},
      {with_resolution("store: {path: a}, unknown_key_budget: {per_ip: 20}"), "is no rate"},
      {with_resolution("store: {path: a}, staleness_bound: 500ms"), "staleness_bound"},
      {with_resolution("store: {path: a}, stale_if_error: 6m"), "stale_if_error"},
  };
  for (const Row& row : rows) EXPECT_THAT(faults_in(row.yaml), ElementsAre(HasSubstr(row.says))) << row.yaml;
}

// Without them a refusal would pass for a grant, and a grant would be nobody's.
TEST(Resolution, ACustomServiceHasToSayWhetherAKeyIsGoodAndWhich) {
  for (const char* const mapping :
       {"{valid: null, key_id: /id}", "{valid: /ok, key_id: null}", "{valid: '', key_id: /id}", "{key_id: /id}",
        "{valid: /ok}", "{valid: ok, key_id: /id}"}) {
    EXPECT_THAT(faults_in(with_service(", dialect: custom, mapping: " + std::string(mapping))), testing::Not(IsEmpty()))
        << mapping;
  }
  EXPECT_THAT(faults_in(with_service(", dialect: custom, mapping: {valid: /ok, key_id: /id, organization: null}")),
              IsEmpty());
}

TEST(Resolution, WarnsOfWhatGoesAboutInClear) {
  const auto service_at = [](const std::string& host) {
    return faults_in(with_resolution("service: {url: 'http://" + host + "/'}"));
  };
  for (const char* const near : {"127.0.0.1:4000", "127.8.8.8", "localhost", "[::1]:4000"}) {
    EXPECT_THAT(service_at(near), IsEmpty()) << near;
  }
  for (const char* const far : {"keys.internal", "10.0.0.1", "127.example.com", "localhost.example.com"}) {
    EXPECT_THAT(service_at(far), ElementsAre(HasSubstr("in clear"))) << far;
  }
  EXPECT_THAT(faults_in(with_redis("{url: 'redis://10.0.0.1'}")), ElementsAre(HasSubstr("rediss://")));
  EXPECT_THAT(faults_in(with_redis("{url: 'rediss://10.0.0.1'}")), IsEmpty());
}

TEST(Resolution, UseIsReportedBesideTheBundledServicesUrl) {
  const auto usage_of = [](const std::string& members) {
    const Loaded loaded = load(with_resolution("service: {" + members + "}"));
    const auto& usage = loaded.settings->resolution.service->usage_url;
    return usage ? usage->authority + usage->target : "";
  };
  EXPECT_EQ(usage_of("url: 'http://localhost:4000/v1/keys/verify'"), "localhost:4000/v1/usage");
  EXPECT_EQ(usage_of("url: 'http://localhost:4000/a/v1/keys/verify'"), "localhost:4000/a/v1/usage");
  EXPECT_EQ(usage_of("url: 'http://localhost:4000/verify'"), "");
  EXPECT_EQ(usage_of("dialect: unkey, url: 'http://localhost:4000/v1/keys/verify'"), "");
  EXPECT_EQ(usage_of("url: 'http://localhost:4000/verify', usage_url: 'http://localhost:5000/u'"), "localhost:5000/u");
}

TEST(AdminSecrets, HaveANameThatCanStandInAHeader) {
  const auto named = [](const std::string& name) {
    return faults_in(three_lines + "credentials: {admin_secrets: [{name: '" + name +
                     "', secret_env: A, scopes: [admin]}]}\n");
  };
  EXPECT_THAT(named("ops team"), ElementsAre(HasSubstr("is no name for a header")));
  EXPECT_THAT(named("ops-team@example"), IsEmpty());
}

// What is malformed may be malformed around its password.
TEST(DependencyUrl, APasswordIsInNoFault) {
  const std::string word = "hunter2hunter2";
  for (const std::string& url :
       {"redsi://u:" + word + "@h:6379/0", "redis://u:" + word + "@h:port/0", "redis://h:" + word,
        "u:" + word + "@h:6379", "redis://u:" + word + "@/0", "unix://" + word, "redis://u:" + word + "@h:1/0?x",
        "redis://u:" + word + "@[h/0", "http://u:" + word + "@h:port/x", "ftp://u:" + word + "@h/x",
        "https://u:" + word + "@h/x", word}) {
    const auto redis = parse_redis_url(url);
    if (const auto* fault = std::get_if<Fault>(&redis)) {
      EXPECT_EQ((fault->message + fault->hint).find(word), std::string::npos) << fault->message;
    }
    const auto service = parse_service_url(url);
    if (const auto* fault = std::get_if<Fault>(&service)) {
      EXPECT_EQ((fault->message + fault->hint).find(word), std::string::npos) << fault->message;
    }
    const auto endpoint = parse_endpoint(url);
    if (const auto* fault = std::get_if<Fault>(&endpoint); fault != nullptr && url.find('@') != std::string::npos) {
      EXPECT_EQ((fault->message + fault->hint).find(word), std::string::npos) << fault->message;
    }
  }
}

}  // namespace
}  // namespace keygate::config
