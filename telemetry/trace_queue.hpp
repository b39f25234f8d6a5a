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

  // Any thread; waits for nothing but another who moves a record or swaps them all. Where it is full, the record is
  // dropped and counted.
  void put(TraceRecord record);

  // Whether it is full, asked before a record is made; the spans that it would have had are counted then. Any thread.
  bool drops(std::size_t spans);

  // All there is, oldest first, into `empty`, whose memory it goes on with.
  void swap_out(std::vector<TraceRecord>& empty);

  bool empty() const { return size_.load(std::memory_order_relaxed) == 0; }
  bool is_half_full() const { return size_.load(std::memory_order_relaxed) >= max_records / 2; }
  std::uint64_t dropped_spans() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  const std::function<void()> wake_;
  std::mutex mutex_;
  std::vector<TraceRecord> records_;
  std::atomic<std::size_t> size_{0};  // of records_
  std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace keygate::telemetry
