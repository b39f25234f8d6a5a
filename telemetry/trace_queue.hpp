// Spans between the workers, who have them, and the exporter, who sends them: bounded, so that a collector that is down
// costs spans, which are counted, and never memory or a request's time.
#pragma once

#include "telemetry/trace_record.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

namespace keygate::telemetry {

class TraceQueue {
 public:
  static constexpr std::size_t max_records = 2'048;

  // `wake` is called by whoever puts the first record into an empty queue, and by who fills its half: by any thread,
  // and not for long.
  explicit TraceQueue(std::function<void()> wake) : wake_(std::move(wake)) {}

  // Any thread; waits for nothing but another who moves a record. Where it is full, the record is dropped and counted.
  void put(TraceRecord record);

  // At most `most`, oldest first.
  std::vector<TraceRecord> take(std::size_t most);

  bool empty() const;
  bool is_half_full() const;
  std::uint64_t dropped_spans() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  const std::function<void()> wake_;
  mutable std::mutex mutex_;
  std::vector<TraceRecord> records_;
  std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace keygate::telemetry
