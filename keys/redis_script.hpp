// What Redis has to do in one step: scripts, known to it by their SHA-1. Used by redis_cache and revocation_publisher.
#pragma once

#include <string>
#include <string_view>

namespace keygate::keys {

struct RedisScript {
  std::string text;
  std::string sha1;  // hex
};

RedisScript make_script(std::string_view text);

// KEYS: the record. ARGV: value, TTL in ms, its issue time, now (both unix ms). 1: written. 0: a tombstone or a newer
// record stands there; it stays. An issue time that lies ahead makes nothing newer, nor does anything but a record.
const RedisScript& fill_script();

// KEYS: the record. ARGV: tombstone, its state, TTL in ms, channel, digest. Sets it, unless it says "changed" and the
// key is already revoked, and publishes the digest in any case. 1: written.
const RedisScript& tombstone_script();

}  // namespace keygate::keys
