#include "telemetry/trace_queue.hpp"

#include <utility>

namespace keygate::telemetry {

void TraceQueue::put(TraceRecord record) {
  const std::size_t spans = record.spans();
  bool is_due = false;
  {
    const std::scoped_lock lock(mutex_);
    if (records_.size() == max_records) {
      dropped_.fetch_add(spans, std::memory_order_relaxed);
      return;
    }
    records_.reserve(max_records);  // once: records that move while a vector grows would hold the others up
    records_.push_back(std::move(record));
    size_.store(records_.size(), std::memory_order_relaxed);
    is_due = records_.size() == 1 || records_.size() == max_records / 2;
  }
  if (is_due) wake_();
}

bool TraceQueue::drops(std::size_t spans) {
  if (size_.load(std::memory_order_relaxed) < max_records) return false;
  dropped_.fetch_add(spans, std::memory_order_relaxed);
  return true;
}

void TraceQueue::swap_out(std::vector<TraceRecord>& empty) {
  const std::scoped_lock lock(mutex_);
  records_.swap(empty);
  size_.store(records_.size(), std::memory_order_relaxed);
}

}  // namespace keygate::telemetry
