// Writes a message head by copying into room that its caller has measured beforehand: no formatting, no growth.
#pragma once

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace keygate::proxy {

class HeadWriter {
 public:
  explicit HeadWriter(std::span<char> room) : begin_(room.data()), at_(room.data()), end_(room.data() + room.size()) {}

  HeadWriter& operator<<(std::string_view text) {
    assert(static_cast<std::size_t>(end_ - at_) >= text.size());
    at_ = std::copy(text.begin(), text.end(), at_);  // not memcpy: the data of an empty text may be null
    return *this;
  }

  HeadWriter& operator<<(std::uint64_t number) {
    at_ = std::to_chars(at_, end_, number).ptr;
    return *this;
  }

  void field(std::string_view name, std::string_view value) { *this << name << ": " << value << "\r\n"; }

  // Room for `size` bytes that the caller fills itself and then reports with advance().
  char* reserve([[maybe_unused]] std::size_t size) {
    assert(static_cast<std::size_t>(end_ - at_) >= size);
    return at_;
  }
  void advance(std::size_t size) { at_ += size; }

  std::size_t size() const { return static_cast<std::size_t>(at_ - begin_); }

 private:
  char* begin_;
  char* at_;
  char* end_;
};

}  // namespace keygate::proxy
