// Every key that the format has and this version lacks is refused by name: neither "unknown" nor skipped.
#include "tests/unit/config/loading.hpp"

#include <gmock/gmock.h>

namespace keygate::config {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::IsEmpty;

struct Row {
  std::string name;
  std::string yaml;
  std::string says;  // the end of the one line that is said
};

class Unsupported : public testing::TestWithParam<Row> {};

TEST_P(Unsupported, IsSaidPlainly) { EXPECT_THAT(faults_in(GetParam().yaml), ElementsAre(EndsWith(GetParam().says))); }

std::string not_yet(const std::string& key) { return ": \"" + key + "\" is not supported by this version yet"; }

Row in_listener(const std::string& name, const std::string& key, const std::string& value) {
  return {name, three_lines + "listeners:\n  - address: 127.0.0.1:8080\n    " + key + ": " + value + "\n",
          "keygate.yaml:6:5: listeners[0]" + not_yet(key)};
}

const std::vector<Row> rows{
    in_listener("ListenerMode", "mode", "authorize"),
    {"HealthForward", three_lines + "health: {address: 127.0.0.1:9901, forward: {/live: app}}\n",
     "keygate.yaml:4:35: health" + not_yet("forward")},
    {"Tracing", three_lines + "tracing: {otlp_endpoint: http://a}\n",
     "tracing.otlp_endpoint: anything but null is not supported by this version yet"},
};

INSTANTIATE_TEST_SUITE_P(Table, Unsupported, testing::ValuesIn(rows), [](const auto& row) { return row.param.name; });

TEST(UnsupportedAtItsDefault, IsAcceptedBecauseItChangesNothing) {
  EXPECT_THAT(faults_in("upstreams: {app: {endpoints: [http://a], balance: round_robin}}\n"
                        "policy: {routes: [{name: a, match: {path: /}, anonymous: true}]}\n"
                        "resolution: {store: {path: keygate.db}, stale_if_error: 0s}\n"
                        "tracing: {otlp_endpoint: null, sample: 0.01}\n"),
              IsEmpty());
}

}  // namespace
}  // namespace keygate::config
