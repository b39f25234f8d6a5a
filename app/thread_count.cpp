#include "app/thread_count.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <sched.h>
#include <sstream>
#include <string>

namespace keygate::app {
namespace {

std::optional<std::int64_t> number_in(const char* path) {
  std::ifstream file(path);
  std::int64_t value = 0;
  if (file >> value) {
    return value;
  }
  return std::nullopt;
}

std::optional<unsigned> to_cpus(std::int64_t quota, std::int64_t period) {
  if (quota <= 0 || period <= 0) {
    return std::nullopt;
  }
  return static_cast<unsigned>(std::clamp<std::int64_t>((quota - 1) / period + 1, 1, 1024));
}

std::optional<unsigned> cgroup_quota() {
  std::ifstream v2("/sys/fs/cgroup/cpu.max");
  if (v2) {
    std::stringstream text;
    text << v2.rdbuf();
    return quota_from_cpu_max(text.str());
  }
  const auto quota = number_in("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  const auto period = number_in("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  return quota && period ? to_cpus(*quota, *period) : std::nullopt;
}

}  // namespace

std::optional<unsigned> quota_from_cpu_max(std::string_view text) {
  std::int64_t quota = 0;
  std::int64_t period = 0;
  const char* const end = text.data() + text.size();
  const auto [quota_end, quota_error] = std::from_chars(text.data(), end, quota);
  if (quota_error != std::errc{} || quota_end == end) {
    return std::nullopt;
  }
  if (std::from_chars(quota_end + 1, end, period).ec != std::errc{}) {
    return std::nullopt;
  }
  return to_cpus(quota, period);
}

unsigned available_threads() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  const int usable = sched_getaffinity(0, sizeof mask, &mask) == 0 ? CPU_COUNT(&mask) : 1;
  const auto cpus = static_cast<unsigned>(std::max(usable, 1));
  return std::min(cpus, cgroup_quota().value_or(cpus));
}

}  // namespace keygate::app
