#include "config/yaml_reader.hpp"

#include "config/source_text.hpp"

#include <gmock/gmock.h>

namespace keygate::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> faults_in(std::string_view text) {
  const auto document = read_yaml(text, std::make_shared<const std::string>("f"));
  std::vector<std::string> lines;
  for (const auto& problem : document.problems) lines.push_back(render(problem));
  return lines;
}

std::string repeated(std::size_t times, const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < times; ++i) result += text;
  return result;
}

TEST(Yaml, KeysAndValuesKnowTheirPlaces) {
  const auto document = read_yaml("a:\n  - b: 'x'\n    c: [y]\n", nullptr);
  ASSERT_THAT(document.problems, IsEmpty());
  const auto& item = *document.root->entries.at(0).value->items.at(0);
  EXPECT_EQ(item.entries.at(0).line, 2);
  EXPECT_EQ(item.entries.at(0).column, 5);
  EXPECT_EQ(item.entries.at(0).value->column, 8);
  EXPECT_FALSE(item.entries.at(0).value->is_plain);
  EXPECT_EQ(item.entries.at(1).value->items.at(0)->text, "y");
  EXPECT_TRUE(item.entries.at(1).value->items.at(0)->is_plain);
}

TEST(Yaml, DuplicateKeysAreAllNamed) {
  EXPECT_THAT(faults_in("a: 1\nb:\n  - {c: 1, c: 2}\na: 3\na: 4\n"),
              ElementsAre("f:3:12: b[0]: duplicate key \"c\"; it already stands on line 3",
                          "f:4:1: duplicate key \"a\"; it already stands on line 1",
                          "f:5:1: duplicate key \"a\"; it already stands on line 1"));
}

TEST(Yaml, OfDuplicateKeysTheFirstStays) {
  const auto document = read_yaml("a: 1\na: [2, 3]\nb: 4\n", nullptr);
  ASSERT_EQ(document.root->entries.size(), 2u);
  EXPECT_EQ(document.root->entries[0].value->text, "1");
  EXPECT_EQ(document.root->entries[1].value->text, "4");
}

TEST(Yaml, QuotingMakesNoOtherKey) {
  EXPECT_THAT(faults_in("a: 1\n\"a\": 2\n"), ElementsAre("f:2:1: duplicate key \"a\"; it already stands on line 1"));
}

TEST(Yaml, ASecondDocumentIsRefused) {
  const auto fault = "a second document begins here; one file holds one document; check the indentation";
  EXPECT_THAT(faults_in("a: 1\n---\nb: 2\n"), ElementsAre(std::string("f:2:1: ") + fault));
  EXPECT_THAT(faults_in("a: 1\n...\nb: 2\n"), ElementsAre(std::string("f:3:1: ") + fault));
  EXPECT_THAT(faults_in("a: 1\n---\n"), ElementsAre(std::string("f:2:1: ") + fault));
}

TEST(Yaml, OneDocumentMayHaveItsMarkers) { EXPECT_THAT(faults_in("---\na: 1\n...\n"), IsEmpty()); }

TEST(Yaml, AnEmptyFileIsRefused) {
  for (const char* text : {"", "\n\n", "# only this\n", "---\n", "~", "null"}) {
    EXPECT_THAT(faults_in(text), ElementsAre("f:1:1: the file is empty")) << text;
  }
}

TEST(Yaml, UnknownTagsAreRefusedWhereTheyStand) {
  EXPECT_THAT(faults_in("a: !secret x\nb: !!int 3\nc: [!!map {}]\n"),
              ElementsAre("f:1:4: a: unknown tag \"!secret\"; leave it out",
                          "f:2:4: b: unknown tag \"tag:yaml.org,2002:int\"; leave it out"));
}

TEST(Yaml, AliasesShareWhatTheyName) {
  const auto document = read_yaml("a: &x [1, 2]\nb: *x\n", nullptr);
  ASSERT_THAT(document.problems, IsEmpty());
  EXPECT_EQ(document.root->entries[0].value, document.root->entries[1].value);
  EXPECT_EQ(document.root->size, 7u);
}

TEST(Yaml, AliasesThatMultiplyAreRefused) {
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n";
  for (char name = 'b'; name <= 'j'; ++name) {
    const auto before = std::string("*") + static_cast<char>(name - 1);
    bomb += std::string(1, name) + ": &" + name + " [" + repeated(9, before + ", ") + before + "]\n";
  }
  EXPECT_THAT(faults_in(bomb), ElementsAre("f:7:8: g[0]: there are more than 2000000 values; an alias counts as all "
                                           "that it names"));
}

TEST(Yaml, AnAliasCannotStandInsideWhatItNames) {
  EXPECT_THAT(faults_in("a: &a [*a]\n"), ElementsAre("f:1:8: a[0]: an alias stands inside what it names"));
}

TEST(Yaml, SixtyFourLevelsAreEnough) {
  EXPECT_THAT(faults_in(repeated(64, "[") + repeated(64, "]")), IsEmpty());
  EXPECT_THAT(faults_in(repeated(65, "[") + repeated(65, "]")),
              ElementsAre("f:1:65: lists and maps are nested more than 64 deep"));
}

TEST(Yaml, NestingHarmsNobodyHoweverDeep) {
  for (const char* opening : {"[", "{a: ", "- ", "? ", "[{", "!!seq [", "&a ["}) {
    EXPECT_EQ(read_yaml(repeated(100'000, opening), nullptr).root, nullptr) << opening;
  }
}

TEST(Yaml, SyntaxFaultsHaveAPlace) {
  EXPECT_THAT(faults_in("a: 1\nb: [1, 2\nc: 3\n"),
              ElementsAre("f:3:2: this is not YAML: end of sequence flow not found; check indentation, quotes and "
                          "brackets"));
  EXPECT_THAT(
      faults_in("a: b: c\n"),
      ElementsAre("f:1:5: a second colon with a blank behind it stands on this line; quote text that has one in "
                  "it"));
}

TEST(Yaml, AQuoteThatNeverEndsIsRefused) {
  for (const char* text : {"a: \"x\n", "a: 'x\n", "a: 'x''\n", "a: \"x\\\"\n", "a: !!str \"x\n", "a: &b 'x\n"}) {
    EXPECT_THAT(faults_in(text), ElementsAre("f:1:4: a quote is opened here and never closed")) << text;
  }
  EXPECT_THAT(faults_in("a: \"b\nc: d\ne: 'f'\n"), ElementsAre("f:1:4: a quote is opened here and never closed"));
  for (const char* text : {"a: \"x\"", "a: 'x'", "a: 'x'''", "a: \"\\\"\"", "a: ''", "a: x'y",
                           "\xEF\xBB\xBF"
                           "a: 'x'"}) {
    EXPECT_THAT(faults_in(text), IsEmpty()) << text;
  }
}

// The library reads on beyond the end, and would name a place and a control character from there.
TEST(Yaml, ATextThatEndsWithinAnEscapeHasItsFaultAtItsEnd) {
  const std::string hint = "; check indentation, quotes and brackets";
  EXPECT_THAT(faults_in("a: \"b\\"), ElementsAre("f:1:7: this is not YAML: unknown escape character: ?" + hint));
  EXPECT_THAT(faults_in("\na: \"b\\U12"),
              ElementsAre("f:2:10: this is not YAML: bad character found while scanning hex number" + hint));
  EXPECT_THAT(faults_in("a: \"b\\\xC3\xA9\"\n"),
              ElementsAre("f:1:8: this is not YAML: unknown escape character: ?" + hint));
}

TEST(Yaml, AKeyIsAWord) {
  const auto hint = "; quote text that begins with { or [, and close every bracket";
  EXPECT_THAT(faults_in("a: {{ name }}\n"), ElementsAre(std::string("f:1:5: a: a key must be a word") + hint));
  EXPECT_THAT(faults_in("a: &x b\n*x : c\n"), ElementsAre(std::string("f:2:1: a key must be a word") + hint));
  EXPECT_THAT(faults_in("~: b\n"), ElementsAre(std::string("f:1:1: a key must be a word") + hint));
}

TEST(Yaml, BytesThatAreNoTextAreRefused) {
  using std::string_literals::operator""s;
  // The library takes 0x04 for the end of the file: what stands behind it would be lost without a word.
  EXPECT_THAT(faults_in("a: 1\n\x04"), ElementsAre("f:2:1: a control character stands here"));
  EXPECT_THAT(faults_in("a: \0b"s), ElementsAre("f:1:4: a control character stands here"));
  EXPECT_THAT(faults_in("a: b\rc: d"), ElementsAre("f:1:5: a control character stands here"));
  EXPECT_THAT(faults_in("a: \xff"), ElementsAre("f:1:4: the text is not valid UTF-8"));
  EXPECT_THAT(faults_in("a: \xc0\xaf"), ElementsAre("f:1:4: the text is not valid UTF-8"));
  EXPECT_THAT(faults_in("a: \xed\xa0\x80"), ElementsAre("f:1:4: the text is not valid UTF-8"));
  EXPECT_THAT(faults_in("a: \xe2\x82"), ElementsAre("f:1:4: the text is not valid UTF-8"));
  EXPECT_THAT(faults_in("a: \xc3\xa9\r\nb: \xf0\x9f\x94\x91\tc\r\n"), IsEmpty());
}

TEST(Yaml, SixteenMebibytesAreEnough) {
  EXPECT_THAT(faults_in("a: 1\n#" + std::string(max_source_bytes - 6, 'x')), IsEmpty());
  EXPECT_THAT(faults_in("a: 1\n#" + std::string(max_source_bytes, 'x')),
              ElementsAre("f: the file is larger than 16MiB"));
}

TEST(YamlPath, PutsOddKeysInBrackets) {
  EXPECT_EQ(path_to_key(path_to_item(path_to_key("", "routes"), 2), "match"), "routes[2].match");
  EXPECT_EQ(path_to_key("scopes", "projects:read"), "scopes[\"projects:read\"]");
}

}  // namespace
}  // namespace keygate::config
