#include "keys/freshness.hpp"

namespace keygate::keys {

std::chrono::milliseconds renewal_age(const KeyDigest& digest, std::chrono::milliseconds bound) {
  return bound - bound * digest.bytes.back() / (10 * 256);
}

Freshness freshness_of(const Record& record, const KeyDigest& digest, const Lease& lease,
                       std::chrono::milliseconds bound, SteadyTime now) {
  const auto age = now - record.asked_at;
  if (age >= bound) return Freshness::stale;
  const bool is_pushed = lease.covers(record.validated_at) && !record.is_unconfirmed;
  const bool is_vouched_for = is_pushed || now - record.validated_at <= unpushed_age;
  if (!is_vouched_for) return Freshness::doubtful;
  return age >= renewal_age(digest, bound) ? Freshness::due : Freshness::fresh;
}

}  // namespace keygate::keys
