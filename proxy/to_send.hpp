// Which pieces of memory go out in one write? Used by exchange, towards either side.
#pragma once

#include <boost/asio/buffer.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace keygate::proxy {

// Up to four pieces, in their order; an empty one is left out. Views what it was given.
struct ToSend {
  std::array<boost::asio::const_buffer, 4> buffers;
  std::size_t count = 0;

  std::size_t size() const {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
      sum += buffers[i].size();
    }
    return sum;
  }

  // What is left where `sent` bytes have gone out.
  ToSend after(std::size_t sent) const {
    ToSend rest;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t gone = std::min(sent, buffers[i].size());
      sent -= gone;
      if (gone < buffers[i].size()) {
        rest.buffers[rest.count++] = buffers[i] + gone;
      }
    }
    return rest;
  }

  void add(std::string_view text) {
    if (!text.empty()) {
      buffers[count++] = {text.data(), text.size()};
    }
  }
};

}  // namespace keygate::proxy
