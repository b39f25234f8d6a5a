// What came of look-ups, for metrics: by whom was asked. Written by the resolver on its worker's thread.
#pragma once

#include "keys/redis_cache.hpp"
#include "keys/source.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace keygate::keys {

enum class LookupResult : std::uint8_t {
  valid,
  unknown,
  revoked,
  disabled,
  expired,
  unavailable,
  timed_out,
  invalid_answer,
  overloaded,
};
inline constexpr std::size_t lookup_result_count = 9;
std::string_view to_string(LookupResult result);  // a metric label: "valid", …

// `is_usable`: an answer that may be acted on; any other is none.
LookupResult result_of(const Result<Found>& found, bool is_usable);

// Of one source.
struct SourceCounters {
  std::string_view source;  // its name(), static
  std::array<std::uint64_t, lookup_result_count> results{};
};

struct LookupCounters {
  std::uint64_t memory_hits = 0;
  std::uint64_t memory_misses = 0;
  std::vector<SourceCounters> sources;
};

// Where a breaker stands; the numbers are the metric's.
enum class BreakerState : std::uint8_t { closed = 0, half_open = 1, open = 2 };
std::string_view to_string(BreakerState state);

// How those are whom a worker asks, and who tells it of changes.
struct DependencyFigures {
  bool has_redis = false;
  bool is_redis_up = false;
  BreakerState redis_breaker = BreakerState::closed;
  std::string_view redis_condition;  // "well", "down", …
  bool is_push_up = false;           // revocations are heard of
  std::uint64_t revocations = 0;     // messages heard
  RedisCacheCounters redis;          // of keys and sessions together
  bool has_service = false;
  bool is_service_up = false;
  BreakerState service_breaker = BreakerState::closed;
};

}  // namespace keygate::keys
