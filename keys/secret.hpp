// A credential's text while it has to be in memory: it cannot be printed, copied or logged, and wipes itself.
// SecretView looks into the request's own buffer; Secret owns a copy, made only where a look-up leaves this thread.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace keygate::keys {

// Views a secret without owning it. There is on purpose no stream operator, formatter or conversion.
class SecretView {
 public:
  SecretView() = default;
  explicit SecretView(std::string_view text) : text_(text) {}

  std::string_view reveal() const { return text_; }
  std::size_t size() const { return text_.size(); }

 private:
  std::string_view text_;
};

// Compares in time that depends on the sizes only.
bool equal_in_constant_time(SecretView a, SecretView b);

class Secret {
 public:
  static constexpr std::size_t max_size = 512;

  Secret() = default;
  explicit Secret(SecretView text);  // text.size() <= max_size
  ~Secret();
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  SecretView view() const { return SecretView({text_.data(), size_}); }

 private:
  std::array<char, max_size> text_{};
  std::size_t size_ = 0;
};

}  // namespace keygate::keys
