// A policy in several files: what is read, in which order, what is refused, and where that is said to be.
#include "config/file_pattern.hpp"
#include "tests/unit/config/loading.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace keygate::config {
namespace {

namespace fs = std::filesystem;

using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;

class Include : public testing::Test {
 protected:
  Include() {
    std::string name = (fs::temp_directory_path() / "keygate-include-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    write("keygate.yaml", "upstream: http://a\npolicy: policy.yaml\nresolution: {store: {path: k}}\n");
  }
  ~Include() override { fs::remove_all(folder); }

  std::string write(const std::string& name, const std::string& text) const {
    const auto path = folder / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path.string();
  }
  std::string path(const std::string& name) const { return (folder / name).string(); }
  Loaded load() const { return load_file(path("keygate.yaml")); }
  // With the folder's name left out.
  std::vector<std::string> faults() const {
    auto lines = rendered(load());
    for (auto& line : lines) {
      for (auto at = line.find(folder.string() + "/"); at != std::string::npos; at = line.find(folder.string() + "/")) {
        line.erase(at, folder.string().size() + 1);
      }
    }
    return lines;
  }
  std::vector<std::string> routes() const {
    const auto loaded = load();
    std::vector<std::string> names;
    if (!loaded.settings) return {"(none)"};
    for (const auto& route : loaded.settings->policy.routes) names.push_back(route.name.value);
    return names;
  }

  fs::path folder;
};

std::string route(const std::string& name) {
  return "  - {name: " + name + ", match: {path: /" + name + "}, anonymous: true}\n";
}

TEST_F(Include, ReadsFilesInTheOrderOfTheirNames) {
  write("policy.yaml", "include: [routes.d/*.yaml, more.yaml]\nroutes:\n" + route("own"));
  write("routes.d/20-b.yaml", "routes:\n" + route("b"));
  write("routes.d/10-a.yaml", "scopes: {a:read: A}\nroutes:\n" + route("a"));
  write("routes.d/note.txt", "nothing to read");
  write("routes.d/.hidden.yaml", "nothing: to read\n");
  write("more.yaml", "routes:\n" + route("more"));
  EXPECT_THAT(faults(), IsEmpty());
  EXPECT_THAT(routes(), ElementsAre("own", "a", "b", "more"));
  EXPECT_EQ(load().settings->policy.scopes.size(), 1U);
}

TEST_F(Include, NeedsNoRoutesOfItsOwnAndGoesDeeper) {
  write("policy.yaml", "include: teams/*.yaml\n");
  write("teams/a.yaml", "include: a/routes.yaml\n");
  write("teams/a/routes.yaml", "routes:\n" + route("deep"));
  EXPECT_THAT(routes(), ElementsAre("deep"));
  write("keygate.yaml", "upstream: http://a\npolicy: {include: [teams/*.yaml]}\nresolution: {store: {path: k}}\n");
  EXPECT_THAT(routes(), ElementsAre("deep"));
}

TEST_F(Include, SaysFaultsWhereTheyStand) {
  write("policy.yaml", "include: [routes.d/*.yaml]\n");
  write("routes.d/a.yaml", "routes:\n" + route("a") + "  - name: b\n    matsch: {path: /b}\n    anonymous: true\n");
  write("routes.d/b.yaml", "unmatched: 404\nroutes: [\n");
  write("routes.d/c.yaml", "unmatched: 404\nroutes:\n" + route("c"));
  EXPECT_THAT(
      faults(),
      ElementsAre("routes.d/a.yaml:3:5: routes[1]: \"match\" is missing",
                  "routes.d/a.yaml:4:5: routes[1]: unknown key \"matsch\"; did you mean \"match\"?",
                  HasSubstr("routes.d/b.yaml:"),
                  "routes.d/c.yaml:1:1: unknown key \"unmatched\"; known here: version, scopes, routes, include"));
}

TEST_F(Include, CountsRoutesInTheirOwnFile) {
  write("policy.yaml", "include: [a.yaml]\nroutes:\n" + route("x") + route("y"));
  write("a.yaml", "routes:\n" + route("a") + route("b"));
  const auto loaded = load();
  ASSERT_NE(loaded.settings, nullptr);
  EXPECT_EQ(loaded.settings->policy.routes[1].path, "");
  EXPECT_EQ(loaded.settings->policy.routes[3].path, "routes[1]");
  EXPECT_EQ(*loaded.settings->policy.routes[3].where.file, path("a.yaml"));
}

TEST_F(Include, OfNothingIsAnError) {
  write("policy.yaml", "include:\n  - routes.d/*.yaml\n  - none.yaml\n  - \"*/a.yaml\"\nroutes:\n" + route("a"));
  EXPECT_THAT(faults(),
              ElementsAre("policy.yaml:2:5: include: no file fits \"routes.d/*.yaml\"; leave it out where there "
                          "is none to be",
                          HasSubstr("policy.yaml:3:5: include: \"none.yaml\" cannot be read: "),
                          "policy.yaml:4:5: include: \"*/a.yaml\" has a wildcard in the name of a folder; name "
                          "the folder, as in routes.d/*.yaml"));
}

TEST_F(Include, ReadsEachFileOnce) {
  write("policy.yaml", "include: [a.yaml, \"?.yaml\"]\n");
  write("a.yaml", "include: [policy.yaml]\nroutes:\n" + route("a"));
  EXPECT_THAT(faults(),
              ElementsAre("a.yaml:1:11: include: \"policy.yaml\" is read already, named at keygate.yaml:2; each "
                          "file is read once",
                          "policy.yaml:1:19: include: \"a.yaml\" is read already, named at policy.yaml:1; each "
                          "file is read once"));
}

TEST_F(Include, GoesNoDeeperThanEight) {
  write("policy.yaml", "include: [1.yaml]\n");
  for (int i = 1; i <= 9; ++i) {
    write(std::to_string(i) + ".yaml", "include: [" + std::to_string(i + 1) + ".yaml]\n");
  }
  EXPECT_THAT(faults(), ElementsAre("8.yaml:1:11: include: files include each other more than 8 deep"));
}

TEST_F(Include, FollowsNoLinkOutOfAFolderThatItSearches) {
  write("outside.yaml", "routes:\n" + route("outside"));
  write("routes.d/..data/a.yaml", "routes:\n" + route("a"));
  fs::create_symlink("..data/a.yaml", folder / "routes.d/a.yaml");  // as Kubernetes mounts it
  write("policy.yaml", "include: [routes.d/*.yaml]\n");
  EXPECT_THAT(routes(), ElementsAre("a"));
  fs::create_symlink("../outside.yaml", folder / "routes.d/b.yaml");
  EXPECT_THAT(faults(),
              ElementsAre("policy.yaml:1:11: include: \"routes.d/b.yaml\" is a symbolic link out of its folder; "
                          "include the file by its name"));
  write("policy.yaml", "include: [routes.d/b.yaml]\n");
  EXPECT_THAT(routes(), ElementsAre("outside")) << "whoever names it knows it";
}

TEST_F(Include, TellsWhichFilesToWatch) {
  write("policy.yaml", "include: [routes.d/*.yaml]\n");
  write("routes.d/a.yaml", "routes:\n" + route("a"));
  const auto watched = [&] {
    std::vector<std::string> paths;
    for (const auto& file : load().files) paths.push_back(fs::path(file.path).lexically_relative(folder).string());
    return paths;
  };
  EXPECT_THAT(watched(),
              testing::UnorderedElementsAre("keygate.yaml", "policy.yaml", "routes.d/*.yaml", "routes.d/a.yaml"));
  const auto before = state_of(path("routes.d/*.yaml"));
  EXPECT_TRUE(has_same_content(before, state_of(path("routes.d/*.yaml"))));
  write("routes.d/note.txt", "");
  EXPECT_TRUE(has_same_content(before, state_of(path("routes.d/*.yaml"))));
  write("routes.d/b.yaml", "");
  EXPECT_FALSE(has_same_content(before, state_of(path("routes.d/*.yaml"))));
}

TEST(FilePattern, FitsNames) {
  struct Row {
    const char *pattern, *name;
    bool fits;
  };
  for (const Row& row : {Row{"*.yaml", "a.yaml", true}, Row{"*.yaml", ".yaml", false}, Row{"*.yaml", "a.yml", false},
                         Row{"*", "a", true}, Row{"*", ".a", false}, Row{"?.yaml", "a.yaml", true},
                         Row{"?.yaml", "ab.yaml", false}, Row{"a*b*c", "aXbYc", true}, Row{"a*b*c", "aXbY", false},
                         Row{"a*b*c", "abcbc", true}, Row{"a", "a", true}, Row{"a", "b", false}, Row{"*a", "ba", true},
                         Row{"", "a", false}, Row{"**", "ab", true}, Row{"a?", "a", false}}) {
    EXPECT_EQ(fits_pattern(row.pattern, row.name), row.fits) << row.pattern << ' ' << row.name;
  }
}

}  // namespace
}  // namespace keygate::config
