#include "tests/unit/config/loading.hpp"

#include <gmock/gmock.h>

namespace keygate::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Loaded load_admin(const std::string& value) { return load(std::string(three_lines) + "admin: " + value + "\n"); }

TEST(AdminSettings, AreOffUnlessSet) { EXPECT_FALSE(load(three_lines).settings->admin.has_value()); }

TEST(AdminSettings, TakeASocketWithoutAToken) {
  const auto loaded = load_admin("{address: \"unix:/run/admin.sock\"}");
  ASSERT_THAT(rendered(loaded), IsEmpty());
  EXPECT_EQ(loaded.settings->admin->address.socket, "/run/admin.sock");
  EXPECT_FALSE(loaded.settings->admin->token.has_value());
}

TEST(AdminSettings, TakeLoopbackWithAToken) {
  const auto loaded = load_admin("{address: \"[::1]:9902\", token_file: token}");
  ASSERT_THAT(rendered(loaded), IsEmpty());
  EXPECT_EQ(loaded.settings->admin->token->text, "conf/token");
}

TEST(AdminSettings, WarnOfLoopbackWithoutAToken) {
  const auto loaded = load_admin("{address: 127.0.0.1:9902}");
  ASSERT_NE(loaded.settings, nullptr);
  EXPECT_THAT(rendered(loaded), ElementsAre(HasSubstr("nobody may change anything")));
}

TEST(AdminSettings, RefuseAnAddressThatOthersReach) {
  for (const char* const address : {"0.0.0.0:9902", "10.0.0.1:9902", "\"[::]:9902\""}) {
    const auto loaded = load_admin("{address: " + std::string(address) + ", token_file: token}");
    EXPECT_EQ(loaded.settings, nullptr) << address;
    EXPECT_THAT(rendered(loaded), ElementsAre(HasSubstr("can be reached from elsewhere")));
  }
}

TEST(AdminSettings, AreNoPlaceForAnotherListener) {
  const auto loaded = load_admin("{address: \"127.0.0.1:8080\", token_file: token}");
  EXPECT_THAT(rendered(loaded), ElementsAre(HasSubstr("listened on twice")));
}

}  // namespace
}  // namespace keygate::config
