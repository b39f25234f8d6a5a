// OpenAPI documents that others wrote, all below the folder that KEYGATE_OPENAPI_DOCUMENTS names: each is imported, or
// refused with a place and a reason; what was imported loads, and fits its document.
#include "tests/support/keygate.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace keygate::test {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::string_view config =
    "upstream: http://127.0.0.1:1\npolicy: policy.yaml\ncredentials: {sources: [bearer, {cookie: sid}], formats: "
    "[{prefix: "
    "kg_}]}\nresolution: {service: {url: http://127.0.0.1:1/v, session_url: http://127.0.0.1:1/s}}\n";

std::vector<std::string> documents_below(const char* folder) {
  std::vector<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::set<std::string> endings{".json", ".yaml", ".yml"};
    const bool is_readable = entry.is_regular_file() && entry.file_size() < 16 * 1024 * 1024;
    if (is_readable && endings.contains(entry.path().extension())) found.push_back(entry.path());
  }
  std::ranges::sort(found);
  return found;
}

// The number before "operation".
std::size_t operations_in(const std::string& summary) { return std::strtoul(summary.c_str(), nullptr, 10); }

// The first path of a policy, with a word for each parameter.
std::string first_path(const std::string& policy) {
  const std::size_t begin = policy.find("path: \"") + 7;
  std::string path = policy.substr(begin, policy.find('"', begin) - begin);
  for (std::size_t open = path.find('{'); open != path.npos; open = path.find('{')) {
    path.replace(open, path.find('}', open) - open + 1, "x");
  }
  for (std::size_t at = path.find("$$"); at != path.npos; at = path.find("$$", at + 1)) path.erase(at, 1);
  return path;
}

TEST(OpenApiDocuments, OfOthersAreImportedOrRefusedWithAReason) {
  const char* const folder = std::getenv("KEYGATE_OPENAPI_DOCUMENTS");
  if (folder == nullptr) GTEST_SKIP() << "NOT TRIED: KEYGATE_OPENAPI_DOCUMENTS names no folder of documents";
  const auto documents = documents_below(folder);
  ASSERT_FALSE(documents.empty());
  const TempDir place;
  place.write("keygate.yaml", config);
  const auto keygate = [&](std::vector<std::string> argv) {
    argv.insert(argv.begin(), keygate_binary());
    return run({argv, {}, "", ""});
  };
  std::map<int, std::size_t> imports;
  std::map<std::string, std::size_t> refusals;
  std::size_t operations = 0;
  std::chrono::milliseconds slowest{0};
  std::string slowest_one;
  for (const std::string& document : documents) {
    SCOPED_TRACE(document);
    const auto begun = std::chrono::steady_clock::now();
    const Finished imported = keygate({"import", "--openapi", document});
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
    if (took > slowest) {
      slowest = took;
      slowest_one = document;
    }
    ++imports[imported.status.code];
    if (imported.status.code != 0) {
      EXPECT_EQ(imported.output, "");
      EXPECT_NE(imported.errors, "");
      const std::size_t reason = imported.errors.rfind(": ");
      ++refusals[imported.errors.substr(reason == std::string::npos ? 0 : reason + 2, 60)];
      continue;
    }
    operations += operations_in(imported.errors);
    place.write("policy.yaml", imported.output);
    const Finished checked = keygate({"check", "-c", place / "keygate.yaml"});
    EXPECT_EQ(checked.status.code, 0) << checked.output.substr(0, 500);
    if (checked.status.code != 0) continue;
    const Finished linted = keygate({"lint", "-c", place / "keygate.yaml", "--openapi", document, "--json"});
    EXPECT_LE(linted.status.code, 1) << linted.errors;
    const json::value told = json::parse(linted.output);
    for (const json::value& finding : told.at("findings").as_array()) {
      const std::string code(finding.at("code").as_string());
      EXPECT_TRUE(code == "any-credential" || code == "write-by-read-scope" || code == "operation-refused")
          << json::serialize(finding);
    }
    const Finished explained = keygate({"explain", "-c", place / "keygate.yaml", "GET", first_path(imported.output)});
    EXPECT_LE(explained.status.code, 1) << explained.errors;
  }
  std::cout << documents.size() << " documents, " << imports[0] << " imported with " << operations << " operations, "
            << imports[1] << " without operations, " << imports[2] << " refused; slowest: " << slowest.count()
            << " ms, " << slowest_one << '\n';
  for (const auto& [reason, count] : refusals) std::cout << "  " << count << "  " << reason << '\n';
  EXPECT_GT(imports[0], 0U);
}

}  // namespace
}  // namespace keygate::test
