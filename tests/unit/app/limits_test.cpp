#include "app/limits.hpp"

#include "telemetry/log.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <sys/resource.h>

namespace keygate::app {
namespace {

// RLIMIT_NOFILE can be lowered but not raised again: each case has a process of its own.
[[noreturn]] void exit_with(const config::LimitSettings& limits, rlim_t descriptors,
                            bool (*holds)(const Connections&)) {
  const rlimit files{descriptors, descriptors};
  if (::setrlimit(RLIMIT_NOFILE, &files) != 0) std::exit(2);
  telemetry::configure_log({telemetry::Level::info, false});
  std::exit(holds(fit_connections(limits, 2)) ? 0 : 1);
}

// 1,000 descriptors, 64 + 2 * 16 of them for the process itself, two a client.
constexpr rlim_t descriptors = 1'000;
constexpr std::size_t bearable = 452;

config::LimitSettings limits_of(std::size_t connections, bool is_written) {
  config::LimitSettings limits;
  limits.connections = connections;
  limits.connections_written = is_written;
  return limits;
}

TEST(FitConnectionsDeathTest, TakesANumberThatFits) {
  EXPECT_EXIT(exit_with(limits_of(bearable, true), descriptors,
                        [](const Connections& fit) { return fit.most == bearable && !fit.fault; }),
              ::testing::ExitedWithCode(0), "");
}

TEST(FitConnectionsDeathTest, LowersTheDefaultWithAWarning) {
  EXPECT_EXIT(exit_with(limits_of(10'000, false), descriptors,
                        [](const Connections& fit) { return fit.most == bearable && !fit.fault; }),
              ::testing::ExitedWithCode(0), "limits.connections lowered: RLIMIT_NOFILE \\(1000\\) bears 452");
}

TEST(FitConnectionsDeathTest, RefusesAWrittenNumberThatDoesNotFit) {
  EXPECT_EXIT(exit_with(limits_of(bearable + 1, true), descriptors,
                        [](const Connections& fit) {
                          return fit.fault && fit.fault->find("limits.connections is 453") != std::string::npos;
                        }),
              ::testing::ExitedWithCode(0), "");
}

TEST(FitConnectionsDeathTest, RefusesALimitThatBearsNoClientAtAll) {
  EXPECT_EXIT(exit_with(limits_of(10'000, false), 97, [](const Connections& fit) { return fit.fault.has_value(); }),
              ::testing::ExitedWithCode(0), "");
  EXPECT_EXIT(exit_with(limits_of(10'000, false), 50, [](const Connections& fit) { return fit.fault.has_value(); }),
              ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace keygate::app
