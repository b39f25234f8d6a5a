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
    if (std::filesystem::exists(folder.path() / "keygate.yaml")) {
      found.push_back(folder.path() / "keygate.yaml");
    }
  }
  return found;
}

TEST(Examples, EveryConfigurationPassesCheckWithoutAWarning) {
  ASSERT_GE(configurations().size(), 3U);
  for (const auto& file : configurations()) {
    SCOPED_TRACE(file);
    const Finished finished = run({{keygate_binary(), "check", "-c", file.string()}, {}, "", ""});
    EXPECT_EQ(finished.status.code, 0) << finished.output << finished.errors;
    EXPECT_NE(finished.output.find(": ok ("), std::string::npos) << finished.output;
    EXPECT_EQ(finished.errors, "");
    const Finished as_json = run({{keygate_binary(), "check", "-c", file.string(), "--json"}, {}, "", ""});
    EXPECT_NE(as_json.output.find("\"problems\":[]"), std::string::npos) << as_json.output;
  }
}

}  // namespace
}  // namespace keygate::test
