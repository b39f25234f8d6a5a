// A Redis record on the wire: what a key is, or a tombstone that says it is revoked or has changed. Pure: whoever can
// write to Redis can write here, so nothing is believed that does not fit to the letter, and with a signing key nothing
// that is not signed. Used by redis_cache and revocation_publisher.
#pragma once

#include "keys/digest.hpp"
#include "policy/principal.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace keygate::keys {

struct WireRecord {
  enum class Kind : std::uint8_t { valid, revoked, changed };
  Kind kind = Kind::valid;
  policy::KeyAnswer answer;                        // valid only
  std::optional<std::int64_t> issued_at_ms;        // unix; when the service was asked
  std::optional<std::chrono::milliseconds> bound;  // the writer's staleness bound
};

// Why a value is not a record. Each is a miss and a count.
enum class RecordFlaw : std::uint8_t {
  malformed,        // no JSON, a member that is missing, twice, unknown or of the wrong type, an identity that is none
  wrong_version,    // "v" is not 1
  wrong_digest,     // of another key: copied there
  unsigned_record,  // valid, and signing keys are set
  bad_signature,    // valid, and no signing key made that signature
  no_issue_time,    // valid and signed, without issued_at: could be replayed for ever
};
inline constexpr std::size_t record_flaw_count = 6;
std::string_view to_string(RecordFlaw flaw);  // "malformed", …

using Decoded = std::variant<WireRecord, RecordFlaw>;

// A record of a key can never pass for one of a session: they have other names, and the name is signed.
enum class RecordSubject : std::uint8_t { key, session };

class RecordCodec {
 public:
  static constexpr std::size_t max_size = 64 * 1024;

  // `name_space` stands before every Redis key. `signing_keys`: the first signs, each verifies; none: nothing is
  // signed, and a signature that is there is not looked at.
  RecordCodec(std::string name_space, RecordSubject subject, std::vector<std::string> signing_keys);
  ~RecordCodec();  // wipes the signing keys
  RecordCodec(RecordCodec&&) = default;
  RecordCodec(const RecordCodec&) = default;
  RecordCodec& operator=(RecordCodec&& other) noexcept;  // `other` takes what was here

  std::string redis_key(const KeyDigest& digest) const;
  // Where digests of revoked and changed keys are published.
  std::string channel() const;

  // nullopt: nobody could read it (an identity that is none, a scope that is none, over max_size, signed without
  // issued_at).
  std::optional<std::string> encode(const KeyDigest& digest, const WireRecord& record) const;

  // A tombstone refuses even where it is not signed as it should be: it then counts as `changed`.
  Decoded decode(const KeyDigest& digest, std::string_view bytes) const;

 private:
  bool is_verified(const std::string& name, std::string_view text, std::string_view signature) const;

  std::string name_space_;
  RecordSubject subject_;
  std::vector<std::string> signing_keys_;
};

// How old a valid record is: the larger of what the remaining TTL and its issue time say. nullopt, which is a miss: no
// TTL, one over the record's bound (`own_bound` where it names none), issued over 5 s ahead of `now_unix_ms`, or an age
// that reaches `own_bound`.
std::optional<std::chrono::milliseconds> age_of(const WireRecord& record, std::chrono::milliseconds remaining_ttl,
                                                std::int64_t now_unix_ms, std::chrono::milliseconds own_bound);

}  // namespace keygate::keys
