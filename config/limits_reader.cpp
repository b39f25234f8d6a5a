#include "config/limits_reader.hpp"

#include "config/scalar_readers.hpp"

namespace keygate::config {

using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t kib = 1024;

}  // namespace

Reader<LimitSettings> limits_reader() {
  using L = LimitSettings;
  const auto set_connections = [](L& limits, std::uint64_t count) {
    limits.connections = count;
    limits.connections_written = true;
  };
  return object<L>({
      key("header_bytes", &L::header_bytes, size(4 * kib, 256 * kib), "a request's head"),
      key("header_count", &L::header_count, whole_number(1, 128), "its fields"),
      key("target_bytes", &L::target_bytes, size(64, 64 * kib), "its target"),
      key("body_bytes", &L::body_bytes, size_or_unlimited(unlimited), "its body"),
      key_set_by<L>("connections", whole_number(1, 1'000'000), set_connections, "clients connected at a time"),
      key("connections_per_ip", &L::connections_per_ip, whole_number(0, 1'000'000),
          "the same for one address; 0: no limit"),
      key("header_timeout", &L::header_timeout, duration(10ms, 1h), "from a head's first byte to its end"),
      key("idle_timeout", &L::idle_timeout, duration(10ms, 24h), "between two requests"),
      key("body_idle_timeout", &L::body_idle_timeout, duration(10ms, 1h), "between two reads of a body"),
      key("body_min_rate", &L::body_min_rate, size(0, 1024 * 1024 * kib), "bytes a second of a body; 0: no limit"),
      key("request_timeout", &L::request_timeout, duration(0s, 24h), "for a whole body to come; 0s: no limit"),
      key("tunnel_idle_timeout", &L::tunnel_idle_timeout, duration(10ms, 24h), "of a tunnel in which nothing is said"),
      key("tunnel_max_age", &L::tunnel_max_age, duration(10ms, 24h), "of any tunnel"),
      key("requests_per_connection", &L::requests_per_connection, whole_number(0, 1'000'000'000), "0: no limit"),
      key("drain_delay", &L::drain_delay, duration(0s, 10min), "listeners accept this long after SIGTERM"),
      key("drain_timeout", &L::drain_timeout, duration(0s, 1h), "what requests in flight get to end"),
  });
}

}  // namespace keygate::config
