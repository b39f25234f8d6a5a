#include "proxy/buffers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <sys/mman.h>
#include <utility>
#include <vector>

namespace keygate::proxy {
namespace {

TEST(BufferPool, LeasesAtLeastWhatIsAsked) {
  BufferPool pool;
  EXPECT_EQ(pool.lease().capacity(), BufferPool::small_size);
  EXPECT_EQ(pool.lease(0).capacity(), BufferPool::small_size);
  EXPECT_EQ(pool.lease(BufferPool::small_size).capacity(), BufferPool::small_size);
  for (const std::size_t size :
       {BufferPool::small_size + 1, std::size_t{64 * 1024}, BufferPool::bulk_size, BufferPool::bulk_size + 1}) {
    Buffer buffer = pool.lease(size);
    ASSERT_GE(buffer.capacity(), size);
    std::memset(buffer.data(), 'x', buffer.capacity());
  }
}

TEST(BufferPool, UsesASmallBufferAgain) {
  BufferPool pool;
  const char* const first = pool.lease().data();
  EXPECT_EQ(pool.lease().data(), first);
  Buffer held = pool.lease();
  EXPECT_EQ(held.data(), first);
  EXPECT_NE(pool.lease().data(), first) << "it is in use";
}

TEST(BufferPool, NeverLeasesOneBufferTwice) {
  BufferPool pool;
  std::vector<Buffer> held;
  std::set<const char*> seen;
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < 2 * BufferPool::max_spare_small; ++i) held.push_back(pool.lease());
    seen.clear();
    for (const auto& buffer : held) EXPECT_TRUE(seen.insert(buffer.data()).second);
    held.clear();
  }
}

std::size_t pages_of(const char* data) {
  std::array<unsigned char, BufferPool::small_size / 4096> pages{};
  EXPECT_EQ(::mincore(const_cast<char*>(data), BufferPool::small_size, pages.data()), 0);
  return static_cast<std::size_t>(std::ranges::count_if(pages, [](unsigned char page) { return (page & 1U) != 0; }));
}

// As many as stated have been leased at once, and written to.
std::vector<const char*> use(BufferPool& pool, std::size_t count) {
  std::vector<Buffer> held;
  std::vector<const char*> used;
  for (std::size_t i = 0; i < count; ++i) {
    held.push_back(pool.lease());
    std::memset(held.back().data(), 'x', held.back().capacity());
    used.push_back(held.back().data());
  }
  return used;
}

TEST(BufferPool, GivesMemoryBackThatNobodyUses) {
  BufferPool pool;
  constexpr std::size_t count = BufferPool::max_spare_small + BufferPool::max_trimmed + 10;
  const auto used = use(pool, count);
  const auto with_memory = [&] { return std::ranges::count_if(used, [](const char* at) { return pages_of(at) > 0; }); };
  EXPECT_FALSE(pool.trim()) << "all have been used a moment ago";
  EXPECT_EQ(with_memory(), count);
  EXPECT_TRUE(pool.trim());
  EXPECT_EQ(with_memory(), count - BufferPool::max_trimmed);
  EXPECT_TRUE(pool.trim());
  EXPECT_FALSE(pool.trim());
  EXPECT_EQ(with_memory(), BufferPool::max_spare_small);
  use(pool, count);
  EXPECT_EQ(with_memory(), count) << "they are the same ones";
}

TEST(BufferPool, KeepsMemoryThatIsUsedFromTimeToTime) {
  BufferPool pool;
  for (int tick = 0; tick < 5; ++tick) {
    use(pool, 2 * BufferPool::max_spare_small);
    EXPECT_FALSE(pool.trim());
  }
}

TEST(BufferPool, LimitsBulkBuffers) {
  BufferPool pool;
  std::vector<Buffer> held;
  for (std::size_t i = 0; i < BufferPool::max_bulk; ++i) {
    held.push_back(pool.lease_bulk());
    ASSERT_TRUE(held.back());
    EXPECT_EQ(held.back().capacity(), BufferPool::bulk_size);
  }
  EXPECT_FALSE(pool.lease_bulk());
  held.pop_back();
  Buffer again = pool.lease_bulk();
  EXPECT_TRUE(again);
  EXPECT_FALSE(pool.lease_bulk());
}

TEST(BufferPool, TellsALargeLeaseFromABulkBuffer) {
  BufferPool pool;
  for (std::size_t i = 0; i < 2 * BufferPool::max_bulk; ++i) pool.lease(BufferPool::bulk_size);
  std::vector<Buffer> held;
  for (std::size_t i = 0; i < BufferPool::max_bulk; ++i) held.push_back(pool.lease_bulk());
  EXPECT_TRUE(held.back());
  EXPECT_FALSE(pool.lease_bulk()) << "giving others back makes no room";
}

TEST(BufferPool, CountsABulkBufferBackInOnce) {
  BufferPool pool;
  Buffer one = pool.lease_bulk();
  one.release();
  one.release();
  Buffer moved = pool.lease_bulk();
  Buffer to = std::move(moved);
  std::vector<Buffer> held;
  while (Buffer more = pool.lease_bulk()) held.push_back(std::move(more));
  EXPECT_EQ(held.size() + 1, BufferPool::max_bulk);
}

TEST(Buffer, IsEmptyUntilItIsLeased) {
  Buffer empty;
  EXPECT_FALSE(empty);
  EXPECT_EQ(empty.capacity(), 0U);
  EXPECT_TRUE(empty.span().empty());
  empty.release();
  EXPECT_FALSE(empty);
}

TEST(Buffer, GoesBackWhenItIsReplaced) {
  BufferPool pool;
  Buffer buffer = pool.lease();
  const char* const first = buffer.data();
  buffer = pool.lease();
  EXPECT_NE(buffer.data(), first);
  EXPECT_EQ(pool.lease().data(), first);
}

TEST(Buffer, KeepsItsMemoryWhenItMoves) {
  BufferPool pool;
  Buffer from = pool.lease();
  char* const data = from.data();
  Buffer to(std::move(from));
  EXPECT_EQ(to.data(), data);
  EXPECT_FALSE(from);  // NOLINT: a moved-from buffer is empty
  from = std::move(to);
  EXPECT_EQ(from.data(), data);
  EXPECT_EQ(from.span().size(), BufferPool::small_size);
}

}  // namespace
}  // namespace keygate::proxy
