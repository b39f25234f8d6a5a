#include "keys/redis_script.hpp"

#include <openssl/evp.h>

#include <array>
#include <stdexcept>

namespace keygate::keys {

namespace {

// The record that stands there, as a table, whatever signature it has; nil where there is none.
constexpr std::string_view read_record = R"(
local function record_at(name)
  local value = redis.call('GET', name)
  if not value then return nil end
  local ok, record = pcall(cjson.decode, (string.gsub(value, '\n%x+$', '')))
  if ok and type(record) == 'table' then return record end
  return nil
end
)";

constexpr std::string_view fill = R"(
local old = record_at(KEYS[1])
if old then
  if old.state == 'revoked' or old.state == 'changed' then return 0 end
  local issued = type(old.issued_at) == 'number' and old.issued_at
  if issued and issued > tonumber(ARGV[3]) and issued <= tonumber(ARGV[4]) + 5000 then return 0 end
end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('PEXPIREAT', KEYS[1], ARGV[2])
return 1
)";

constexpr std::string_view bury = R"(
local old = ARGV[2] == 'changed' and record_at(KEYS[1])
local written = 0
if not old or old.state ~= 'revoked' then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
  written = 1
end
redis.call('PUBLISH', ARGV[4], ARGV[5])
return written
)";

}  // namespace

RedisScript make_script(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL has no SHA-1");
  }
  constexpr std::string_view digits = "0123456789abcdef";
  RedisScript script{std::string(text), {}};
  for (unsigned i = 0; i < size; ++i) {
    script.sha1 += digits[digest[i] >> 4];
    script.sha1 += digits[digest[i] & 15];
  }
  return script;
}

const RedisScript& fill_script() {
  static const RedisScript script = make_script(std::string(read_record) + std::string(fill));
  return script;
}

const RedisScript& tombstone_script() {
  static const RedisScript script = make_script(std::string(read_record) + std::string(bury));
  return script;
}

}  // namespace keygate::keys
