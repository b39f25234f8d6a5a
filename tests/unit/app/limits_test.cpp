#include "app/limits.hpp"

#include "telemetry/log.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <sys/resource.h>

namespace keygate::app {
namespace {

constexpr std::size_t workers = 2;
constexpr rlim_t descriptors = 1'000;
constexpr std::size_t reserved = 48 + 2 * (16 + 1);  // the process, and for each worker its own and a listener
constexpr std::size_t bearable = (descriptors - reserved) / 2;

// One listener, one upstream, and nothing else.
config::Settings settings_of(std::size_t connections, bool is_written) {
  config::Settings settings;
  settings.limits.connections = connections;
  settings.limits.connections_written = is_written;
  settings.listeners.emplace_back();
  settings.upstreams.emplace_back();
  settings.upstreams.back().endpoints.emplace_back();
  return settings;
}

// RLIMIT_NOFILE can be lowered but not raised again: each case has a process of its own.
[[noreturn]] void exit_with(const config::Settings& settings, rlimit files, bool (*holds)(const Connections&)) {
  if (::setrlimit(RLIMIT_NOFILE, &files) != 0) std::exit(2);
  telemetry::configure_log({telemetry::Level::info, false});
  std::exit(holds(fit_connections(settings, workers)) ? 0 : 1);
}

TEST(FitConnectionsDeathTest, TakesANumberThatFits) {
  EXPECT_EXIT(exit_with(settings_of(bearable, true), {descriptors, descriptors},
                        [](const Connections& fit) { return fit.most == bearable && !fit.fault; }),
              ::testing::ExitedWithCode(0), "");
}

TEST(FitConnectionsDeathTest, LowersTheDefaultWithAWarning) {
  EXPECT_EXIT(exit_with(settings_of(10'000, false), {descriptors, descriptors},
                        [](const Connections& fit) { return fit.most == bearable && !fit.fault; }),
              ::testing::ExitedWithCode(0), "limits.connections lowered: RLIMIT_NOFILE \\(1000\\) bears 459 client");
}

TEST(FitConnectionsDeathTest, RefusesAWrittenNumberThatDoesNotFit) {
  EXPECT_EXIT(exit_with(settings_of(bearable + 1, true), {descriptors, descriptors},
                        [](const Connections& fit) {
                          return fit.fault && fit.fault->find("limits.connections is 460") != std::string::npos;
                        }),
              ::testing::ExitedWithCode(0), "");
}

TEST(FitConnectionsDeathTest, RefusesALimitThatBearsNoClientAtAll) {
  EXPECT_EXIT(exit_with(settings_of(10'000, false), {reserved + 1, reserved + 1},
                        [](const Connections& fit) { return fit.fault.has_value(); }),
              ::testing::ExitedWithCode(0), "");
  EXPECT_EXIT(
      exit_with(settings_of(10'000, false), {50, 50}, [](const Connections& fit) { return fit.fault.has_value(); }),
      ::testing::ExitedWithCode(0), "");
}

TEST(FitConnectionsDeathTest, RaisesTheSoftLimitToTheHardOne) {
  EXPECT_EXIT(exit_with(settings_of(bearable, true), {100, descriptors},
                        [](const Connections& fit) {
                          rlimit files{};
                          ::getrlimit(RLIMIT_NOFILE, &files);
                          return fit.most == bearable && files.rlim_cur == descriptors;
                        }),
              ::testing::ExitedWithCode(0), "");
}

TEST(BearableClients, ATwoOfEachLeavesNoDescriptorOver) {
  const config::Settings settings = settings_of(1, true);
  EXPECT_EQ(reserved_descriptors(settings, workers), reserved);
  EXPECT_EQ(bearable_clients(settings, workers, reserved), 0U);
  EXPECT_EQ(bearable_clients(settings, workers, reserved + 1), 0U);
  EXPECT_EQ(bearable_clients(settings, workers, reserved + 2), 1U);
  EXPECT_EQ(bearable_clients(settings, workers, reserved + 20'000), 10'000U);
}

TEST(BearableClients, IdleConnectionsToOtherEndpointsCount) {
  config::Settings settings = settings_of(1, true);
  settings.upstreams.push_back(settings.upstreams.front());
  settings.upstreams.push_back(settings.upstreams.front());
  // Few clients: as many idle connections to each endpoint as there were ever clients.
  EXPECT_EQ(bearable_clients(settings, workers, reserved + 400), 100U);
  // Many: no more of each of the two than there may be connections to it,
  EXPECT_EQ(bearable_clients(settings, workers, reserved + 20'000), (20'000U - 2 * 1024) / 2);
  // nor than two workers' pools keep.
  for (config::UpstreamSettings& upstream : settings.upstreams) upstream.max_connections = 1'000'000;
  EXPECT_EQ(bearable_clients(settings, workers, reserved + 20'000), (20'000U - 2 * 2 * 1024) / 2);
}

TEST(BearableClients, EachDependencyHasItsOwn) {
  const auto more = [](void (*add)(config::Settings&)) {
    config::Settings settings = settings_of(1, true);
    add(settings);
    return reserved_descriptors(settings, workers) - reserved;
  };
  EXPECT_EQ(more([](config::Settings& of) { of.listeners.emplace_back(); }), workers);
  EXPECT_GE(more([](config::Settings& of) { of.resolution.redis.emplace(); }), 2 * workers);
  EXPECT_GE(more([](config::Settings& of) { of.resolution.service.emplace(); }), 2 * 64U);
  EXPECT_GE(more([](config::Settings& of) { of.resolution.store.emplace(); }), 6U);
  EXPECT_GE(more([](config::Settings& of) { of.health.emplace(); }), 65U);
}

}  // namespace
}  // namespace keygate::app
