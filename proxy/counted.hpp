// One of those who are counted, for as long as it lives.
#pragma once

#include <cstddef>
#include <utility>

namespace keygate::proxy {

class Counted {
 public:
  Counted() = default;  // is not counted
  explicit Counted(std::size_t& count) : count_(&count) { ++count; }
  Counted(Counted&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
  Counted& operator=(Counted&& other) noexcept {
    std::swap(count_, other.count_);
    return *this;
  }
  ~Counted() {
    if (count_ != nullptr) {
      --*count_;
    }
  }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  std::size_t* count_ = nullptr;
};

}  // namespace keygate::proxy
