// What of a faulty line is shown, and that no secret ever is.
#include "config/hidden_parts.hpp"

#include "config/marked_line.hpp"

#include <gmock/gmock.h>

#include <ostream>
#include <string>

namespace keygate::config {
namespace {

const KeyNames known{"admin_secrets", "app",     "cors",     "credentials", "endpoints", "headers",    "hosts",
                     "key",           "limits",  "match",    "method",      "methods",   "name",       "path",
                     "policy",        "redis",   "require",  "routes",      "scopes",    "secret",     "secret_env",
                     "secret_file",   "sources", "upstream", "upstreams",   "url",       "set_headers"};

// The last line, as it would be shown with a mark at its begin; "-" where it is not.
std::string shown_of(const std::string& text) {
  const SourceLines lines(text, known);
  const std::size_t last = lines.size() - 1;
  const auto hidden = lines.hidden_in(last);
  if (!hidden) return "-";
  const std::string marked = marked_line(lines[last], 1, 1, *hidden);
  return marked.substr(8, marked.find('\n') - 8);
}

struct Row {
  std::string name, text, shown;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

class HiddenParts : public testing::TestWithParam<Row> {};

TEST_P(HiddenParts, AreNotShown) { EXPECT_EQ(shown_of(GetParam().text), GetParam().shown) << GetParam().text; }

const Row rows[] = {
    {"Harmless", "limits: {name: x}", "limits: {name: x}"},
    {"ASecret", "  secret: hunter2", "  secret: ***"},
    {"AQuotedSecret", "  secret: \"hunt # er2\" # old: hunter1", "  secret: ***"},
    {"ASecretInAMap", "admin_secrets: [{name: a, secret: hunter2, path: x}]",
     "admin_secrets: [{name: a, secret: ***, path: x}]"},
    {"ASecretInPlaceOfAMap", "admin_secrets: [hunter2]", "admin_secrets: [***]"},
    {"ASecretInPlaceOfAMapBelow", "admin_secrets:\n  - hunter2", "  - ***"},
    {"ASecretWithoutABlank", "redis:\n  secret:hunter2", "  ***"},
    {"ASecretWithAnEqualsSign", "redis:\n  password=hunter2", "  ***"},
    {"AKeyThatIsNotTheFormats", "redis: {passwort: hunter2}", "redis: {passwort: ***}"},
    {"ATokenByName", "redis: {token: hunter2}", "redis: {token: ***}"},
    {"WhatStandsUnderASecret", "redis: {secret: {key: hunter2}}", "redis: {secret: {***: ***}}"},
    {"AFile", "redis: {secret_file: /run/secret}", "redis: {secret_file: /run/secret}"},
    {"ASecretInPlaceOfAFile", "redis: {secret_file: hunter2}", "redis: {secret_file: ***}"},
    {"AVariable", "redis: {secret_env: SECRET}", "redis: {secret_env: SECRET}"},
    {"ASecretInPlaceOfAVariable", "redis: {secret_env: hunter2}", "redis: {secret_env: ***}"},
    {"AUserInAUrl", "redis: {url: \"redis://me:hunter2@host:1/0\"}", "redis: {url: \"redis://***@host:1/0\"}"},
    {"AUserWithoutAScheme", "redis: {url: me:hunter2@host:1}", "redis: {url: ***@host:1}"},
    {"APasswordInPlaceOfAPort", "redis: {url: redis://host:hunter2/0}", "redis: {url: redis://host:***/0}"},
    {"APasswordWithAnAt", "redis: {url: \"redis://me:hun@ter/2@host\"}", "redis: {url: \"redis://***@host\"}"},
    {"AVariableForAPort", "redis: {url: \"redis://host:${PORT}/0\"}", "redis: {url: \"redis://host:${PORT}/0\"}"},
    {"AKeyInBase64", "redis: {secret_file: hun/ter+hun/ter2hunter3hunter45=}", "redis: {secret_file: ***}"},
    {"AKeyOnALineOfItsOwn", "redis:\n  ? token\n  : hunter2", "-"},
    {"AValueFurtherInUnderAHeader", "set_headers:\n  x:\n    path: hunter2", "    path: ***"},
    {"AScopeAboutSecrets", "require: {scopes: secrets:read}", "require: {scopes: secrets:read}"},
    {"AQueryInAUrl", "redis: {url: https://host/x?token=hunter2}", "redis: {url: https://host/x?***}"},
    {"ADefaultOfAVariable", "redis: {url: \"${REDIS_PASSWORD:-hunter2}\"}", "redis: {url: ***}"},
    {"WhatLooksRandom", "name: kg_live_0123456789abcdef", "name: ***"},
    {"AHeadersValue", "    headers: {name: hunter2}", "    headers: {name: ***}"},
    {"AHeadersValueBelow", "match:\n  headers:\n    name: hunter2", "    name: ***"},
    {"AHeaderThatIsSet", "set_headers:\n  Authorization: Bearer x", "  Authorization: ***"},
    {"HeadersInAList", "cors: {headers: [authorization]}", "cors: {headers: [authorization]}"},
    {"AScopesDescription", "policy:\n  scopes:\n    a:read: Read it", "    a:read: Read it"},
    {"AnUpstreamsAddress", "upstreams:\n  main: http://host", "  main: http://host"},
    {"AForwardedProbe", "health:\n  forward: {/live: app}", "  forward: {/live: app}"},
    {"ASecretProbe", "health:\n  forward:\n    /secret: hunter2", "    /secret: ***"},
    {"TextThatGoesOn", "secret: |\n  path: hunter2", "-"},
    {"TextThatGoesOnFarBelow", "secret: >-\n  x\n\n  path: hunter2", "-"},
    {"AQuoteThatGoesOn", "name: x\nsecret: \"one\n  path: hunter2", "-"},
    {"AQuoteThatGoesOnAtTheEdge", "{secret: 'one\npath: hunter2", "-"},
    {"WhatGoesOnBehindASecret", "secret: one\n  path: hunter2", "-"},
    {"WhatIsInBracketsAbove", "routes: [{name: a, secret:\n  hunter2, path: /x}]", "  ***, ***: ***}***"},
    {"AfterAQuoteThatEnded", "secret: \"one\n  two\"\npath: /x", "path: /x"},
    {"AfterTextThatEnded", "secret: |\n  one\npath: /x", "path: /x"},
    {"AMisindentedKey", "match:\n  methods: GET\n    path: /x", "    path: /x"},
    {"AListInADash", "routes:\n  - name: a\n    match: {path: \"/{x}\"}", "    match: {path: \"/{x}\"}"},
    {"NobodysValue", "hunter2", "***"},
    {"AComment", "path: /x  # hunter2", "path: /x"},
    {"WindowsLineEnds", "name: a\r\nsecret: hunter2\r\n", "secret: ***"},
};

INSTANTIATE_TEST_SUITE_P(Table, HiddenParts, testing::ValuesIn(rows), [](const auto& row) { return row.param.name; });

// Whatever stands there, scanning a line comes to its end, and what is hidden is in order and within the line.
TEST(HiddenPartsOfAnyLine, AreSpansOfIt) {
  const std::string pieces[] = {"{",  "}", "[", "]",  ",",  ":", ": ", "- ", "a",
                                "\"", "'", "#", " #", "\t", "|", "?",  "&"};
  std::string text;
  unsigned state = 1;
  for (int i = 0; i < 20'000; ++i) {
    state = state * 1'103'515'245U + 12'345U;
    text += pieces[(state >> 16U) % std::size(pieces)];
    if (i % 13 == 0) text += '\n';
  }
  const SourceLines lines(text, known);
  for (std::size_t number = 0; number < lines.size(); number += 7) {
    const auto hidden = lines.hidden_in(number);
    if (!hidden) continue;
    std::size_t done = 0;
    for (const Span& span : *hidden) {
      EXPECT_LE(done, span.begin) << lines[number];
      EXPECT_LT(span.begin, span.end) << lines[number];
      EXPECT_LE(span.end, lines[number].size()) << lines[number];
      done = span.end;
    }
  }
}

}  // namespace
}  // namespace keygate::config
