// What stands behind a Store: its connection, and the statements that are kept. For the store's own sources alone.
#pragma once

#include "keys/digest.hpp"
#include "keys/sqlite.hpp"
#include "keys/store.hpp"
#include "keys/store_row.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace keygate::keys {

inline constexpr std::chrono::milliseconds lock_wait{5'000};

// A text that somebody chose may have been presented, and is remembered as unknown; one just made up is nobody's yet.
enum class KnownBefore : std::uint8_t { no, perhaps };

struct Store::Impl {
  explicit Impl(sqlite::Database opened, std::string_view answer_sql = select_answer)
      : database(std::move(opened)), answer(database, answer_sql) {}

  // The one row that `where` (with one ?) fits; not_found.
  template <class Value>
  Result<StoreRow> find(std::string_view where, const Value& value) {
    sqlite::Statement statement(database, std::string(select_rows).append(where));
    statement.bind(value);
    switch (statement.step()) {
      case sqlite::Step::row:
        return read_row(statement);
      case sqlite::Step::done:
        return make_error_code(store_errc::not_found);
      case sqlite::Step::failed:
        break;
    }
    return statement.error();
  }
  Result<StoreRow> find_id(const std::string& id) { return find("WHERE id = ?", id); }

  // The key that has this text, made where there is none.
  Result<StoredKey> add(const NewKey& key, SecretView text, std::int64_t now, KnownBefore known);
  error_code insert(const StoreRow& row);
  Result<std::vector<UsedKey>> with_uses(Result<std::vector<StoredKey>> keys);
  error_code note_change(const KeyDigest& digest, KeyChange change, std::int64_t now);

  sqlite::Database database;
  Hasher hasher;
  // Kept prepared: what a proxy runs all the time.
  sqlite::Statement answer;
  sqlite::Statement changes{database,
                            "SELECT position, digest, is_revocation FROM changes WHERE position > ?"
                            " ORDER BY position LIMIT ?"};
};

// What is worth neither a wait for the disk nor one for another process is written while one of these lives: look-ups
// stand behind it.
class Unhurried {
 public:
  explicit Unhurried(sqlite::Database& database) : database_(database) {
    database_.wait_for_locks(std::chrono::milliseconds{0});
    database_.execute("PRAGMA synchronous = NORMAL");
  }
  ~Unhurried() {
    database_.execute("PRAGMA synchronous = FULL");
    database_.wait_for_locks(lock_wait);
  }
  Unhurried(const Unhurried&) = delete;
  Unhurried& operator=(const Unhurried&) = delete;

 private:
  sqlite::Database& database_;
};

// All rows that `statement` has, or why not.
Result<std::vector<StoredKey>> read_keys(sqlite::Statement& statement);

}  // namespace keygate::keys
