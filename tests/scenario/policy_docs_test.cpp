// The samples of docs/policy.md do what the page says.
#include "tests/support/process.hpp"
#include "tests/support/shipped_example.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace keygate::test {
namespace {

struct Sample {
  std::string title;
  std::map<std::string, std::string> files;  // by name, which is the first line of a block
};

// Under "## Ten samples": the files before the first "###" are every sample's, unless it has its own.
std::vector<Sample> samples() {
  std::ifstream in(source_folder() / "docs/policy.md");
  std::vector<Sample> found;
  Sample common;
  bool is_inside = false, is_code = false;
  std::string* file = nullptr;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("## ")) is_inside = line == "## Ten samples";
    if (!is_inside) continue;
    if (line.starts_with("### ")) found.push_back({line.substr(4), common.files});
    if (line.starts_with("```")) {
      is_code = !is_code;
      file = nullptr;
    } else if (is_code && file == nullptr) {
      EXPECT_TRUE(line.starts_with("# ")) << "a block without a name: " << line;
      file = &(found.empty() ? common : found.back()).files[line.substr(2)];
      *file = "";
    } else if (is_code) {
      *file += line + "\n";
    }
  }
  return found;
}

std::size_t cases_in(const std::string& text) {
  std::size_t count = 0;
  for (std::size_t at = text.find("request: "); at != text.npos; at = text.find("request: ", at + 1)) ++count;
  return count;
}

TEST(PolicyDocs, EachSampleDoesWhatThePageSays) {
  const auto all = samples();
  ASSERT_GE(all.size(), 10U);
  for (const Sample& sample : all) {
    SCOPED_TRACE(sample.title);
    const TempDir folder;
    for (const auto& [name, text] : sample.files) folder.write(name, text);
    ASSERT_TRUE(sample.files.contains("policy.yaml") && sample.files.contains("cases.yaml"));
    const std::size_t cases = cases_in(sample.files.at("cases.yaml"));
    ASSERT_GE(cases, 2U);
    const Finished finished =
        run({{keygate_binary(), "test", "-c", folder / "keygate.yaml", folder / "cases.yaml"}, {}, "", ""});
    EXPECT_EQ(finished.errors, "");
    EXPECT_EQ(finished.output, std::to_string(cases) + " cases, all as expected\n");
  }
}

}  // namespace
}  // namespace keygate::test
