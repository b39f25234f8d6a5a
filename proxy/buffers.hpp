// Memory for bytes in flight, leased from a worker's free list for as long as a request needs it. Not thread-safe.
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
  static constexpr std::size_t max_bulk = 16;         // leased at a time: 4 MiB a worker
  static constexpr std::size_t max_spare_small = 64;  // kept when nobody uses them: 1 MiB a worker
  static constexpr std::size_t max_spare_bulk = 2;

  BufferPool() = default;
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  // At least `size` bytes: small_size, or exactly `size` where that is more.
  Buffer lease(std::size_t size = small_size);

  // A large buffer for a body that has turned out to be long; empty when all are in use.
  Buffer lease_bulk();

 private:
  friend class Buffer;
  void give_back(char* data, std::size_t capacity);

  std::vector<char*> small_;
  std::vector<char*> bulk_;
  std::size_t bulk_leased_ = 0;
};

}  // namespace keygate::proxy
