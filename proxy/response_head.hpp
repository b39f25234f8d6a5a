// One response head of an upstream, split in place by the gate, and judged for framing. Everything views
// the upstream connection's buffer. Filled and read by exchange; what is refused here is a 502 and the connection is
// closed.
#pragma once

#include "policy/method.hpp"
#include "policy/route_table.hpp"
#include "proxy/framing.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace keygate::proxy {

inline constexpr std::size_t max_response_fields = 200;
inline constexpr std::size_t max_response_head = 64 * 1024;

enum class BodyFraming : std::uint8_t { none, length, chunked, until_close };

struct ResponseHead {
  int status = 0;
  std::string_view reason;
  int minor_version = 1;
  std::array<policy::HeaderField, max_response_fields> fields;
  std::array<bool, max_response_fields> is_kept;  // whether the field goes on to the client
  std::size_t field_count = 0;
  BodyFraming framing = BodyFraming::none;
  std::uint64_t content_length = 0;
  bool has_content_length = false;  // also where there is no body: HEAD, 304
  bool keep_alive = true;           // what the upstream says of its connection
  bool has_cache_control = false;
  bool has_date = false;

  bool is_interim() const { return status >= 100 && status < 200; }
};

// nullopt: `out` is complete. Otherwise a static sentence that says why, for our log. `method` is that of the request:
// it decides whether there is a body (RFC 9112 §6.3).
std::optional<std::string_view> read_response_head(std::string_view head, policy::Method method, ResponseHead& out);

}  // namespace keygate::proxy
