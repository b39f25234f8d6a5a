#include "keys/secrets.hpp"

#include "tests/unit/keys/temp_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace keygate::keys {
namespace {

config::UpstreamSettings upstream_with(const std::string& file) {
  config::UpstreamSettings upstream;
  upstream.name = "keyserver";
  if (!file.empty()) upstream.authorization = {config::SecretSettings::Kind::file, file, {}};
  return upstream;
}

TEST(Secrets, EachUpstreamHasItsTokenAndOneThatIsNoneIsAProblem) {
  const TempFolder folder;
  std::ofstream(folder.file("good")) << "token-of-ours\n";
  std::ofstream(folder.file("bad")) << "token of ours\n";
  config::Settings settings;
  settings.upstreams = {upstream_with(""), upstream_with(folder.file("good"))};
  config::Problems problems;
  EXPECT_EQ(read_secrets(settings, problems).upstream_tokens, (std::vector<std::string>{"", "token-of-ours"}));
  EXPECT_TRUE(problems.empty());
  settings.upstreams = {upstream_with(folder.file("bad")), upstream_with(folder.file("missing"))};
  read_secrets(settings, problems);
  ASSERT_EQ(problems.size(), 2U);
  for (const auto& problem : problems) EXPECT_EQ(problem.path, "upstreams.keyserver.authorization_file");
}

// No real secret is read, and what stands for one is known by its own text alone.
TEST(Secrets, StandInsReadNothing) {
  config::Settings settings;
  settings.upstreams = {upstream_with("/nowhere"), upstream_with("")};
  settings.credentials.admin_secrets.push_back(
      {"ops", config::SecretSettings{config::SecretSettings::Kind::file, "/nowhere", {}}, {"admin"}, {}, {}});
  const Secrets secrets = stand_in_secrets(settings);
  EXPECT_FALSE(secrets.upstream_tokens[0].empty());
  EXPECT_TRUE(secrets.upstream_tokens[1].empty());
  Hasher hash;
  const std::string text = AdminSecrets::stand_in("ops");
  const AdminSecret* const found = secrets.admins.find(hash(SecretView(text)));
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->answer.principal.granted, std::vector<std::string>{"admin"});
}

}  // namespace
}  // namespace keygate::keys
