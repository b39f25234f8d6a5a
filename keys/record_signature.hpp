// The signature line of a Redis record: `<json>\n<64 hex>`, HMAC-SHA-256. Pure. Used by key_record.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace keygate::keys {

// What was signed and its signature in hex; all of `bytes` and nothing where it has no well-formed signature line.
std::pair<std::string_view, std::string_view> split_signature(std::string_view bytes);

// 64 lower-case hex digits, over `redis_key`, a newline and `json`: a record cannot be moved to another name.
std::string signature_of(std::string_view signing_key, std::string_view redis_key, std::string_view json);

// In time that does not depend on where they differ.
bool is_same_signature(std::string_view a, std::string_view b);

}  // namespace keygate::keys
