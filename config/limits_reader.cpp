#include "config/limits_reader.hpp"

#include "config/scalar_readers.hpp"

namespace keygate::config {

using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t kib = 1024;

Reader<MemorySettings> memory_reader() {
  using M = MemorySettings;
  return object<M>({
      key("max_keys", &M::max_keys, whole_number(1, 10'000'000), "principals a worker remembers"),
      key("max_unknown_keys", &M::max_unknown_keys, whole_number(1, 10'000'000), "unknown keys a worker remembers"),
      key("unknown_ttl", &M::unknown_ttl, duration(0s, 1h), "how long an unknown key is remembered"),
  });
}

Reader<StoreSettings> store_reader() {
  using S = StoreSettings;
  auto path = then(text(), [](const Value& value, const std::string& name) -> std::optional<std::string> {
    return value.path_beside_file(name);
  });
  return object<S>({required(key("path", &S::path, path, "the embedded store's file"))});
}

Reader<std::chrono::milliseconds> no_stale_answers() {
  return then(duration(0s, 5min), [](const Value& value, milliseconds written) -> std::optional<milliseconds> {
    if (written != 0ms) value.complain("\"stale_if_error\" is not supported by this version yet", "leave it at 0s");
    return written;
  });
}

Reader<std::uint64_t> no_limit_per_address() {
  return then(whole_number(0, 1'000'000),
              [](const Value& value, std::uint64_t written) -> std::optional<std::uint64_t> {
                if (written != 0)
                  value.complain("\"connections_per_ip\" is not supported by this version yet", "leave it at 0");
                return written;
              });
}

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
      idle<L>("connections_per_ip", no_limit_per_address(), "the same for one address; 0: no limit"),
      key("header_timeout", &L::header_timeout, duration(10ms, 1h), "from a head's first byte to its end"),
      key("idle_timeout", &L::idle_timeout, duration(10ms, 24h), "between two requests"),
      key("body_idle_timeout", &L::body_idle_timeout, duration(10ms, 1h), "between two reads of a body"),
      key("requests_per_connection", &L::requests_per_connection, whole_number(0, 1'000'000'000), "0: no limit"),
      key("drain_delay", &L::drain_delay, duration(0s, 10min), "listeners accept this long after SIGTERM"),
      key("drain_timeout", &L::drain_timeout, duration(0s, 1h), "what requests in flight get to end"),
  });
}

Reader<ResolutionSettings> resolution_reader() {
  using R = ResolutionSettings;
  return then(object<R>({
                  key("staleness_bound", &R::staleness_bound, duration(1s, 24h),
                      "the longest a revoked key may still be honoured"),
                  key("memory", &R::memory, memory_reader(), "what each worker remembers"),
                  key("store", &R::store, store_reader(), "the embedded store"),
                  idle<R>("stale_if_error", no_stale_answers(), "how far past the bound known keys serve in an outage"),
                  unsupported<R>("redis", "the cache that proxies share"),
                  unsupported<R>("service", "the key service"),
                  unsupported<R>("session_url", "where sessions are resolved"),
                  unsupported<R>("unknown_key_budget", "look-ups of never-seen keys"),
              }),
              [](const Value& value, R resolution) -> std::optional<R> {
                if (!value.member("store"))
                  value.complain(
                      "\"store\" is missing",
                      "write store: {path: keygate.db}; this version resolves keys in the embedded store alone");
                return resolution;
              });
}

}  // namespace keygate::config
