// Which probes may be forwarded, and to whom.
#include "config/fault.hpp"
#include "tests/unit/config/loading.hpp"

#include <gmock/gmock.h>

namespace keygate::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Upstreams `app` and `pool`, of which the second has two endpoints.
const std::string two_upstreams =
    "policy: {routes: [{name: all, match: {path: '/{rest...}'}, anonymous: true, upstream: app}]}\n"
    "resolution: {store: {path: keygate.db}}\n"
    "upstreams: {app: {endpoints: [http://127.0.0.1:3000]}, pool: {endpoints: [http://a, http://b]}}\n";

Loaded load_forward(const std::string& value) {
  return load(two_upstreams + "health: {address: 127.0.0.1:9901, forward: " + value + "}\n");
}

std::vector<std::string> faults_of(const std::string& value) { return rendered(load_forward(value)); }

TEST(ForwardedProbe, AsksItsUpstreamForTheSamePath) {
  const auto loaded = load_forward("{/app-health/live: app}");
  ASSERT_THAT(rendered(loaded), IsEmpty());
  const auto& forward = loaded.settings->health->forward;
  ASSERT_EQ(forward.size(), 1U);
  EXPECT_EQ(forward[0].path, "/app-health/live");
  EXPECT_EQ(forward[0].upstream, "app");
  EXPECT_EQ(forward[0].target, "/app-health/live");
  EXPECT_EQ(forward[0].timeout, milliseconds(5000));
}

TEST(ForwardedProbe, MayAskForAnother) {
  const auto loaded = load_forward("{/a: {upstream: app, path: '/healthz?full=1', timeout: 250ms}, /b: app}");
  ASSERT_THAT(rendered(loaded), IsEmpty());
  const auto& forward = loaded.settings->health->forward;
  ASSERT_EQ(forward.size(), 2U);
  EXPECT_EQ(forward[0].target, "/healthz?full=1");
  EXPECT_EQ(forward[0].timeout, milliseconds(250));
  EXPECT_EQ(forward[1].path, "/b");
}

TEST(ForwardedProbe, NamesAnUpstreamThatThereIs) {
  EXPECT_THAT(faults_of("{/live: ap}"),
              ElementsAre("conf/keygate.yaml:4:52: health.forward: unknown upstream \"ap\"; did you mean \"app\"?"));
  EXPECT_THAT(faults_of("{/live: {upstream: nobody}}"), ElementsAre(HasSubstr("unknown upstream \"nobody\"")));
  EXPECT_THAT(faults_of("{/live: {path: /x}}"), ElementsAre(HasSubstr("\"upstream\" is missing")));
}

TEST(ForwardedProbe, AsksOneApplication) {
  EXPECT_THAT(faults_of("{/live: pool}"), ElementsAre(HasSubstr("\"pool\" has 2 endpoints, and a probe asks one")));
}

TEST(ForwardedProbe, IsNoneOfOurOwn) {
  for (const char* const path : {"/livez", "/readyz", "/metrics"}) {
    EXPECT_THAT(faults_of("{" + std::string(path) + ": app}"),
                ElementsAre(HasSubstr(quoted(path) +
                                      " is what Keygate says of itself; write another path, such as "
                                      "/app-health" +
                                      path)));
  }
}

TEST(ForwardedProbe, HasAPathThatIsWrittenInOneWayAlone) {
  for (const char* const path : {"live", "/", "/live/", "//live", "/a//b", "/./live", "/a/..", "/li%76e", "/live?x=1",
                                 "/live#x", "/{any}", "/*", "/a b", "/a;b", "/\\live", "/\xC3\xA9"}) {
    EXPECT_THAT(faults_of("{'" + std::string(path) + "': app}"),
                ElementsAre(HasSubstr(" is no fixed path; letters, digits and - _ . ~ between slashes")))
        << path;
  }
  EXPECT_THAT(faults_of("{/" + std::string(256, 'a') + ": app}"), ElementsAre(HasSubstr("is no fixed path")));
  EXPECT_THAT(faults_of("{/A-z_0.9~/..x: app}"), IsEmpty());
}

TEST(ForwardedProbe, AsksForAPathThatCanBeSent) {
  for (const char* const path : {"healthz", "http://other/", "/a b", "/a#b", "/a\\r\\nX: y"}) {
    EXPECT_THAT(faults_of("{/live: {upstream: app, path: \"" + std::string(path) + "\"}}"), testing::SizeIs(1)) << path;
  }
}

TEST(ForwardedProbe, IsOneOfAFew) {
  const auto paths = [](std::size_t count) {
    std::string all = "{";
    for (std::size_t i = 0; i < count; ++i) all += (i == 0 ? "/p" : ", /p") + std::to_string(i) + ": app";
    return all + "}";
  };
  EXPECT_THAT(faults_of(paths(HealthSettings::max_forwarded)), IsEmpty());
  EXPECT_THAT(faults_of(paths(HealthSettings::max_forwarded + 1)), ElementsAre(HasSubstr("there are 33 paths")));
}

TEST(ForwardedProbe, IsNothingForAKeyServer) {
  LoadOptions options;
  options.purpose = Purpose::key_server;
  const auto loaded = load_text(
      "policy: {scopes: {'a:read': A}}\nresolution: {store: {path: k.db}}\nkey_service: {token_file: t}\n"
      "health: {address: 127.0.0.1:9901, forward: {/live: app}}\n",
      "keygate.yaml", options);
  EXPECT_THAT(rendered(loaded), ElementsAre(HasSubstr("a key server has no upstreams to forward probes to")));
}

TEST(DefaultsThatAreWritten, ChangeNothing) {
  EXPECT_THAT(faults_in("upstreams: {app: {endpoints: [http://a], balance: round_robin}}\n"
                        "policy: {routes: [{name: a, match: {path: /}, anonymous: true}]}\n"
                        "resolution: {store: {path: keygate.db}, stale_if_error: 0s}\n"
                        "tracing: {otlp_endpoint: null, sample: 0.01}\n"),
              IsEmpty());
}

}  // namespace
}  // namespace keygate::config
