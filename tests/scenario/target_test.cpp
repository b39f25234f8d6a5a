// Path confusion (docs/threats.md): the path that is judged is the path that is sent, and what can be read twice is
// refused.
#include "tests/support/scenario.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cctype>
#include <random>

namespace keygate::test {
namespace {

class PathConfusion : public Scenario {
 protected:
  void SetUp() override { start(); }

  // Every path is tried without a key and with one that may read /v1.
  void expect_denied_twice(std::string_view target, const Denial& without_key, const Denial& with_key) {
    expect_denied(request_to(target), without_key);
    expect_denied(request_to(target, k1.bearer()), with_key);
  }

  void expect_ambiguous(std::initializer_list<std::string_view> targets, std::string codes = "ambiguous_path") {
    for (const std::string_view target : targets) {
      const Denial denial{400, codes, Ending::any};
      expect_denied_twice(target, denial, denial);
    }
  }
};

const Denial no_route{403, "no_route", Ending::any};
const Denial missing{401, "missing_credential", Ending::any};
const Denial lacks_scope{403, "insufficient_scope", Ending::any};

TEST_F(PathConfusion, P01_DotSegmentsNeverReachTheUpstream) {
  expect_ambiguous(
      {"/public/../admin", "/public/./../admin/", "/..", "/v1/..", "/.", "/v1/./a", "/public/..", "/../admin"});
}

TEST_F(PathConfusion, P02_EscapedDotSegmentsNeverReachTheUpstream) {
  expect_ambiguous({"/public/%2e%2e/admin", "/public/.%2e/admin", "/public/%2E./admin", "/public/%2E%2e", "/v1/%2e"});
}

TEST_F(PathConfusion, P03_EscapedSeparatorsNeverReachTheUpstream) {
  expect_ambiguous({"/public%2f..%2fadmin", "/v1%2fadmin", "/v1%2Fadmin", "/v1/a%5cb", "/v1/a%3bb", "/v1/a%3fb",
                    "/v1/a%23b", "/v1/a%00", "/v1/a%0d%0ab", "/v1/a%7f"});
}

TEST_F(PathConfusion, P04_EmptySegmentsNeverReachTheUpstream) {
  expect_ambiguous({"//admin", "/v1//admin", "///admin", "//", "/public//", "//api.local/admin"});
}

TEST_F(PathConfusion, P05_SemicolonsNeverReachTheUpstream) {
  expect_ambiguous(
      {"/public/..;/admin", "/public/..;a=b/admin", "/admin;x", "/;/admin", "/public/.;/admin", "/v1/a;b"});
}

TEST_F(PathConfusion, P06_BackslashesNeverReachTheUpstream) {
  expect_ambiguous({"/public\\..\\admin", "/public/..%5cadmin", "/public/..%5Cadmin", "/v1\\a"});
}

TEST_F(PathConfusion, P07_FragmentsNeverReachTheUpstream) {
  expect_ambiguous({"/admin#/public", "/public/#/../admin", "/public#"}, "ambiguous_path|bad_request");
  expect_ambiguous({"/admin%23x", "/public/%23/../admin"});
}

TEST_F(PathConfusion, P08_TheQueryIsNoPartOfThePath) {
  for (const std::string_view target : {"/admin?x=/public/health", "/admin?/public", "/admin/?../public"}) {
    expect_denied_twice(target, missing, lacks_scope);
  }
  const Request seen = expect_granted(request_to("/public/x?y=/../admin&z=%2f//;%00"));
  EXPECT_EQ(seen.target, "/public/x?y=/../admin&z=%2f//;%00");
}

TEST_F(PathConfusion, P09_TargetsWithoutASlashAreNotGuessedAt) {
  expect_ambiguous({"admin", ".", "?x", "http:admin", ":80/admin", "public/x", "public"}, "bad_request|ambiguous_path");
}

TEST_F(PathConfusion, P10_DoubleEncodingThatHidesASeparatorIsRefused) {
  expect_ambiguous({"/public/%252e%252e/admin", "/v1%252fadmin", "/%2561dmin/%252e", "/public/%255c", "/public/%253b",
                    "/public/%2500", "/public/%25252e"});
}

TEST_F(PathConfusion, P10_ADoublyEscapedLetterReachesNoOtherRoute) {
  // `%2561dmin` decodes to `%61dmin` once and to `admin` twice: either refused, or sent as it came.
  RawClient client = keygate.connect();
  const Response response = client.ask(request_to("/public/%2561dmin"));
  if (response.status == 400) {
    EXPECT_EQ(upstream.bytes(), "");
  } else {
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(upstream.only_request().target, "/public/%2561dmin");
  }
  expect_denied(request_to("/%2561dmin", k1.bearer()), {response.status == 400 ? 400 : 403, "", Ending::any});
}

TEST_F(PathConfusion, P11_PathsAreCaseSensitiveAndHostsAreNot) {
  for (const std::string_view target : {"/ADMIN", "/Admin/x", "/V1/x", "/PUBLIC/x"}) {
    expect_denied_twice(target, no_route, no_route);
  }
}

TEST_F(PathConfusion, P12_ATrailingSlashIsUnderTheSameRule) {
  expect_denied_twice("/admin", missing, lacks_scope);
  expect_denied_twice("/admin/", missing, lacks_scope);
  EXPECT_EQ(expect_granted(request_to("/admin/", ka.bearer())).target, "/admin/");
  EXPECT_EQ(expect_granted(request_to("/admin", ka.bearer())).target, "/admin");
}

TEST_F(PathConfusion, P12_AnythingAfterTheNameIsAnotherName) {
  expect_ambiguous({"/admin/.", "/admin/.."});
  for (const std::string_view target :
       {"/admin%20", "/admin.", "/admin..", "/admin.json", "/admin~", "/adminx", "/admi"}) {
    expect_denied(request_to(target), no_route);
    expect_denied(request_to(target, k1.bearer()), no_route);
    expect_denied(request_to(target, ka.bearer()), no_route);
  }
}

TEST_F(PathConfusion, P13_EveryPathCharacterMatchesAndEveryOtherByteIsRefused) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const std::string target = std::string("/v1/a") + c + "b/x";
    const bool is_path_character =
        std::isalnum(byte) != 0 || (c != 0 && std::string_view("-._~!$&'()*+,=:@/?").find(c) != std::string_view::npos);
    if (c == '[' || c == ']') {
      // Not of a path by RFC 3986, and not read in two ways by anybody: refused, or sent as it came.
      upstream.forget();
      const Response response = ask(request_to(target, k1.bearer()));
      EXPECT_TRUE(response.status == 400 || (response.status == 200 && upstream.only_request().target == target));
    } else if (is_path_character) {
      EXPECT_EQ(expect_granted(request_to(target, k1.bearer())).target, target);
    } else {
      expect_denied(request_to(target, k1.bearer()), {400, "bad_request|ambiguous_path", Ending::any});
    }
  }
}

TEST_F(PathConfusion, P14_RawControlsAndBlanksInTheRequestLineAreRefused) {
  expect_ambiguous({std::string_view("/public \0/admin", 15), "/a\x01", "/a\x7f", "/\xc3\xa9", "/public/a b",
                    "/public\t/x", "/public/\x80", "/public/x\x1f?y", "/public/x?y\x01", "/public/x?\xff"},
                   "bad_request|ambiguous_path");
}

TEST_F(PathConfusion, P15_InvalidUtf8IsRefusedAndValidStaysEscaped) {
  expect_ambiguous(
      {"/public/%c0%ae%c0%ae/admin", "/public/%ff", "/public/%c3", "/public/%e2%82/x", "/public/%ed%a0%80"});
  EXPECT_EQ(expect_granted(request_to("/public/%c3%a9")).target, "/public/%C3%A9");
  EXPECT_EQ(expect_granted(request_to("/public/%ef%bc%8fadmin")).target, "/public/%EF%BC%8Fadmin");
}

TEST_F(PathConfusion, P16_BrokenEscapesAreRefused) {
  expect_ambiguous({"/%%36%36", "/%", "/%1", "/%g1", "/public/%", "/public/%4", "/public/%zz", "/public/%%36%31"});
}

TEST_F(PathConfusion, P16_NeedlessEscapesAreMatchedAndSentDecoded) {
  EXPECT_EQ(expect_granted(request_to("/v1/%61", k1.bearer())).target, "/v1/a");
  EXPECT_EQ(expect_granted(request_to("/v1/%7Euser", k1.bearer())).target, "/v1/~user");
  EXPECT_EQ(expect_granted(request_to("/%76%31/a%2d%5F", k1.bearer())).target, "/v1/a-_");
  EXPECT_EQ(expect_granted(request_to("/v1/a%2ab", k1.bearer())).target, "/v1/a%2Ab");
  expect_denied_twice("/%61dmin/x", missing, lacks_scope);
}

// What a careless upstream might make of a path: decoded twice, backslashes turned, parameters cut off, dots resolved.
std::string careless(std::string path) {
  path = path.substr(0, path.find_first_of("?#"));
  for (int round = 0; round < 2; ++round) {
    std::string decoded;
    for (std::size_t i = 0; i < path.size(); ++i) {
      const bool is_escape = path[i] == '%' && i + 2 < path.size() &&
                             std::isxdigit(static_cast<unsigned char>(path[i + 1])) != 0 &&
                             std::isxdigit(static_cast<unsigned char>(path[i + 2])) != 0;
      decoded += is_escape ? static_cast<char>(std::stoi(path.substr(i + 1, 2), nullptr, 16)) : path[i];
      i += is_escape ? 2 : 0;
    }
    path = decoded;
  }
  std::vector<std::string> kept;
  std::string segment;
  for (const char c : path + "/") {
    if (c != '/' && c != '\\') {
      segment += c;
      continue;
    }
    segment = segment.substr(0, segment.find_first_of(std::string("?#;") + '\0'));
    if (segment == "..") {
      if (!kept.empty()) {
        kept.pop_back();
      }
    } else if (!segment.empty() && segment != ".") {
      kept.push_back(segment);
    }
    segment.clear();
  }
  std::string resolved;
  for (const std::string& one : kept) {
    resolved += "/" + one;
  }
  return resolved;
}

TEST_F(PathConfusion, P17_NothingThatPassesCanBeReadAsAPathOutsideItsRoute) {
  constexpr std::array<std::string_view, 30> pieces{
      "/",   "/",  "/",     "public", "v1", "admin", "..",  ".", "%2e", "%2E", "%2f",    "%5c",    "\\", ";", "..;",
      "%3b", "//", "%252e", "%25",    "%",  "%61",   "%41", "a", "?",   "x=1", "%c0%ae", "%C3%A9", "#",  "~", "%00"};
  std::mt19937 random(20260101);
  std::size_t granted = 0;
  for (int round = 0; round < 1500; ++round) {
    std::string target = random() % 2 == 0 ? "/public/" : "/v1/";
    for (std::size_t count = random() % 6; count > 0; --count) {
      target += pieces[random() % pieces.size()];
    }
    upstream.forget();
    const Response response = ask(request_to(target, k1.bearer()));
    if (response.status != 200) {
      EXPECT_EQ(upstream.bytes(), "") << target;
      continue;
    }
    ++granted;
    const std::string sent = upstream.only_request().target;
    const std::string read = careless(sent);
    EXPECT_TRUE(read.starts_with("/public") || read.starts_with("/v1")) << target << " was sent as " << sent;
    upstream.forget();
    EXPECT_EQ(ask(request_to(sent, k1.bearer())).status, 200) << sent;
    EXPECT_EQ(upstream.only_request().target, sent) << "what was sent is not in canonical form";
  }
  EXPECT_GT(granted, 100U);
}

TEST_F(PathConfusion, P18_HeadersThatNameAnotherPathChangeNothingAndAreNotSent) {
  const std::array<std::string, 12> names{"X-Original-URL",     "X-Rewrite-URL",         "X-Forwarded-Uri",
                                          "X-Forwarded-Prefix", "X-Forwarded-Path",      "X-Envoy-Original-Path",
                                          "X-Original-URI",     "X-HTTP-DestinationURL", "X-Original-Method",
                                          "X-Forwarded-Method", "X-Original-Host",       "X_Original_URL"};
  for (const std::string& name : names) {
    const std::string field = name + ": /public/x\r\n";
    expect_denied(request_to("/admin", field), missing);
    expect_denied(request_to("/admin", field + k1.bearer()), lacks_scope);
    EXPECT_EQ(expect_granted(request_to("/v1/x", field + k1.bearer())).fields.count_alike(name), 0U) << name;
    EXPECT_EQ(expect_granted(request_to("/public/x", field)).fields.count_alike(name), 0U) << name;
  }
}

TEST_F(PathConfusion, P19_MethodOverridesChangeNothingAndAreNotSent) {
  for (const std::string name :
       {"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "x_http_method_override"}) {
    const Request seen = expect_granted(request_with_body("/v1/x", "{}", name + ": DELETE\r\n" + k1.bearer()));
    EXPECT_EQ(seen.method, "POST");
    EXPECT_EQ(seen.fields.count_alike(name), 0U) << name;
  }
}

class QueryCredential : public Scenario {
 protected:
  void SetUp() override {
    start({.more = "credentials: {sources: [bearer, {header: x-api-key}, {query: api_key}]}\n"});
  }
};

TEST_F(QueryCredential, P20_AQueryThatTwoParsersReadDifferentlyIsRefused) {
  const Denial refused{400, "bad_request|ambiguous_credential", Ending::any};
  for (const std::string& query :
       {std::string("api_key=%zz"), "api_key=" + k1.text + ";api_key=" + ka.text, "api_key=" + k1.text + "&api_key",
        "a;api_key=" + k1.text, "api_key&api_key=" + k1.text, "api_key=" + k1.text + "&x=%g",
        "api_key=" + k1.text + "%"}) {
    expect_denied(request_to("/v1/x?" + query), refused);
  }
  const Denial ambiguous{400, "ambiguous_credential", Ending::any};
  for (const std::string& query :
       {"api_key=" + k1.text + "&api_key=" + ka.text, "api_key=" + k1.text + "&api%5Fkey=" + ka.text,
        "api_key=" + k1.text + "&API_KEY=" + ka.text, "%61pi_key=" + ka.text + "&api_key=" + k1.text}) {
    expect_denied(request_to("/v1/x?" + query), ambiguous);
  }
}

TEST_F(QueryCredential, P20_NoSpellingOfTheParameterIsSentOn) {
  const std::array<std::pair<std::string, std::string>, 5> rows{{
      {"api_key=" + k1.text, "/v1/x"},
      {"a=1&api_key=" + k1.text + "&b=2", "/v1/x?a=1&b=2"},
      {"api%5fkey=" + k1.text + "&b=%20+", "/v1/x?b=%20+"},
      {"a=1&API_KEY=" + k1.text, "/v1/x?a=1"},
      {"api_keys=1&xapi_key=2&api_key=" + k1.text, "/v1/x?api_keys=1&xapi_key=2"},
  }};
  for (const auto& [query, sent] : rows) {
    EXPECT_EQ(expect_granted(request_to("/v1/x?" + query)).target, sent) << query;
  }
}

}  // namespace
}  // namespace keygate::test
