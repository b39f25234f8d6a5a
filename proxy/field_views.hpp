// Beast's parser, made to hand out views of a head instead of building a message: no allocation, no copies.
// For one whole head that has passed the gate (a folded field would make Beast hand out a view of a temporary).
// Included by request_head.cpp only.
#pragma once

#include "policy/route_table.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/optional/optional.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace keygate::proxy {

namespace http = boost::beast::http;

class FieldViews final : public http::basic_parser<true> {
  using Base = http::basic_parser<true>;
  using Text = boost::beast::string_view;

 public:
  explicit FieldViews(std::span<policy::HeaderField> into) : into_(into) {
    Base::header_limit(std::numeric_limits<std::uint32_t>::max());  // the gate has its own limits
    Base::body_limit(boost::none);
  }

  // Whether `head` is one whole head. What it says is then in the fields given to the constructor.
  bool parse(std::string_view head) {
    boost::system::error_code error;
    return put(head, error) && !error && Base::is_header_done() && !is_full_;
  }

  std::size_t count() const { return count_; }
  std::span<const http::field> known() const { return {known_.data(), count_}; }
  std::string_view target() const { return target_; }

 private:
  bool put(std::string_view bytes, boost::system::error_code& error) {
    return Base::put(boost::asio::const_buffer(bytes.data(), bytes.size()), error) == bytes.size();
  }

  static std::string_view view(Text text) { return {text.data(), text.size()}; }

  void on_request_impl(http::verb, Text, Text target, int, boost::system::error_code&) override {
    target_ = view(target);
  }
  void on_response_impl(int, Text, int, boost::system::error_code&) override {}
  void on_field_impl(http::field known, Text name, Text value, boost::system::error_code&) override {
    if (count_ == into_.size() || count_ == known_.size()) {
      is_full_ = true;
      return;
    }
    known_[count_] = known;
    into_[count_++] = {view(name), view(value)};
  }
  void on_header_impl(boost::system::error_code&) override {}
  void on_body_init_impl(boost::optional<std::uint64_t> const&, boost::system::error_code&) override {}
  std::size_t on_body_impl(Text, boost::system::error_code&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, Text, boost::system::error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, Text, boost::system::error_code&) override { return 0; }
  void on_finish_impl(boost::system::error_code&) override {}

  std::span<policy::HeaderField> into_;
  std::array<http::field, 256> known_;
  std::size_t count_ = 0;
  std::string_view target_;
  bool is_full_ = false;
};

}  // namespace keygate::proxy
