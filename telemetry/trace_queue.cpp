#include "telemetry/trace_queue.hpp"

#include <algorithm>
#include <iterator>
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
    records_.push_back(std::move(record));
    is_due = records_.size() == 1 || records_.size() == max_records / 2;
  }
  if (is_due) wake_();
}

std::vector<TraceRecord> TraceQueue::take(std::size_t most) {
  const std::scoped_lock lock(mutex_);
  const auto end = records_.begin() + static_cast<std::ptrdiff_t>(std::min(most, records_.size()));
  std::vector<TraceRecord> taken(std::make_move_iterator(records_.begin()), std::make_move_iterator(end));
  records_.erase(records_.begin(), end);
  return taken;
}

bool TraceQueue::empty() const {
  const std::scoped_lock lock(mutex_);
  return records_.empty();
}

bool TraceQueue::is_half_full() const {
  const std::scoped_lock lock(mutex_);
  return records_.size() >= max_records / 2;
}

}  // namespace keygate::telemetry
