// Memory for bytes in flight, leased from a worker's free list for as long as a request needs it. Not thread-safe.
// Small buffers do not come from malloc: between the frames of thousands of clients they would leave holes that it
// cannot give back to the system (6.9 KB for each idle client, 2026-11).
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace keygate::proxy {

class BufferPool;

// A leased stretch of memory; goes back when it is destroyed. The pool outlives it.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    Buffer(std::move(other)).swap(*this);
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { release(); }

  explicit operator bool() const { return data_ != nullptr; }
  char* data() const { return data_; }
  std::size_t capacity() const { return capacity_; }
  std::span<char> span() const { return {data_, capacity_}; }
  void release();

 private:
  friend class BufferPool;
  Buffer(BufferPool* pool, char* data, std::size_t capacity) : pool_(pool), data_(data), capacity_(capacity) {}
  void swap(Buffer& other) {
    std::swap(pool_, other.pool_);
    std::swap(data_, other.data_);
    std::swap(capacity_, other.capacity_);
  }

  BufferPool* pool_ = nullptr;
  char* data_ = nullptr;
  std::size_t capacity_ = 0;
};

class BufferPool {
 public:
  static constexpr std::size_t small_size = 16 * 1024;
  static constexpr std::size_t bulk_size = 256 * 1024;
  static constexpr std::size_t max_bulk = 16;                // leased at a time: 4 MiB a worker
  static constexpr std::size_t max_spare_small = 64;         // keep their memory when nobody uses them: 1 MiB a worker
  static constexpr std::size_t slab_size = 64 * small_size;  // address space is taken in these, and kept
  static constexpr std::size_t max_spare_bulk = 2;
  static constexpr std::size_t max_trimmed = 256;  // buffers in one go

  BufferPool() = default;
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  // At least `size` bytes: small_size, or exactly `size` where that is more.
  Buffer lease(std::size_t size = small_size);

  // Gives the memory of some spare buffers, beyond max_spare_small, back to the system: of those that nobody has used
  // since the last call. Returns whether there were any.
  bool trim();

  // A large buffer for a body that has turned out to be long; empty when all are in use.
  Buffer lease_bulk();

 private:
  friend class Buffer;
  char* take_small();
  void add_slab();
  void give_back(char* data, std::size_t capacity);

  std::vector<char*> slabs_;
  std::vector<char*> small_;      // spare, with their memory; the last one is used first
  std::vector<char*> bare_;       // spare, their memory given back to the system
  std::size_t fewest_spare_ = 0;  // in small_ since the last trim: the first so many were not used
  std::vector<char*> bulk_;
  std::size_t bulk_leased_ = 0;
};

}  // namespace keygate::proxy
