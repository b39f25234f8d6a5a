#include "telemetry/trace_backlog.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keygate::telemetry {
namespace {

using namespace std::chrono_literals;

constexpr TraceBacklog::Time start{1'000'000s};

class Backlog : public testing::Test {
 protected:
  void put(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      TraceRecord record;
      record.trace_id = std::to_string(number++);
      queue.put(std::move(record));
    }
  }

  TraceQueue queue{[] {}};
  TraceBacklog backlog;
  std::size_t number = 0;
};

TEST_F(Backlog, GoesInBatchesOldestFirst) {
  put(TraceBacklog::max_batch + 2);
  backlog.refill(queue, start);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(backlog.batch().size(), TraceBacklog::max_batch);
  EXPECT_EQ(backlog.batch().front().trace_id, "0");
  EXPECT_EQ(backlog.batch().front().trace_id, "0") << "until it is told that this one is done";
  backlog.next();
  ASSERT_EQ(backlog.batch().size(), 2U);
  EXPECT_EQ(backlog.batch().front().trace_id, std::to_string(TraceBacklog::max_batch));
  backlog.next();
  EXPECT_TRUE(backlog.empty());
  EXPECT_TRUE(backlog.batch().empty());
}

TEST_F(Backlog, TakesNoMoreWhileSomethingIsLeft) {
  put(1);
  backlog.refill(queue, start);
  put(1);
  backlog.refill(queue, start);
  EXPECT_EQ(backlog.batch().size(), 1U);
  EXPECT_FALSE(queue.empty());
  backlog.next();
  backlog.refill(queue, start);
  EXPECT_EQ(backlog.batch().front().trace_id, "1");
}

TEST_F(Backlog, IsTooOldFiveMinutesAfterItWasTaken) {
  EXPECT_FALSE(backlog.is_too_old(start + 1h)) << "nothing has no age";
  put(300);
  backlog.refill(queue, start);
  EXPECT_FALSE(backlog.is_too_old(start + 299s));
  EXPECT_TRUE(backlog.is_too_old(start + 300s));
  backlog.next();
  EXPECT_TRUE(backlog.is_too_old(start + 300s)) << "the next batch is as old";
  EXPECT_EQ(backlog.drop(), 300 - TraceBacklog::max_batch);
  EXPECT_TRUE(backlog.empty());
  put(1);
  backlog.refill(queue, start + 300s);
  EXPECT_FALSE(backlog.is_too_old(start + 301s));
}

}  // namespace
}  // namespace keygate::telemetry
