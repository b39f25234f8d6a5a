#include "proxy/buffers.hpp"

namespace keygate::proxy {

void Buffer::release() {
  if (data_ != nullptr) {
    pool_->give_back(data_, capacity_);
    data_ = nullptr;
    capacity_ = 0;
  }
}

BufferPool::~BufferPool() {
  for (char* data : small_) {
    delete[] data;
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
  if (small_.empty()) {
    return {this, new char[small_size], small_size};
  }
  char* const data = small_.back();
  small_.pop_back();
  return {this, data, small_size};
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
  if (capacity == small_size && small_.size() < max_spare_small) {
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
