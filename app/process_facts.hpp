// What does the operating system say of this process? For metrics; Linux's /proc.
#pragma once

#include <cstdint>

namespace keygate::app {

struct ProcessFacts {
  double cpu_seconds = 0;         // user and system together
  double start_time_seconds = 0;  // since 1970
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t threads = 0;
  std::uint64_t open_descriptors = 0;
  std::uint64_t max_descriptors = 0;
};

// What cannot be read is 0.
ProcessFacts process_facts();

}  // namespace keygate::app
