#include "keys/store_schema.hpp"

#include "keys/store.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace keygate::keys {

namespace {

constexpr std::int64_t application_id = 0x4B475354;  // "KGST", in the file's header

constexpr const char* tables = R"(
PRAGMA application_id = 1262965588;
CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT;
INSERT INTO meta (name, value) VALUES ('version', 3);
CREATE TABLE keys (
  id TEXT PRIMARY KEY NOT NULL,
  digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),  -- SHA-256 of the key; its text is nowhere
  shown_prefix TEXT NOT NULL,
  prefix TEXT NOT NULL,                                     -- what a rotated key starts with again
  organization TEXT NOT NULL,
  user TEXT NOT NULL,
  name TEXT NOT NULL,
  environment TEXT NOT NULL CHECK (environment IN ('', 'live', 'test')),
  scopes TEXT NOT NULL,                                     -- separated by one space
  created_at INTEGER NOT NULL,                              -- times are unix seconds
  expires_at INTEGER,
  revoked_at INTEGER,
  last_used_at INTEGER,
  rotated_to TEXT REFERENCES keys (id),
  allowed_cidrs TEXT NOT NULL DEFAULT '',                   -- address blocks, separated by one space; '': anywhere
  rate_limit TEXT NOT NULL DEFAULT ''                       -- 600/1m; '': none
) STRICT;
CREATE INDEX keys_by_organization ON keys (organization);  -- and rowid: a page begins where the last one ended
CREATE TABLE changes (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  digest BLOB NOT NULL CHECK (length(digest) = 32),
  at INTEGER NOT NULL DEFAULT 0,
  is_revocation INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE required_scopes (
  digest BLOB NOT NULL CHECK (length(digest) = 32),
  scope TEXT NOT NULL,
  last_at INTEGER NOT NULL,
  PRIMARY KEY (digest, scope)
) STRICT, WITHOUT ROWID;
)";

// From version 1. A process of that version that still runs goes on: what it leaves out has a default.
constexpr const char* from_1_to_2 = R"(
ALTER TABLE changes ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE changes ADD COLUMN is_revocation INTEGER NOT NULL DEFAULT 0;
UPDATE changes SET at = unixepoch();
DROP INDEX IF EXISTS keys_by_organization;
CREATE INDEX keys_by_organization ON keys (organization);
CREATE TABLE required_scopes (
  digest BLOB NOT NULL CHECK (length(digest) = 32),
  scope TEXT NOT NULL,
  last_at INTEGER NOT NULL,
  PRIMARY KEY (digest, scope)
) STRICT, WITHOUT ROWID;
UPDATE meta SET value = 2 WHERE name = 'version';
)";

// A process of version 2 that still runs makes keys without restrictions, and does not see those of others.
constexpr const char* from_2_to_3 = R"(
ALTER TABLE keys ADD COLUMN allowed_cidrs TEXT NOT NULL DEFAULT '';
ALTER TABLE keys ADD COLUMN rate_limit TEXT NOT NULL DEFAULT '';
UPDATE meta SET value = 3 WHERE name = 'version';
)";

enum class Standing { ours, version_1, version_2, empty, foreign };

Result<Standing> standing(sqlite::Database& database) {
  // One statement, one view of the file: another process may be making the tables between two.
  sqlite::Statement marks(database,
                          "SELECT application_id, (SELECT count(*) FROM sqlite_schema) FROM pragma_application_id");
  if (marks.step() != sqlite::Step::row) return marks.error() ? marks.error() : make_error_code(store_errc::corrupt);
  const std::int64_t id = marks.integer(0), objects = marks.integer(1);
  marks.reset();
  if (id == 0 && objects == 0) return Standing::empty;
  if (id != application_id) return Standing::foreign;

  sqlite::Statement version(database, "SELECT value FROM meta WHERE name = 'version'");
  switch (version.step()) {
    case sqlite::Step::row:
      if (version.integer(0) == 1) return Standing::version_1;
      if (version.integer(0) == 2) return Standing::version_2;
      return version.integer(0) == store_version ? Standing::ours : Standing::foreign;
    case sqlite::Step::done:
      return Standing::foreign;
    case sqlite::Step::failed:
      break;
  }
  return version.error();
}

error_code upgrade(sqlite::Database& database, Standing found) {
  if (found == Standing::version_1) {
    if (const error_code failed = database.execute(from_1_to_2)) return failed;
  }
  return database.execute(from_2_to_3);
}

error_code make_tables(sqlite::Database& database) {
  sqlite::Transaction transaction(database);
  if (transaction.error()) return transaction.error();
  // Another process may have made them since we looked.
  const Result<Standing> now = standing(database);
  if (now.has_error()) return now.error();
  switch (*now) {
    case Standing::ours:
      return {};
    case Standing::foreign:
      return store_errc::corrupt;
    case Standing::version_1:
    case Standing::version_2:
    case Standing::empty:
      break;
  }
  const bool is_new = *now == Standing::empty;
  if (const error_code failed = is_new ? database.execute(tables) : upgrade(database, *now)) return failed;
  return transaction.commit();
}

// Two processes that open a new file at once may collide here: SQLite does not wait for the lock this takes.
error_code use_write_ahead_log(sqlite::Database& database) {
  error_code failed;
  for (int attempt = 0; attempt < 100; ++attempt) {
    failed = database.execute("PRAGMA journal_mode = WAL");
    if (failed != store_errc::busy) break;
    ::usleep(10'000);
  }
  return failed;
}

}  // namespace

error_code create_private_file(const std::string& path) {
  // A file that exists is not even opened: closing a descriptor of it would drop the locks that another Store of this
  // process holds (sqlite.org/howtocorrupt, 2.2). SQLite gives the -wal and -shm files the mode of this one.
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return errno == EEXIST ? error_code{} : make_error_code(store_errc::cannot_open);
  ::close(descriptor);
  return {};
}

bool has_restrictions(const sqlite::Database& database) {
  sqlite::Statement columns(database, "SELECT count(*) FROM pragma_table_info('keys') WHERE name = 'rate_limit'");
  return columns.step() == sqlite::Step::row && columns.integer(0) == 1;
}

error_code prepare_store(sqlite::Database& database) {
  const Result<Standing> found = standing(database);
  if (found.has_error()) return found.error();
  if (*found == Standing::foreign) return store_errc::corrupt;
  if (const error_code failed = use_write_ahead_log(database)) return failed;
  // FULL: a revocation that was reported is on the disk, whatever the machine does next.
  if (const error_code failed = database.execute("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
                                                 "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON")) {
    return failed;
  }
  return *found == Standing::ours ? error_code{} : make_tables(database);
}

}  // namespace keygate::keys
