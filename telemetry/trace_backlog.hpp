// What the exporter has taken from the queue: it goes batch by batch, is kept until the collector has taken or refused
// it, and is let go once it is too old. Pure: time is passed in.
#pragma once

#include "telemetry/trace_queue.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace keygate::telemetry {

inline std::uint64_t spans_of(std::span<const TraceRecord> records) {
  std::uint64_t count = 0;
  for (const TraceRecord& record : records) count += record.spans();
  return count;
}

class TraceBacklog {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::size_t max_batch = 256;  // some 500 KiB of JSON at most
  static constexpr std::chrono::minutes max_age{5};

  bool empty() const { return sent_ == records_.size(); }

  // Takes all that there is in the queue, where nothing is left of what was taken before.
  void refill(TraceQueue& queue, Time now) {
    if (!empty()) return;
    forget();
    queue.swap_out(records_);
    taken_at_ = now;
  }

  // The oldest of them; the same ones until next().
  std::span<const TraceRecord> batch() const {
    return std::span(records_).subspan(sent_, std::min(max_batch, records_.size() - sent_));
  }
  void next() {
    sent_ += batch().size();
    if (empty()) forget();
  }

  bool is_too_old(Time now) const { return !empty() && now - taken_at_ >= max_age; }

  // Lets go of what is left, and says how many spans that were.
  std::uint64_t drop() {
    const std::uint64_t spans = spans_of(std::span(records_).subspan(sent_));
    forget();
    return spans;
  }

 private:
  void forget() {
    records_.clear();
    sent_ = 0;
  }

  std::vector<TraceRecord> records_;
  std::size_t sent_ = 0;
  Time taken_at_{};
};

}  // namespace keygate::telemetry
