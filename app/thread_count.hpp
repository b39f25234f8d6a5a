// How many workers this machine gives us: what the cgroup's CPU quota and the affinity mask leave, at least one.
#pragma once

#include <optional>
#include <string_view>

namespace keygate::app {

unsigned available_threads();

// Whole CPUs of a cgroup v2 cpu.max ("200000 100000"; "max 100000" is nullopt), rounded up.
std::optional<unsigned> quota_from_cpu_max(std::string_view text);

}  // namespace keygate::app
