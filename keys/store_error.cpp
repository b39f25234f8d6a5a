#include "keys/error_category.hpp"
#include "keys/store.hpp"

namespace keygate::keys {

namespace {

const char* sentence(int value) {
  switch (static_cast<store_errc>(value)) {
    case store_errc::not_found:
      return "there is no such key";
    case store_errc::already_revoked:
      return "the key is revoked";
    case store_errc::already_expired:
      return "the key has expired";
    case store_errc::invalid_field:
      return "a field of the key is not valid";
    case store_errc::busy:
      return "the key store is locked by another process";
    case store_errc::corrupt:
      return "the file is not a key store, is damaged, or is of a newer version";
    case store_errc::cannot_open:
      return "the key store cannot be opened, read or written";
  }
  return "unknown error";
}

}  // namespace

error_code make_error_code(store_errc error) {
  static const ErrorCategory category("keygate.store", sentence);
  return {static_cast<int>(error), category};
}

}  // namespace keygate::keys
