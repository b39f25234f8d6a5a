#include "app/thread_count.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace keygate::app {
namespace {

struct Row {
  std::string text;
  std::optional<unsigned> cpus;
};

TEST(CpuQuota, IsWholeCpusRoundedUp) {
  for (const auto& [text, cpus] : std::vector<Row>{
           {"200000 100000\n", 2},
           {"200000 100000", 2},
           {"100000 100000\n", 1},
           {"150000 100000\n", 2},
           {"200001 100000\n", 3},
           {"50000 100000\n", 1},
           {"1 1000000\n", 1},
           {"1000 1000\n", 1},
           {"100000000000 100000\n", 1024},
           {"9223372036854775807 1\n", 1024},
           {"9223372036854775807 9223372036854775807\n", 1},
           {"max 100000\n", std::nullopt},
           {"max", std::nullopt},
           {"", std::nullopt},
           {"\n", std::nullopt},
           {"200000", std::nullopt},
           {"200000 ", std::nullopt},
           {"200000\n", std::nullopt},
           {"200000 max", std::nullopt},
           {"200000 0", std::nullopt},
           {"0 100000", std::nullopt},
           {"-1 100000", std::nullopt},
           {"100000 -1", std::nullopt},
           {"99999999999999999999 100000", std::nullopt},
           {"two 100000", std::nullopt},
       }) {
    EXPECT_EQ(quota_from_cpu_max(text), cpus) << text;
  }
}

TEST(AvailableThreads, IsAtLeastOne) {
  EXPECT_GE(available_threads(), 1U);
  EXPECT_LE(available_threads(), 1024U);
}

}  // namespace
}  // namespace keygate::app
