#include "keys/wiped_text.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <utility>

namespace keygate::keys {

WipedText::~WipedText() { wipe(); }

WipedText::WipedText(WipedText&& other) noexcept
    : text_(std::move(other.text_)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

WipedText& WipedText::operator=(WipedText&& other) noexcept {
  if (this == &other) return *this;
  wipe();
  text_ = std::move(other.text_);
  size_ = std::exchange(other.size_, 0);
  capacity_ = std::exchange(other.capacity_, 0);
  return *this;
}

WipedText& WipedText::operator+=(std::string_view text) {
  constexpr std::size_t smallest = 512;
  if (capacity_ - size_ < text.size()) {
    const std::size_t capacity = std::max({smallest, 2 * capacity_, size_ + text.size()});
    auto larger = std::make_unique<char[]>(capacity);
    std::copy_n(text_.get(), size_, larger.get());
    const std::size_t size = size_;
    wipe();
    text_ = std::move(larger);
    size_ = size;
    capacity_ = capacity;
  }
  std::ranges::copy(text, text_.get() + size_);
  size_ += text.size();
  return *this;
}

void WipedText::wipe() {
  if (text_) OPENSSL_cleanse(text_.get(), capacity_);
  text_.reset();
  size_ = 0;
  capacity_ = 0;
}

}  // namespace keygate::keys
