#include "tests/unit/config/loading.hpp"

#include <gmock/gmock.h>

#include <string>

namespace keygate::config {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string with_listener(const std::string& more, const std::string& above = "trusted_proxies: [10.0.0.5]\n",
                          const std::string& address = "127.0.0.1:8090") {
  return three_lines + above + "listeners:\n  - {address: \"" + address + "\"" + more + "}\n";
}

TEST(DecisionListener, SaysWhoAsks) {
  for (const auto& [word, dialect] :
       {std::pair{"nginx", DecisionDialect::nginx}, std::pair{"forwarded", DecisionDialect::forwarded},
        std::pair{"envoy", DecisionDialect::envoy}}) {
    const Loaded loaded = load(with_listener(std::string(", mode: authorize, authorize: {dialect: ") + word + "}"));
    ASSERT_THAT(rendered(loaded), IsEmpty());
    EXPECT_EQ(loaded.settings->listeners.front().decides, dialect) << word;
  }
  EXPECT_EQ(load(with_listener("")).settings->listeners.front().decides, std::nullopt);
  EXPECT_EQ(load(with_listener(", mode: proxy")).settings->listeners.front().decides, std::nullopt);
}

TEST(DecisionListener, IsAllOfItOrNone) {
  EXPECT_THAT(faults_in(with_listener(", mode: authorize")), ElementsAre(HasSubstr("needs to know who asks")));
  EXPECT_THAT(faults_in(with_listener(", authorize: {dialect: nginx}")),
              ElementsAre(HasSubstr("requests to this listener are forwarded")));
  EXPECT_THAT(faults_in(with_listener(", mode: authorize, authorize: {}")), ElementsAre(HasSubstr("dialect")));
  EXPECT_THAT(faults_in(with_listener(", mode: authorise, authorize: {dialect: nginx}")),
              Contains(HasSubstr("did you mean \"authorize\"?")));
}

TEST(DecisionListener, TellsItsTrustedProxiesAlone) {
  const std::string decides = ", mode: authorize, authorize: {dialect: nginx}";
  EXPECT_THAT(faults_in(with_listener(decides, "")), ElementsAre(HasSubstr("told to trusted_proxies alone")));
  EXPECT_THAT(faults_in(with_listener(decides, "", "unix:/run/keygate/ask.sock")), IsEmpty());
  EXPECT_THAT(faults_in(with_listener(decides + ", proxy_protocol: true")),
              ElementsAre(HasSubstr("no PROXY header comes before")));
}

TEST(DecisionListener, P21_HasPathsInTheFormInWhichTheyAreServed) {
  const std::string decides = ", mode: authorize, authorize: {dialect: nginx}";
  for (const auto& [key, value] : {std::pair{"encoded_slash", "opaque"}, std::pair{"repeated_slashes", "merge"},
                                   std::pair{"dot_segments", "resolve"}, std::pair{"semicolon", "allow"}}) {
    const std::string paths = std::string("paths: {") + key + ": " + value + "}\n";
    EXPECT_THAT(faults_in(with_listener(decides, "trusted_proxies: [10.0.0.5]\n" + paths)),
                ElementsAre(HasSubstr("a path that paths." + std::string(key) + " puts in one form")));
    EXPECT_THAT(faults_in(with_listener("", paths)), IsEmpty());
  }
}

}  // namespace
}  // namespace keygate::config
