// Headers that a route sets, on their way up: what they hold, and that nobody else can say them.
#include "tests/unit/proxy/forwarder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace keygate::proxy {
namespace {

using policy::testing::keyed;
using policy::testing::scope;
using ::testing::ElementsAre;
using testing::Forwarder;
using ::testing::IsEmpty;
using testing::Sender;
using testing::values_of;

config::Settings settings() {
  return policy::testing::settings_with({keyed("set", "/p/{project}/{rest...}", 30)
                                             .set_header("X-Project", "{project}")
                                             .set_header("X-Rest", "{rest...}")
                                             .set_header("X-Where", "{principal.organization}/{project}")
                                             .set_header("X-Who", "{principal.user}")
                                             .set_header("X-Of", "{principal.key} {principal.method}")
                                             .set_header("X-Env", "{principal.environment}")
                                             .set_header("X-Text", "as it is"),
                                         keyed("all", "/{rest...}", 50)},
                                        {scope("projects:read"), scope("projects:write")});
}

std::string request(const std::string& path, const std::string& fields = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

TEST(SetHeaders, HoldWhatWasDecidedOn) {
  const std::string head = Forwarder(settings()).forward(request("/p/7/a/b"));
  EXPECT_THAT(values_of(head, "x-project"), ElementsAre("7"));
  EXPECT_THAT(values_of(head, "x-rest"), ElementsAre("a/b"));
  EXPECT_THAT(values_of(head, "x-where"), ElementsAre("org_1/7"));
  EXPECT_THAT(values_of(head, "x-who"), ElementsAre("user_1"));
  EXPECT_THAT(values_of(head, "x-of"), ElementsAre("key_1 api_key"));
  EXPECT_THAT(values_of(head, "x-env"), ElementsAre("live"));
  EXPECT_THAT(values_of(head, "x-text"), ElementsAre("as it is"));
}

TEST(SetHeaders, SpellAPathAsItIsForwarded) {
  const std::string head = Forwarder(settings()).forward(request("/p/%61%20%c3%a9/"));
  EXPECT_THAT(values_of(head, "x-project"), ElementsAre("a%20%C3%A9"));
}

TEST(SetHeaders, P03_SpellAnEscapedSlashAsItIsForwarded) {
  auto relaxed = policy::testing::settings_with({keyed("set", "/p/{project}/{rest...}", 30)
                                                     .set_header("X-Project", "{project}")
                                                     .set_header("X-Rest", "{rest...}")});
  relaxed.paths = {true, true, true, true};
  const std::string head = Forwarder(relaxed).forward(request("//p/a%2fb/./c;d//%2F/e/../"));
  EXPECT_TRUE(head.starts_with("GET /p/a%2Fb/c;d/%2F/ HTTP/1.1\r\n")) << head;
  EXPECT_THAT(values_of(head, "x-project"), ElementsAre("a%2Fb"));
  EXPECT_THAT(values_of(head, "x-rest"), ElementsAre("c;d/%2F/"));
}

TEST(SetHeaders, AreLeftOutWhereAPartHasNothingToSay) {
  Sender nobodys;
  nobodys.principal.user.clear();
  nobodys.principal.organization.clear();
  const std::string head =
      Forwarder(settings())
          .forward(request("/p/7", "X-Who: evil\r\nX-Where: evil\r\nX-Rest: evil\r\nX_Rest: evil\r\n"), nobodys);
  EXPECT_THAT(values_of(head, "x-who"), IsEmpty());
  EXPECT_THAT(values_of(head, "x-where"), IsEmpty());
  EXPECT_THAT(values_of(head, "x-rest"), IsEmpty());
  EXPECT_THAT(values_of(head, "x_rest"), IsEmpty());
  EXPECT_THAT(values_of(head, "x-project"), ElementsAre("7"));
}

TEST(SetHeaders, H01_H02_AreNobodysToSayOnAnyRoute) {
  const Forwarder forwarder(settings());
  for (const std::string name : {"X-Project", "x-project", "X_Project", "X.PROJECT", "x~project"}) {
    const std::string set = forwarder.forward(request("/p/7", name + ": evil\r\n"));
    EXPECT_EQ(set.find("evil"), std::string::npos) << name;
    EXPECT_THAT(values_of(set, "x-project"), ElementsAre("7")) << name;
    EXPECT_EQ(forwarder.forward(request("/other", name + ": evil\r\n")).find("evil"), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace keygate::proxy
