// docs/explain.md is what `keygate explain` prints, to the byte.
#include "tests/support/process.hpp"
#include "tests/support/shipped_example.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace keygate::test {
namespace {

struct Transcript {
  std::string folder;  // where the last `cd` before it led
  std::string command;
  std::string output;
};

// In blocks of code: a line that begins with "$ " is a command, what follows it up to the next one its output. A blank
// line before the next command belongs to neither.
std::vector<Transcript> transcripts(const std::filesystem::path& file) {
  std::vector<Transcript> found;
  std::ifstream in(file);
  bool is_code = false;
  bool is_output = false;
  std::string folder;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("```")) {
      is_code = !is_code;
      is_output = false;
    } else if (is_code && line.starts_with("$ cd ")) {
      folder = line.substr(5);
      is_output = false;
    } else if (is_code && line.starts_with("$ ")) {
      found.push_back({folder, line.substr(2), ""});
      is_output = true;
    } else if (is_output && found.back().command.ends_with('\\')) {
      found.back().command += '\n' + line;
    } else if (is_output) {
      found.back().output += line + '\n';
    }
  }
  return found;
}

TEST(ExplainDocs, EveryCommandPrintsWhatThePageShows) {
  const auto all = transcripts(source_folder() / "docs/explain.md");
  ASSERT_GE(all.size(), 10U);
  const auto binary = std::filesystem::path(keygate_binary());
  const std::string path = "PATH=" + binary.parent_path().string() + ":/usr/bin:/bin";
  for (const auto& [folder, command, output] : all) {
    SCOPED_TRACE(command);
    const Finished finished = run({{"/bin/sh", "-c", command},
                                   {path, "KEYGATE_STORE=/nowhere/keygate.db"},
                                   (source_folder() / folder).string(),
                                   ""});
    EXPECT_EQ(finished.errors + finished.output, output);
    EXPECT_FALSE(finished.output.empty());
  }
}

}  // namespace
}  // namespace keygate::test
