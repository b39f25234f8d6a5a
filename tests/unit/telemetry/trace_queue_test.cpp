#include "telemetry/trace_queue.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace keygate::telemetry {
namespace {

TraceRecord numbered(std::size_t number) {
  TraceRecord record;
  record.trace_id = std::to_string(number);
  return record;
}

TEST(TraceQueue, GivesWhatItWasGivenOldestFirst) {
  TraceQueue queue([] {});
  for (std::size_t i = 0; i < 5; ++i) queue.put(numbered(i));
  const auto first = queue.take(3);
  ASSERT_EQ(first.size(), 3U);
  EXPECT_EQ(first[0].trace_id, "0");
  EXPECT_EQ(first[2].trace_id, "2");
  EXPECT_EQ(queue.take(100).size(), 2U);
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(queue.take(1).empty());
}

TEST(TraceQueue, WakesWhenItIsNoLongerEmptyAndWhenItIsHalfFull) {
  int woken = 0;
  TraceQueue queue([&] { ++woken; });
  queue.put(numbered(0));
  queue.put(numbered(1));
  EXPECT_EQ(woken, 1);
  for (std::size_t i = 2; i < TraceQueue::max_records; ++i) {
    queue.put(numbered(i));
    EXPECT_EQ(woken, i + 1 < TraceQueue::max_records / 2 ? 1 : 2);
  }
  queue.take(TraceQueue::max_records);
  queue.put(numbered(0));
  EXPECT_EQ(woken, 3);
}

TEST(TraceQueue, DropsAndCountsWhatItHasNoRoomFor) {
  TraceQueue queue([] {});
  for (std::size_t i = 0; i < TraceQueue::max_records; ++i) queue.put(numbered(i));
  EXPECT_EQ(queue.dropped_spans(), 0U);
  TraceRecord three = numbered(0);
  three.auth.span_id = three.upstream.span_id = "1";
  queue.put(three);
  EXPECT_EQ(queue.dropped_spans(), 3U);
  EXPECT_EQ(queue.take(10'000).size(), TraceQueue::max_records);
}

TEST(TraceQueueConcurrent, LosesNothingThatItDoesNotCount) {
  TraceQueue queue([] {});
  constexpr std::size_t each = 5'000;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      for (std::size_t i = 0; i < each; ++i) queue.put(numbered(i));
    });
  }
  std::size_t taken = 0;
  for (int i = 0; i < 200; ++i) taken += queue.take(100).size();
  for (auto& thread : threads) thread.join();
  taken += queue.take(TraceQueue::max_records).size();
  EXPECT_EQ(taken + queue.dropped_spans(), 3 * each);
}

}  // namespace
}  // namespace keygate::telemetry
