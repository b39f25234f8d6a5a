// The embedded key store (SQLite, WAL): what `keygate keys` edits and a single-machine proxy reads
// (docs/life-of-a-request.md). Blocking; used from one thread at a time. Several processes may have one file open; the
// change log tells each what to forget.
#pragma once

#include "keys/asio.hpp"
#include "keys/digest.hpp"
#include "keys/key_format.hpp"
#include "keys/revocation_sink.hpp"
#include "policy/principal.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keygate::keys {

struct NewKey {
  std::string organization;  // an identity value; required
  std::string user;          // empty: none
  std::string name;          // for people; at most 100 bytes of UTF-8 without controls
  policy::Environment environment = policy::Environment::none;
  std::vector<std::string> scopes;  // grant names; at least one, at most 256
  std::string prefix = "kg_";
  std::optional<std::int64_t> expires_at;  // unix seconds
  policy::Restrictions restrictions{};     // kept when it is rotated
};

// The first field that create would refuse, by its name above; empty: none. `now`: unix seconds.
std::string_view unfit_field(const NewKey& key, std::int64_t now);

// A key as the store knows it: everything but its text.
struct StoredKey {
  std::string id;            // "key_" and 20 base62 characters
  KeyDigest digest;          // for those who are told of a change; never shown
  std::string shown_prefix;  // the key's first 12 characters
  std::string organization, user, name;
  policy::Environment environment = policy::Environment::none;
  std::vector<std::string> scopes;
  std::int64_t created_at = 0;
  std::optional<std::int64_t> expires_at, revoked_at, last_used_at;
  std::string rotated_to;  // the id of the key that replaces this one, or empty
  policy::Restrictions restrictions{};
};

// A key was let through, and these are the scopes that what it asked for required.
struct KeyUse {
  KeyDigest digest;
  std::int64_t at = 0;  // unix seconds
  std::vector<std::string> scopes;
};

// A key, and each scope that any of its uses required, with the last time.
struct UsedKey {
  StoredKey key;
  std::vector<std::pair<std::string, std::int64_t>> required;  // by name
};

struct CreatedKey {
  StoredKey stored;
  Secret key;  // the only time it is shown
};

enum class store_errc { not_found = 1, already_revoked, already_expired, invalid_field, busy, corrupt, cannot_open };
error_code make_error_code(store_errc error);

class Store {
 public:
  // Opens or creates the file (mode 0600) and brings its schema up to date. Errors: cannot_open, corrupt (a file that
  // is not ours, or of a newer version).
  static Result<Store> open(const std::string& path);
  // An existing one, to verify keys in and nothing else: it is left as it is, whatever its version. Errors: as above.
  static Result<Store> open_to_read(const std::string& path);
  ~Store();
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;

  // `now`, here and below: unix seconds.
  Result<CreatedKey> create(const NewKey& key, std::int64_t now);
  // As create, with a text of the caller's choice; used for the development key. Already there: its stored form.
  Result<StoredKey> import(const NewKey& key, SecretView text, std::int64_t now);
  Result<std::vector<StoredKey>> list(const std::optional<std::string>& organization);
  // The same, at most `limit` of them: those made after the key `after` (empty: from the first).
  // not_found: there is no such key, or it is not of that organization.
  Result<std::vector<StoredKey>> list_page(const std::optional<std::string>& organization, const std::string& after,
                                           std::size_t limit);
  Result<StoredKey> show(const std::string& id);
  // A new key with the same fields; the old one expires `grace` seconds from now (sooner if it would anyway; 0: at
  // once). A revoked or expired key cannot be rotated.
  Result<CreatedKey> rotate(const std::string& id, std::int64_t grace, std::int64_t now);
  // For good. Revoking twice is not an error: the first time stands.
  Result<StoredKey> revoke(const std::string& id, std::int64_t now);

  // What a proxy asks. A row whose fields could not stand in a header is an error (invalid_field), not an answer.
  Result<policy::KeyAnswer> verify(const KeyDigest& digest, std::int64_t now);

  // The change log: a line for each key that somebody may remember otherwise than it is now, so for what is rotated,
  // revoked or imported, and not for a key that has just been made up. `position` counts up for ever.
  struct Change {
    std::int64_t position;
    KeyDigest digest;
    KeyChange change = KeyChange::changed;
  };
  Result<std::int64_t> last_change();
  // At most `limit` changes after `position`, oldest first.
  Result<std::vector<Change>> changes_after(std::int64_t position, std::size_t limit);

  // The last change that is older than unix second `at`: what came later may be news to somebody.
  Result<std::int64_t> last_change_before(std::int64_t at);
  // How long changes are kept, and how many are dropped at once, by whoever has a file open for long.
  static constexpr std::chrono::hours kept_changes{48};
  static constexpr std::size_t pruned_at_once = 1'000;
  // Drops at most `limit` changes older than that; how many it was. Everybody has read what is days old.
  Result<std::size_t> prune_changes(std::int64_t before, std::size_t limit);

  // Remembers that keys were used, and the scopes that this required (at most max_required a key); unknown digests and
  // words that are no scope names are passed over. Waits for nobody: busy where another process is writing.
  Result<void> note_uses(const std::vector<KeyUse>& uses);
  static constexpr std::size_t max_required = 512;
  Result<std::vector<UsedKey>> uses(const std::optional<std::string>& organization);
  // The same of the keys of one page, see list_page.
  Result<std::vector<UsedKey>> uses_page(const std::optional<std::string>& organization, const std::string& after,
                                         std::size_t limit);

 private:
  struct Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace keygate::keys

template <>
struct boost::system::is_error_code_enum<keygate::keys::store_errc> : std::true_type {};
