// Response heads that tests write as text, read as an exchange reads them.
#pragma once

#include "proxy/response_head.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace keygate::proxy::testing {

inline std::string response_with(const std::string& fields, const std::string& line = "HTTP/1.1 200 OK") {
  return line + "\r\n" + fields + "\r\n";
}

// Holds the bytes that the head views.
class ResponseText {
 public:
  explicit ResponseText(std::string text, policy::Method method = policy::Method::get)
      : bytes_(std::move(text)),
        head_(std::make_unique<ResponseHead>()),
        flaw_(read_response_head(bytes_, method, *head_)) {}
  ResponseText(const ResponseText&) = delete;
  ResponseText& operator=(const ResponseText&) = delete;

  const ResponseHead& head() const { return *head_; }
  const std::optional<std::string_view>& flaw() const { return flaw_; }

  // The names of the fields that go on, each followed by a semicolon.
  std::string kept() const {
    std::string names;
    for (std::size_t i = 0; i < head_->field_count; ++i) {
      if (head_->is_kept[i]) names += std::string(head_->fields[i].name) + ';';
    }
    return names;
  }

 private:
  std::string bytes_;
  std::unique_ptr<ResponseHead> head_;
  std::optional<std::string_view> flaw_;
};

}  // namespace keygate::proxy::testing
