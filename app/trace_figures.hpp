// What came of the spans that were to be exported? Told by trace_export, read by metrics.
#pragma once

#include <cstdint>

namespace keygate::app {

struct TraceFigures {
  bool is_on = false;
  std::uint64_t exported_spans = 0;
  std::uint64_t dropped_spans = 0;   // found the queue full, or came to an end with the process
  std::uint64_t rejected_spans = 0;  // the collector has not taken them
  std::uint64_t too_old_spans = 0;   // it could not be asked for too long
};

}  // namespace keygate::app
