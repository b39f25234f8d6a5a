// Request heads that tests write as text, read as a session reads them.
#pragma once

#include "config/settings.hpp"
#include "policy/reserved_names.hpp"
#include "proxy/request_head.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keygate::proxy::testing {

// A GET of `/` from a.example with these field lines, each with its own line end.
inline std::string get_with(const std::string& fields) {
  return "GET / HTTP/1.1\r\nHost: a.example\r\n" + fields + "\r\n";
}

inline std::string post_with(const std::string& fields) {
  return "POST / HTTP/1.1\r\nHost: a.example\r\n" + fields + "\r\n";
}

inline std::string request_line(const std::string& line) { return line + "\r\nHost: a.example\r\n\r\n"; }

// Of the settings that nobody has changed.
inline const policy::ReservedNames& default_reserved() {
  static const policy::ReservedNames names{config::IdentityHeaderSettings{}, config::CredentialSettings{}};
  return names;
}

// Holds the bytes that the head views.
class HeadText {
 public:
  explicit HeadText(std::string text, const policy::ReservedNames& reserved = default_reserved(),
                    const HeadLimits& limits = {})
      : bytes_(std::move(text)),
        head_(std::make_unique<RequestHead>()),
        refusal_(read_request_head(bytes_, limits, reserved, *head_)) {}
  HeadText(const HeadText&) = delete;
  HeadText& operator=(const HeadText&) = delete;

  const RequestHead& head() const { return *head_; }
  const std::optional<HeadRefusal>& refusal() const { return refusal_; }
  std::string_view target() const { return {head_->target.data(), head_->target.size()}; }

  // The code of the reason table; "ok" where the head is accepted.
  std::string_view code() const { return refusal_ ? policy::row(refusal_->reason).code : "ok"; }

  // Of each field in order.
  std::vector<FieldFate> fates() const {
    return {head_->fates.begin(), head_->fates.begin() + static_cast<std::ptrdiff_t>(head_->field_count)};
  }
  bool has_field(std::string_view name) const {
    return std::ranges::any_of(head_->headers(), [name](const auto& field) { return field.name == name; });
  }

 private:
  std::string bytes_;
  std::unique_ptr<RequestHead> head_;
  std::optional<HeadRefusal> refusal_;
};

}  // namespace keygate::proxy::testing
