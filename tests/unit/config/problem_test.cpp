#include "config/problem.hpp"

#include <gmock/gmock.h>

namespace keygate::config {
namespace {

Problem problem_at(int line, int column, std::string message) {
  static const auto file = std::make_shared<const std::string>("keygate.yaml");
  return {Severity::error, {file, line, column}, "", std::move(message), ""};
}

TEST(Problem, RendersPlacePathMessageAndHint) {
  auto problem = problem_at(14, 5, "unknown key \"scope\"");
  problem.path = "routes[2]";
  problem.hint = "did you mean \"scopes\"?";
  EXPECT_EQ(render(problem), "keygate.yaml:14:5: routes[2]: unknown key \"scope\"; did you mean \"scopes\"?");
}

TEST(Problem, RendersAWarningAfterThePlace) {
  auto problem = problem_at(1, 2, "careful");
  problem.severity = Severity::warning;
  EXPECT_EQ(render(problem), "keygate.yaml:1:2: warning: careful");
}

TEST(Problem, RendersNoLineWhereNoneIsKnown) {
  EXPECT_EQ(render(problem_at(0, 0, "cannot be read")), "keygate.yaml: cannot be read");
  EXPECT_EQ(render(Problem{Severity::error, {}, "", "nowhere", ""}), "nowhere");
}

TEST(Problem, RendersOneLineWhateverStandsInTheFile) {
  auto problem = problem_at(4, 5, "\"a\nb\" is not a scope name");
  problem.path = "scopes.\x1b[31ma\tb\xC3\xA9";
  problem.hint = "write \x7f\r";
  EXPECT_EQ(render(problem), "keygate.yaml:4:5: scopes.?[31ma?b\xC3\xA9: \"a?b\" is not a scope name; write ??");
}

TEST(Problem, SortsByPlaceAndDropsEqualOnes) {
  Problems problems{problem_at(9, 1, "c"), problem_at(2, 8, "b"), problem_at(2, 1, "a"), problem_at(2, 8, "other"),
                    problem_at(2, 8, "b")};
  sort_by_place(problems);
  std::vector<std::string> messages;
  for (const auto& problem : problems) messages.push_back(problem.message);
  EXPECT_THAT(messages, testing::ElementsAre("a", "b", "other", "c"));
}

TEST(Problem, SortsByTheNameOfTheFileAndNotByItsAddress) {
  auto second = problem_at(1, 1, "second");
  second.where.file = std::make_shared<const std::string>("b.yaml");
  auto first = problem_at(7, 1, "first");
  first.where.file = std::make_shared<const std::string>("a.yaml");
  Problems problems{second, first};
  sort_by_place(problems);
  EXPECT_EQ(problems[0].message, "first");
}

TEST(Problem, WarningsAreNoErrors) {
  auto warning = problem_at(1, 1, "careful");
  warning.severity = Severity::warning;
  EXPECT_FALSE(has_errors({}));
  EXPECT_FALSE(has_errors({warning}));
  EXPECT_TRUE(has_errors({warning, problem_at(1, 1, "wrong")}));
}

TEST(NearestWord, FindsASlip) {
  const std::vector<std::string> known{"scopes", "credentials", "organization", "environment"};
  EXPECT_EQ(nearest_word("scope", known), "scopes");
  EXPECT_EQ(nearest_word("socpes", known), "scopes");
  EXPECT_EQ(nearest_word("Scopes", known), "scopes");
  EXPECT_EQ(nearest_word("enviroment", known), "environment");
}

TEST(NearestWord, IsSilentWhereNothingIsNear) {
  EXPECT_EQ(nearest_word("colour", {"scopes", "credentials"}), "");
  EXPECT_EQ(nearest_word("x", {"a", "b"}), "");
  EXPECT_EQ(nearest_word("", {"a"}), "");
  EXPECT_EQ(nearest_word(std::string(1'000'000, 'x'), {"scopes"}), "");
}

}  // namespace
}  // namespace keygate::config
