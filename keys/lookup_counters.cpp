#include "keys/lookup_counters.hpp"

namespace keygate::keys {

std::string_view to_string(LookupResult result) {
  switch (result) {
    case LookupResult::valid:
      return "valid";
    case LookupResult::unknown:
      return "unknown";
    case LookupResult::revoked:
      return "revoked";
    case LookupResult::disabled:
      return "disabled";
    case LookupResult::expired:
      return "expired";
    case LookupResult::unavailable:
      return "unavailable";
    case LookupResult::timed_out:
      return "timed_out";
    case LookupResult::invalid_answer:
      return "invalid_answer";
    case LookupResult::overloaded:
      return "overloaded";
  }
  return "";
}

std::string_view to_string(BreakerState state) {
  switch (state) {
    case BreakerState::closed:
      return "closed";
    case BreakerState::half_open:
      return "half_open";
    case BreakerState::open:
      return "open";
  }
  return "";
}

LookupResult result_of(const Result<Found>& found, bool is_usable) {
  if (found.has_error()) {
    if (found.error() == errc::timed_out) return LookupResult::timed_out;
    if (found.error() == errc::invalid_answer) return LookupResult::invalid_answer;
    return found.error() == errc::overloaded ? LookupResult::overloaded : LookupResult::unavailable;
  }
  if (!is_usable) return LookupResult::invalid_answer;
  switch (found->answer.state) {
    case policy::KeyAnswer::State::valid:
      return LookupResult::valid;
    case policy::KeyAnswer::State::unknown:
      return LookupResult::unknown;
    case policy::KeyAnswer::State::revoked:
      return LookupResult::revoked;
    case policy::KeyAnswer::State::disabled:
      return LookupResult::disabled;
    case policy::KeyAnswer::State::expired:
      return LookupResult::expired;
  }
  return LookupResult::invalid_answer;
}

}  // namespace keygate::keys
