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

std::vector<TraceRecord> taken_from(TraceQueue& queue) {
  std::vector<TraceRecord> taken;
  queue.swap_out(taken);
  return taken;
}

TEST(TraceQueue, GivesWhatItWasGivenOldestFirst) {
  TraceQueue queue([] {});
  for (std::size_t i = 0; i < 5; ++i) queue.put(numbered(i));
  EXPECT_FALSE(queue.empty());
  const auto all = taken_from(queue);
  ASSERT_EQ(all.size(), 5U);
  EXPECT_EQ(all[0].trace_id, "0");
  EXPECT_EQ(all[4].trace_id, "4");
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(taken_from(queue).empty());
}

// What is under the lock does not depend on how much there is: no record is moved one by one.
TEST(TraceQueue, HandsOverItsMemoryAsItIs) {
  TraceQueue queue([] {});
  queue.put(numbered(0));
  std::vector<TraceRecord> taken;
  queue.swap_out(taken);
  EXPECT_GE(taken.capacity(), TraceQueue::max_records) << "nothing moves while it grows";
  const TraceRecord* const memory = taken.data();
  taken.clear();
  queue.swap_out(taken);
  queue.put(numbered(1));
  queue.swap_out(taken);
  EXPECT_EQ(taken.data(), memory);
  EXPECT_EQ(taken.at(0).trace_id, "1");
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
  taken_from(queue);
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
  EXPECT_TRUE(queue.drops(2)) << "before anybody makes a record";
  EXPECT_EQ(queue.dropped_spans(), 5U);
  EXPECT_EQ(taken_from(queue).size(), TraceQueue::max_records);
  EXPECT_FALSE(queue.drops(2));
  EXPECT_EQ(queue.dropped_spans(), 5U);
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
  for (int i = 0; i < 200; ++i) taken += taken_from(queue).size();
  for (auto& thread : threads) thread.join();
  taken += taken_from(queue).size();
  EXPECT_EQ(taken + queue.dropped_spans(), 3 * each);
}

}  // namespace
}  // namespace keygate::telemetry
