#include "proxy/buffers.hpp"

#include <algorithm>
#include <cstddef>
#include <new>
#include <sanitizer/asan_interface.h>  // nothing without a sanitizer
#include <sys/mman.h>
#include <utility>

namespace keygate::proxy {

void Buffer::release() {
  if (data_ != nullptr) {
    pool_->give_back(data_, capacity_);
    data_ = nullptr;
    capacity_ = 0;
  }
}

BufferPool::~BufferPool() {
  for (char* slab : slabs_) {
    ASAN_UNPOISON_MEMORY_REGION(slab, slab_size);
    ::munmap(slab, slab_size);
  }
  for (char* data : bulk_) {
    delete[] data;
  }
}

Buffer BufferPool::lease(std::size_t size) {
  if (size > small_size) {
    const std::size_t odd = size == bulk_size ? size + 1 : size;  // bulk_size marks a bulk buffer when it comes back
    return {this, new char[odd], odd};
  }
  char* const data = take_small();
  ASAN_UNPOISON_MEMORY_REGION(data, small_size);
  return {this, data, small_size};
}

char* BufferPool::take_small() {
  if (small_.empty() && bare_.empty()) {
    add_slab();
  }
  std::vector<char*>& spare = small_.empty() ? bare_ : small_;
  char* const data = spare.back();
  spare.pop_back();
  fewest_spare_ = std::min(fewest_spare_, small_.size());
  return data;
}

void BufferPool::add_slab() {
  // Giving a buffer back, in a destructor, allocates nothing: the lists have room for all there are.
  const std::size_t all = (slabs_.size() + 1) * (slab_size / small_size);
  if (bare_.capacity() < all) {
    small_.reserve(2 * all);
    bare_.reserve(2 * all);
    slabs_.reserve(2 * (slabs_.size() + 1));
  }
  void* const slab = ::mmap(nullptr, slab_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (slab == MAP_FAILED) {
    throw std::bad_alloc();
  }
  slabs_.push_back(static_cast<char*>(slab));
  for (std::size_t at = slab_size; at > 0; at -= small_size) {
    bare_.push_back(slabs_.back() + at - small_size);
  }
  ASAN_POISON_MEMORY_REGION(slab, slab_size);
}

// Not when a buffer comes back: a busy worker would lease it again at once, and pay for new pages with each request.
bool BufferPool::trim() {
  const std::size_t unused = std::exchange(fewest_spare_, small_.size());
  if (unused <= max_spare_small) {
    return false;
  }
  const std::size_t count = std::min(unused - max_spare_small, max_trimmed);
  const auto end = small_.begin() + static_cast<std::ptrdiff_t>(count);
  for (auto at = small_.begin(); at != end; ++at) {
    ::madvise(*at, small_size, MADV_DONTNEED);
    bare_.push_back(*at);
  }
  small_.erase(small_.begin(), end);
  fewest_spare_ = small_.size();
  return true;
}

Buffer BufferPool::lease_bulk() {
  if (bulk_leased_ == max_bulk) {
    return {};
  }
  ++bulk_leased_;
  if (bulk_.empty()) {
    return {this, new char[bulk_size], bulk_size};
  }
  char* const data = bulk_.back();
  bulk_.pop_back();
  return {this, data, bulk_size};
}

void BufferPool::give_back(char* data, std::size_t capacity) {
  if (capacity == small_size) {
    ASAN_POISON_MEMORY_REGION(data, small_size);
    small_.push_back(data);
    return;
  }
  if (capacity == bulk_size) {
    --bulk_leased_;
    if (bulk_.size() < max_spare_bulk) {
      bulk_.push_back(data);
      return;
    }
  }
  delete[] data;
}

}  // namespace keygate::proxy
