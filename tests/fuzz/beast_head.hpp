// A message head as Beast's own parser reads it, by itself: what whatever we accept must agree with.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/optional/optional.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keygate::fuzz {

template <bool is_request>
class BeastHead final : public boost::beast::http::basic_parser<is_request> {
  using Base = boost::beast::http::basic_parser<is_request>;
  using Text = boost::beast::string_view;
  using Error = boost::system::error_code;

 public:
  explicit BeastHead(std::string_view bytes) {
    Base::header_limit(std::numeric_limits<std::uint32_t>::max());
    Base::body_limit(boost::none);
    size_ = Base::put(boost::asio::const_buffer(bytes.data(), bytes.size()), error_);
  }

  bool is_accepted() const { return !error_ && Base::is_header_done(); }
  std::string why() const { return error_.message(); }
  std::size_t size() const { return size_; }  // of the head, as Beast finds its end

  const std::string& method() const { return method_; }
  const std::string& target() const { return target_; }
  int version() const { return version_; }  // 10 or 11
  int status() const { return status_; }
  const std::string& reason() const { return reason_; }
  const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }

 private:
  void on_request_impl(boost::beast::http::verb, Text method, Text target, int version, Error&) override {
    method_.assign(method.data(), method.size());
    target_.assign(target.data(), target.size());
    version_ = version;
  }
  void on_response_impl(int status, Text reason, int version, Error&) override {
    status_ = status;
    reason_.assign(reason.data(), reason.size());
    version_ = version;
  }
  void on_field_impl(boost::beast::http::field, Text name, Text value, Error&) override {
    fields_.emplace_back(std::string(name.data(), name.size()), std::string(value.data(), value.size()));
  }
  void on_header_impl(Error&) override {}
  void on_body_init_impl(boost::optional<std::uint64_t> const&, Error&) override {}
  std::size_t on_body_impl(Text, Error&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, Text, Error&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, Text, Error&) override { return 0; }
  void on_finish_impl(Error&) override {}

  Error error_;
  std::size_t size_ = 0;
  std::string method_, target_, reason_;
  std::vector<std::pair<std::string, std::string>> fields_;
  int version_ = 0;
  int status_ = 0;
};

}  // namespace keygate::fuzz
