#include "keys/freshness.hpp"

namespace keygate::keys {

std::chrono::milliseconds renewal_age(const KeyDigest& digest, std::chrono::milliseconds bound) {
  return bound - bound * digest.bytes.back() / (10 * 256);
}

Freshness freshness_of(const Record& record, const KeyDigest& digest, const Lease& lease,
                       std::chrono::milliseconds bound, SteadyTime now) {
  const auto age = now - record.asked_at;
  if (age >= bound) return Freshness::stale;
  if (age >= renewal_age(digest, bound)) return Freshness::doubtful;
  const bool is_vouched_for = lease.covers(record.validated_at) || now - record.validated_at <= unpushed_age;
  return is_vouched_for ? Freshness::fresh : Freshness::doubtful;
}

}  // namespace keygate::keys
