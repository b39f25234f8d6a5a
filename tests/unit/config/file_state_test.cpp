// Which files a configuration is read from, and whether one of them has changed.
#include "config/file_state.hpp"

#include "config/named_files.hpp"
#include "tests/unit/config/loading.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>

namespace keygate::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class FileStateTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(::mkdtemp(folder.data()), nullptr); }
  ~FileStateTest() override { std::filesystem::remove_all(folder); }
  std::string path(const std::string& name) const { return folder + "/" + name; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary | std::ios::trunc) << text;
  }
  std::string folder = (std::filesystem::temp_directory_path() / "keygate-state-XXXXXX").string();
};

TEST_F(FileStateTest, TheSameContentIsTheSameWhereverItLies) {
  write("a", "one");
  const FileState before = state_of(path("a"));
  EXPECT_TRUE(before.is_readable);
  write("b", "one");
  std::filesystem::rename(path("b"), path("a"));
  EXPECT_TRUE(has_same_content(before, state_of(path("a"))));
  write("a", "two");
  EXPECT_FALSE(has_same_content(before, state_of(path("a"))));
}

TEST_F(FileStateTest, EachByteOfALongFileCounts) {
  std::string text(100'000, 'x');
  write("a", text);
  const FileState before = state_of(path("a"));
  EXPECT_EQ(before.size, text.size());
  text[70'000] = 'y';
  write("a", text);
  EXPECT_FALSE(has_same_content(before, state_of(path("a"))));
}

TEST_F(FileStateTest, AFileThatComesOrGoesHasChanged) {
  const FileState missing = state_of(path("a"));
  write("a", "");
  const FileState empty = state_of(path("a"));
  EXPECT_FALSE(has_same_content(missing, empty));
  std::filesystem::remove(path("a"));
  EXPECT_TRUE(has_same_content(missing, state_of(path("a"))));
}

// A configuration may come through a pipe, which can be read once: nobody writes here, and nobody must wait.
TEST_F(FileStateTest, APipeIsNotReadFrom) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_FALSE(state_of(path("pipe")).is_readable);
  EXPECT_FALSE(state_of(folder).is_readable);
}

std::vector<std::string> paths_of(const FileStates& states) {
  std::vector<std::string> paths;
  for (const FileState& state : states) paths.push_back(state.path);
  return paths;
}

TEST_F(FileStateTest, ALoadSaysWhatItWasReadFrom) {
  write("keygate.yaml", "upstream: http://127.0.0.1:1\nresolution: {store: {path: k.db}}\npolicy: policy.yaml\n");
  EXPECT_THAT(paths_of(load_file(path("keygate.yaml")).files),
              UnorderedElementsAre(path("keygate.yaml"), path("policy.yaml")))
      << "the policy is not there: it may come";
  EXPECT_THAT(paths_of(load_file(path("none.yaml")).files), ElementsAre(path("none.yaml")));
  write("keygate.yaml", "upstream: [\n");
  const Loaded broken = load_file(path("keygate.yaml"));
  ASSERT_THAT(paths_of(broken.files), ElementsAre(path("keygate.yaml")));
  EXPECT_TRUE(has_same_content(broken.files[0], state_of(path("keygate.yaml"))));
}

TEST(NamedFiles, EveryFileIsNamed) {
  const auto loaded = load(
      "listeners: [{address: 127.0.0.1:1, tls: {certificate_file: l.crt, private_key_file: l.key, client_ca_file: "
      "l.ca, client_certificate: optional}}]\n"
      "upstreams: {app: {endpoints: [https://localhost], tls: {ca_file: u.ca, certificate_file: u.crt, "
      "private_key_file: u.key}, authorization_file: u.token}}\n"
      "credentials: {admin_secrets: [{name: ops, secret_file: admin, scopes: [a]}]}\n"
      "resolution: {service: {url: https://localhost/v, token_file: s.token, ca_file: s.ca}, redis: {url: "
      "rediss://localhost, password_file: r.password, ca_file: r.ca, signing_key_file: r.keys}}\n"
      "policy: {scopes: {a: A}, routes: [{name: all, match: {path: '/{rest...}'}, anonymous: true}]}\n");
  ASSERT_THAT(rendered(loaded), IsEmpty());
  EXPECT_THAT(files_named_in(*loaded.settings),
              UnorderedElementsAre("conf/l.crt", "conf/l.key", "conf/l.ca", "conf/u.ca", "conf/u.crt", "conf/u.key",
                                   "conf/u.token", "conf/admin", "conf/s.token", "conf/s.ca", "conf/r.password",
                                   "conf/r.ca", "conf/r.keys"));
}

TEST(NamedFiles, SecretsFromElsewhereAreNone) { EXPECT_THAT(files_named_in(*load(three_lines).settings), IsEmpty()); }

TEST(NamedFiles, AKeyServersTokensAreNamed) {
  Settings settings;
  const auto file = [](const std::string& name) { return SecretSettings{SecretSettings::Kind::file, name, {}}; };
  settings.key_service = {file("a"), file("b"), file("c")};
  EXPECT_THAT(files_named_in(settings), ElementsAre("a", "b", "c"));
  settings.key_service = {SecretSettings{SecretSettings::Kind::environment, "NAME", {}}, {}, {}};
  EXPECT_THAT(files_named_in(settings), IsEmpty());
}

}  // namespace
}  // namespace keygate::config
