#include "keys/source.hpp"

#include "keys/error_category.hpp"

namespace keygate::keys {

namespace {

const char* sentence(int value) {
  switch (static_cast<errc>(value)) {
    case errc::unavailable:
      return "the key source is unavailable";
    case errc::timed_out:
      return "the key source did not answer in time";
    case errc::invalid_answer:
      return "the key source gave an answer that cannot be used";
    case errc::over_budget:
      return "too many unknown keys were presented";
    case errc::overloaded:
      return "too many look-ups are waiting for the key source";
  }
  return "unknown error";
}

}  // namespace

error_code make_error_code(errc error) {
  static const ErrorCategory category("keygate.keys", sentence);
  return {static_cast<int>(error), category};
}

}  // namespace keygate::keys
