#include "policy/route_table.hpp"

#include "policy/policy.hpp"
#include "tests/unit/policy/builders.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace keygate::policy {
namespace {

using testing::Asked;
using testing::compiled;
using testing::open_route;
using testing::settings_with;
using testing::winner;

std::shared_ptr<const Policy> policy_of(std::vector<config::RouteDocument> routes) {
  return compiled(settings_with(std::move(routes)));
}

TEST(RouteTable, MatchesNothingByDefault) {
  const auto policy = policy_of({open_route("a", "/a")});
  EXPECT_EQ(winner(policy->table, {.target = "/b"}), "");
  EXPECT_EQ(winner(policy->table, {.target = "/"}), "");
  EXPECT_EQ(winner(policy->table, {.target = "/a/b"}), "");
  EXPECT_EQ(winner(RouteTable(), {.target = "/a"}), "");
}

TEST(RouteTable, LiteralBeatsParameterBeatsRest) {
  const auto policy = policy_of({open_route("rest", "/v1/{x...}"), open_route("parameter", "/v1/{x}"),
                                 open_route("literal", "/v1/a"), open_route("below", "/v1/{x}/b")});
  EXPECT_EQ(winner(policy->table, {.target = "/v1/a"}), "literal");
  EXPECT_EQ(winner(policy->table, {.target = "/v1/z"}), "parameter");
  EXPECT_EQ(winner(policy->table, {.target = "/v1/a/b"}), "below");
  EXPECT_EQ(winner(policy->table, {.target = "/v1/a/c"}), "rest");
  EXPECT_EQ(winner(policy->table, {.target = "/v1"}), "rest");
  EXPECT_EQ(winner(policy->table, {.target = "/v1/"}), "rest");
  EXPECT_EQ(winner(policy->table, {.target = "/v2"}), "");
}

TEST(RouteTable, LeftmostSegmentDecides) {
  const auto policy = policy_of({open_route("left", "/a/{x}/{y}"), open_route("right", "/{x}/b/c")});
  EXPECT_EQ(winner(policy->table, {.target = "/a/b/c"}), "left");
  EXPECT_EQ(winner(policy->table, {.target = "/z/b/c"}), "right");
}

TEST(RouteTable, ComesBackFromALiteralThatLeadsNowhere) {
  const auto policy =
      policy_of({open_route("deep", "/a/b/c"), open_route("other", "/{x}/b/d"), open_route("last", "/{x...}")});
  EXPECT_EQ(winner(policy->table, {.target = "/a/b/d"}), "other");
  EXPECT_EQ(winner(policy->table, {.target = "/a/b/e"}), "last");
}

TEST(RouteTable, EndBeatsAnEmptyRest) {
  const auto policy = policy_of({open_route("rest", "/a/{x...}"), open_route("end", "/a")});
  EXPECT_EQ(winner(policy->table, {.target = "/a"}), "end");
  EXPECT_EQ(winner(policy->table, {.target = "/a/"}), "end");
  EXPECT_EQ(winner(policy->table, {.target = "/a/b"}), "rest");
}

TEST(RouteTable, P12OneTrailingSlashAndNothingElseIsIgnored) {
  const auto policy = policy_of({open_route("admin", "/admin"), open_route("slashed", "/files/")});
  EXPECT_EQ(winner(policy->table, {.target = "/admin/"}), "admin");
  EXPECT_EQ(winner(policy->table, {.target = "/files"}), "slashed");
  for (const auto* target : {"/admin%20", "/admin.", "/admin..", "/admin.json", "/admin/x"}) {
    EXPECT_EQ(winner(policy->table, {.target = target}), "") << target;
  }
  EXPECT_TRUE(winner(policy->table, {.target = "/admin/."}).starts_with("refused"));
}

TEST(RouteTable, P11PathsAreCaseSensitive) {
  const auto policy = policy_of({open_route("admin", "/admin/{x...}")});
  EXPECT_EQ(winner(policy->table, {.target = "/admin/x"}), "admin");
  EXPECT_EQ(winner(policy->table, {.target = "/ADMIN/x"}), "");
  EXPECT_EQ(winner(policy->table, {.target = "/Admin/x"}), "");
}

TEST(RouteTable, P08TheQueryIsNotMatched) {
  const auto policy = policy_of({open_route("public", "/public/{x...}")});
  EXPECT_EQ(winner(policy->table, {.target = "/admin?x=/public/health"}), "");
  EXPECT_EQ(winner(policy->table, {.target = "/admin?/public"}), "");
  EXPECT_EQ(winner(policy->table, {.target = "/public/a?/admin"}), "public");
}

TEST(RouteTable, P13EveryPathByteMatchesAParameter) {
  const auto policy = policy_of({open_route("one", "/v1/{id}")});
  const std::string pchar = "abcxyzABCXYZ0189-._~!$&'()*+,=:@";
  for (const char c : pchar) EXPECT_EQ(winner(policy->table, {.target = std::string("/v1/a") + c + "b"}), "one") << c;
  EXPECT_EQ(winner(policy->table, {.target = "/v1/%C3%A9%20%2A"}), "one");
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (byte == '/' || byte == '?') continue;  // there the segment ends
    const auto found = winner(policy->table, {.target = std::string("/v1/a") + static_cast<char>(byte) + "b"});
    EXPECT_TRUE(found == "one" || found.starts_with("refused")) << byte;
  }
}

TEST(RouteTable, P16EscapedLettersMatchTheirLiteral) {
  const auto policy = policy_of({open_route("a", "/v1/a"), open_route("user", "/~user"), open_route("any", "/v1/{x}")});
  EXPECT_EQ(winner(policy->table, {.target = "/v1/%61"}), "a");
  EXPECT_EQ(winner(policy->table, {.target = "/%7euser"}), "user");
}

TEST(RouteTable, AParameterIsNeverEmpty) {
  const auto policy = policy_of({open_route("one", "/a/{x}"), open_route("two", "/a/{x}/b")});
  EXPECT_EQ(winner(policy->table, {.target = "/a/"}), "");
  EXPECT_EQ(winner(policy->table, {.target = "/a"}), "");
  EXPECT_TRUE(winner(policy->table, {.target = "/a//b"}).starts_with("refused"));
}

TEST(RouteTable, TheOtherSpellingOfALiteralIsNobodys) {
  const auto policy = policy_of({open_route("rotate", "/keys/all:rotate"), open_route("key", "/keys/{key}"),
                                 open_route("spaced", "/a%2Bb"), open_route("rest", "/{x...}")});
  EXPECT_EQ(winner(policy->table, {.target = "/keys/all:rotate"}), "rotate");
  EXPECT_EQ(winner(policy->table, {.target = "/keys/all%3Arotate"}), "");
  EXPECT_EQ(winner(policy->table, {.target = "/keys/all%3arotate/"}), "");
  EXPECT_EQ(winner(policy->table, {.target = "/keys/some%3Arotate"}), "key");
  EXPECT_EQ(winner(policy->table, {.target = "/a%2bb"}), "spaced");
  EXPECT_EQ(winner(policy->table, {.target = "/a+b"}), "");
  EXPECT_EQ(winner(policy->table, {.target = "/a+c"}), "rest");
}

TEST(RouteTable, TheOtherSpellingIsNobodysBelowAParameterEither) {
  const auto policy = policy_of({open_route("named", "/{x}/a:b"), open_route("rest", "/{x...}")});
  EXPECT_EQ(winner(policy->table, {.target = "/z/a:b"}), "named");
  EXPECT_EQ(winner(policy->table, {.target = "/z/a%3Ab"}), "");
  EXPECT_EQ(winner(policy->table, {.target = "/z/a%3Ac"}), "rest");
}

TEST(RouteTable, TheOtherSpellingIsNobodysUnderAnotherHostEither) {
  const auto policy = policy_of({open_route("exact", "/a:b").hosts({"x.org"}), open_route("any", "/{x}")});
  EXPECT_EQ(winner(policy->table, {.host = "x.org", .target = "/a%3Ab"}), "");
  EXPECT_EQ(winner(policy->table, {.host = "y.org", .target = "/a%3Ab"}), "any");
}

TEST(RouteTable, HostComesBeforePath) {
  const auto policy =
      policy_of({open_route("any", "/a"), open_route("wide", "/{x}").hosts({"*.org"}),
                 open_route("narrow", "/{x...}").hosts({"*.x.org"}), open_route("exact", "/b").hosts({"a.x.org"})});
  EXPECT_EQ(winner(policy->table, {.host = "a.x.org", .target = "/b"}), "exact");
  EXPECT_EQ(winner(policy->table, {.host = "a.x.org", .target = "/a"}), "narrow");
  EXPECT_EQ(winner(policy->table, {.host = "b.a.x.org", .target = "/a"}), "narrow");
  EXPECT_EQ(winner(policy->table, {.host = "x.org", .target = "/a"}), "wide");
  EXPECT_EQ(winner(policy->table, {.host = "org", .target = "/a"}), "any");
  EXPECT_EQ(winner(policy->table, {.host = "", .target = "/a"}), "any");
  EXPECT_EQ(winner(policy->table, {.host = "evilx.org", .target = "/z"}), "wide");
}

TEST(RouteTable, AWildcardCoversOneOrMoreLabelsAndNotItsOwnName) {
  const auto policy = policy_of({open_route("below", "/").hosts({"*.example.com"})});
  EXPECT_EQ(winner(policy->table, {.host = "a.example.com"}), "below");
  EXPECT_EQ(winner(policy->table, {.host = "a.b.example.com"}), "below");
  EXPECT_EQ(winner(policy->table, {.host = "example.com"}), "");
  EXPECT_EQ(winner(policy->table, {.host = "aexample.com"}), "");
  EXPECT_EQ(winner(policy->table, {.host = "example.com.evil"}), "");
}

TEST(RouteTable, H11HostsOfThePolicyAreFolded) {
  const auto policy = policy_of({open_route("api", "/").hosts({"API.Example.com.:443", "[::1]:80"})});
  EXPECT_EQ(winner(policy->table, {.host = "api.example.com"}), "api");
  EXPECT_EQ(winner(policy->table, {.host = "[::1]"}), "api");
}

TEST(RouteTable, NamedMethodBeatsAny) {
  const auto policy = policy_of({open_route("any", "/a"), open_route("get", "/a").methods({"GET"}),
                                 open_route("writes", "/a").methods({"PUT", "DELETE"})});
  EXPECT_EQ(winner(policy->table, {.method = Method::get, .target = "/a"}), "get");
  EXPECT_EQ(winner(policy->table, {.method = Method::delete_, .target = "/a"}), "writes");
  EXPECT_EQ(winner(policy->table, {.method = Method::post, .target = "/a"}), "any");
  EXPECT_EQ(winner(policy->table, {.method = Method::head, .target = "/a"}), "get");
}

TEST(RouteTable, HeadIsServedByGetUnlessItIsNamed) {
  const auto policy =
      policy_of({open_route("get", "/a").methods({"GET"}), open_route("head", "/a").methods({"HEAD"}),
                 open_route("only-get", "/b").methods({"GET"}), open_route("only-post", "/c").methods({"POST"})});
  EXPECT_EQ(winner(policy->table, {.method = Method::head, .target = "/a"}), "head");
  EXPECT_EQ(winner(policy->table, {.method = Method::get, .target = "/a"}), "get");
  EXPECT_EQ(winner(policy->table, {.method = Method::head, .target = "/b"}), "only-get");
  EXPECT_EQ(winner(policy->table, {.method = Method::head, .target = "/c"}), "");
}

TEST(RouteTable, AMethodThatNoRouteNamesIsNoRoute) {
  const auto policy =
      policy_of({open_route("get", "/a").methods({"GET"}), open_route("rest", "/{x...}").methods({"POST"})});
  EXPECT_EQ(winner(policy->table, {.method = Method::delete_, .target = "/a"}), "");
  EXPECT_EQ(winner(policy->table, {.method = Method::post, .target = "/a"}), "rest");
}

TEST(RouteTable, MoreHeaderConditionsWinAmongLikeMethods) {
  const auto policy = policy_of({open_route("none", "/a").methods({"GET"}),
                                 open_route("two", "/a").methods({"GET"}).header("x-a", "1").header("x-b", "1"),
                                 open_route("one", "/a").methods({"GET"}).header("x-a", "1"),
                                 open_route("any", "/a").header("x-a", "1").header("x-b", "1").header("x-c", "1")});
  const HeaderField a{"X-A", "1"};
  const HeaderField b{"x-b", "1"};
  const HeaderField c{"x-c", "1"};
  EXPECT_EQ(winner(policy->table, {.target = "/a"}), "none");
  EXPECT_EQ(winner(policy->table, {.target = "/a", .headers = {a}}), "one");
  EXPECT_EQ(winner(policy->table, {.target = "/a", .headers = {b}}), "none");
  EXPECT_EQ(winner(policy->table, {.target = "/a", .headers = {b, a}}), "two");
  EXPECT_EQ(winner(policy->table, {.target = "/a", .headers = {b, a, c}}), "two");  // the method ranks first
  EXPECT_EQ(winner(policy->table, {.method = Method::put, .target = "/a", .headers = {b, a, c}}), "any");
}

TEST(RouteTable, H04ADoubledHeaderMeetsNoCondition) {
  const auto policy = policy_of({open_route("beta", "/a").header("X-Beta", "true")});
  EXPECT_EQ(winner(policy->table, {.target = "/a", .headers = {{"x-beta", "true"}}}), "beta");
  EXPECT_EQ(winner(policy->table, {.target = "/a", .headers = {{"x-beta", "true"}, {"X-BETA", "true"}}}), "");
  EXPECT_EQ(winner(policy->table, {.target = "/a", .headers = {{"x-beta", "TRUE"}}}), "");
  EXPECT_EQ(winner(policy->table, {.target = "/a", .headers = {{"x_beta", "true"}}}), "");
  // H-02: the upstream may take the alias for the header that was judged.
  EXPECT_EQ(winner(policy->table, {.target = "/a", .headers = {{"x-beta", "true"}, {"x_beta", "false"}}}), "");
  EXPECT_EQ(winner(policy->table, {.target = "/a", .headers = {{"x-beta", ""}}}), "");
}

TEST(RouteTable, P18P19WhatAClientSaysOfItsPathOrMethodIsNotMatched) {
  const auto policy = policy_of({open_route("public", "/public").methods({"GET"})});
  for (const auto* name : {"X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Uri", "X-Envoy-Original-Path"}) {
    EXPECT_EQ(winner(policy->table, {.target = "/admin", .headers = {{name, "/public"}}}), "") << name;
  }
  const std::vector<HeaderField> override{{"X-HTTP-Method-Override", "GET"}};
  EXPECT_EQ(winner(policy->table, {.method = Method::post, .target = "/public", .headers = override}), "");
}

TEST(RouteTable, OrderOfTheFileNeverMatters) {
  const auto by_name = [](const auto& x, const auto& y) { return x.name.value < y.name.value; };
  std::vector<config::RouteDocument> routes{open_route("a", "/a"), open_route("b", "/{x}"), open_route("c", "/{x...}"),
                                            open_route("d", "/a").methods({"GET"})};
  std::sort(routes.begin(), routes.end(), by_name);
  do {
    const auto policy = policy_of(routes);
    EXPECT_EQ(winner(policy->table, {.target = "/a"}), "d");
    EXPECT_EQ(winner(policy->table, {.method = Method::put, .target = "/a"}), "a");
    EXPECT_EQ(winner(policy->table, {.target = "/z"}), "b");
    EXPECT_EQ(winner(policy->table, {.target = "/z/z"}), "c");
  } while (std::next_permutation(routes.begin(), routes.end(), by_name));
}

// The most that a policy can make a search visit: both ways are open at every segment and only the very last leads
// anywhere.
TEST(RouteTable, AForkAtEverySegmentIsSearchedToItsEnd) {
  constexpr unsigned depth = 10;
  std::vector<config::RouteDocument> routes;
  std::string target;
  for (unsigned i = 0; i < depth; ++i) target += "/a";
  for (unsigned mix = 0; mix < 1U << depth; ++mix) {
    std::string path;
    for (unsigned i = 0; i < depth; ++i) path += (mix >> i & 1U) != 0 ? "/{p" + std::to_string(i) + "}" : "/a";
    routes.push_back(open_route("r" + std::to_string(mix), path).methods({mix + 1 == 1U << depth ? "GET" : "PUT"}));
  }
  const auto policy = policy_of(std::move(routes));
  EXPECT_EQ(winner(policy->table, {.method = Method::get, .target = target}), "r1023");
  EXPECT_EQ(winner(policy->table, {.method = Method::put, .target = target}), "r0");
}

TEST(PathSegment, IsCountedFromZero) {
  EXPECT_EQ(segment("/a/b/c", 0), "a");
  EXPECT_EQ(segment("/a/b/c", 2), "c");
  EXPECT_EQ(segment("/a/b/c", 3), "");
  EXPECT_EQ(segment("/a/", 0), "a");
  EXPECT_EQ(segment("/a/", 1), "");
  EXPECT_EQ(segment("/", 0), "");
  EXPECT_EQ(segment("/", 1), "");
}

}  // namespace
}  // namespace keygate::policy
