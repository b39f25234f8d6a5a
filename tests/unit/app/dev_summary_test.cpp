#include "app/dev_summary.hpp"

#include "tests/unit/policy/builders.hpp"

#include <gmock/gmock.h>

#include <sstream>

namespace keygate::app {
namespace {

using policy::testing::keyed;
using policy::testing::scope;
using testing::HasSubstr;
using testing::Not;

std::shared_ptr<const proxy::Snapshot> snapshot_of(config::Settings settings, std::uint64_t generation) {
  auto shared = std::make_shared<const config::Settings>(std::move(settings));
  auto compiled = policy::testing::compiled(*shared);
  return std::make_shared<const proxy::Snapshot>(generation, std::move(shared), std::move(compiled), keys::Secrets{});
}

config::Settings needing(const std::string& name) {
  return policy::testing::settings_with({keyed("route", "/a", 10).all({name})}, {scope("old"), scope("new")});
}

void note(DevSummary& summary, const proxy::Snapshot& judged_by, std::string_view route) {
  telemetry::Outcome outcome;
  outcome.route = route;
  outcome.code = "ok";
  outcome.was_judged = true;
  summary.note(outcome, judged_by);
}

std::string printed(const DevSummary& summary) {
  std::ostringstream out;
  summary.print(out, false);
  return out.str();
}

TEST(DevSummary, WhatEndsAfterAReloadIsNotJudgedByTheOlderPolicy) {
  const auto before = snapshot_of(needing("old"), 1);
  const auto after = snapshot_of(needing("new"), 2);
  DevSummary summary;
  note(summary, *before, "route");
  note(summary, *after, "route");
  note(summary, *before, "route");
  EXPECT_THAT(printed(summary), HasSubstr("needs:  new\n"));
}

TEST(DevSummary, RoutesThatTakeNoKeyAreLeftOutAndNamed) {
  config::Settings settings = policy::testing::settings_with(
      {keyed("with-key", "/a", 10).all({"old"}), keyed("pages", "/b", 20).all({"new"}).credentials({"session"})},
      {scope("old"), scope("new")});
  settings.resolution.service.emplace().session_url.emplace();
  const auto both = snapshot_of(std::move(settings), 1);
  DevSummary pages;
  note(pages, *both, "pages");
  EXPECT_THAT(printed(pages), HasSubstr("as no API key is taken there:  pages\n"));
  EXPECT_THAT(printed(pages), Not(HasSubstr("scope")));
  note(pages, *both, "with-key");
  EXPECT_THAT(printed(pages), HasSubstr("needs:  old\n"));
}

}  // namespace
}  // namespace keygate::app
