// What ships in config/examples is right.
#include "tests/support/process.hpp"
#include "tests/support/shipped_example.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace keygate::test {
namespace {

std::vector<std::filesystem::path> configurations() {
  std::vector<std::filesystem::path> found;
  for (const auto& folder : std::filesystem::directory_iterator(source_folder() / "config/examples")) {
    for (const char* const name : {"keygate.yaml", "edge.yaml", "keyserver.yaml"}) {
      if (std::filesystem::exists(folder.path() / name)) {
        found.push_back(folder.path() / name);
      }
    }
  }
  return found;
}

TEST(Examples, EveryConfigurationPassesCheckWithoutAWarning) {
  ASSERT_GE(configurations().size(), 8U);
  const TempDir tokens;
  for (const char* const name : {"proxy", "manage", "admin", "keygate"}) {
    tokens.write(std::string(name) + ".token", name + std::string(40, 't') + "\n");
  }
  const std::vector<std::string> environment{"KEYGATE_TOKENS=" + tokens.path().string(),
                                             "DISPATCHER_API_KEY=" + std::string(40, 'd')};
  for (const auto& file : configurations()) {
    SCOPED_TRACE(file);
    const Finished finished = run({{keygate_binary(), "check", "-c", file.string()}, environment, "", ""});
    EXPECT_EQ(finished.status.code, 0) << finished.output << finished.errors;
    EXPECT_NE(finished.output.find(": ok ("), std::string::npos) << finished.output;
    EXPECT_EQ(finished.errors, "");
    const Finished as_json = run({{keygate_binary(), "check", "-c", file.string(), "--json"}, environment, "", ""});
    EXPECT_NE(as_json.output.find("\"problems\":[]"), std::string::npos) << as_json.output;
  }
}

}  // namespace
}  // namespace keygate::test
