#include "policy/policy.hpp"
#include "policy/set_header.hpp"
#include "tests/unit/policy/builders.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace keygate::policy {
namespace {

using ::testing::ElementsAre;
using testing::keyed;
using testing::rendered;
using testing::settings_with;

struct Mistake {
  std::string label, name, value, answer;
};

class SetHeaderMistake : public ::testing::TestWithParam<Mistake> {};

TEST_P(SetHeaderMistake, IsToldWhereItStands) {
  const auto& row = GetParam();
  EXPECT_THAT(
      rendered(compile(settings_with({keyed("a", "/p/{project}/{rest...}").set_header(row.name, row.value)})).problems),
      ElementsAre("policy.yaml:21:1: routes[0].set_headers." + row.name + ": " + row.answer));
}

const std::vector<Mistake> mistakes{
    {"AnIdentity", "X_Org_Id", "a", "\"X_Org_Id\" is a header that Keygate sets by itself; choose another name"},
    {"OfKeygate", "X-Keygate-Shadow", "a",
     "\"X-Keygate-Shadow\" is a header that Keygate sets by itself; choose another name"},
    {"Forwarding", "X-Forwarded-For", "a",
     "\"X-Forwarded-For\" says who forwarded a request, and what it was; choose another name"},
    {"ACredential", "x-api-key", "a", "\"x-api-key\" carries the credential; choose another name"},
    {"Framing", "Content_Length", "1",
     "\"Content_Length\" belongs to the connection, not to the request; choose another name"},
    {"Cookie", "Cookie", "a=b", "\"Cookie\" has a meaning of its own; choose another name"},
    {"NoName", "X Y", "a", "\"X Y\" is not a header name; choose another name"},
    {"ALineBreak", "X-A", "a\r\nX-Org-Id: evil",
     "no header can be sent with this value; leave out all but visible ASCII, and spaces at either end"},
    {"NoAscii", "X-A", "caf\xc3\xa9",
     "no header can be sent with this value; leave out all but visible ASCII, and spaces at either end"},
    {"ASlip", "X-A", "{projct}",
     "\"{projct}\" is no parameter of the path and no field of the principal; did you mean \"{project}\"?"},
    {"ARestAsOneSegment", "X-A", "{rest}",
     "\"{rest}\" is no parameter of the path and no field of the principal; write \"{rest...}\""},
    {"AFieldThatIsNone", "X-A", "{principal.organisation}",
     "\"{principal.organisation}\" is no parameter of the path and no field of the principal; did you mean "
     "\"{principal.organization}\"?"},
    {"AnOpenBrace", "X-A", "a{project", "a brace is opened and not closed; write {name}"},
    {"AClosingBrace", "X-A", "a}", "a brace closes that none has opened"},
};

INSTANTIATE_TEST_SUITE_P(Table, SetHeaderMistake, ::testing::ValuesIn(mistakes),
                         [](const auto& row) { return row.param.label; });

TEST(SetHeaders, AreNotSetTwiceNorMatchedOn) {
  EXPECT_THAT(
      rendered(compile(settings_with({keyed("a", "/a").set_header("X-Project", "a").set_header("x_project", "b")}))
                   .problems),
      ElementsAre("policy.yaml:21:1: routes[0].set_headers.x_project: \"x_project\" is listed twice; case and "
                  "punctuation do not count"));
  EXPECT_THAT(rendered(compile(settings_with({keyed("a", "/a").set_header("X-Project", "a"),
                                              keyed("b", "/b", 40).header("x-project", "a")}))
                           .problems),
              ElementsAre("policy.yaml:44:1: routes[1].match.headers.x-project: \"x-project\" is dropped from every "
                          "request, as the header of that name is ours to set; no route can depend on it"));
}

TEST(SetHeaders, FindWhatIsLeftOfAPath) {
  EXPECT_EQ(rest_of("/p/1/a/b", 2), "a/b");
  EXPECT_EQ(rest_of("/p/1/a/", 2), "a/");
  EXPECT_EQ(rest_of("/p/1/", 2), "");
  EXPECT_EQ(rest_of("/p/1", 2), "");
  EXPECT_EQ(rest_of("/p", 2), "");
  EXPECT_EQ(rest_of("/a/b", 0), "a/b");
  EXPECT_EQ(rest_of("/", 0), "");
}

}  // namespace
}  // namespace keygate::policy
