// Text that holds a secret on its way out: cannot be copied, and is wiped wherever it stood, when it grows too.
// Used by dialect and http_request for what is sent to a key service.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace keygate::keys {

class WipedText {
 public:
  WipedText() = default;
  ~WipedText();
  WipedText(WipedText&& other) noexcept;
  WipedText& operator=(WipedText&& other) noexcept;
  WipedText(const WipedText&) = delete;
  WipedText& operator=(const WipedText&) = delete;

  WipedText& operator+=(std::string_view text);
  WipedText& operator+=(char c) { return *this += std::string_view(&c, 1); }

  std::string_view view() const { return {text_.get(), size_}; }
  std::size_t size() const { return size_; }

 private:
  void wipe();

  std::unique_ptr<char[]> text_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace keygate::keys
