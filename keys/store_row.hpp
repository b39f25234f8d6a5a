// A row of the store's `keys` table and back: what may be written, and what is believed when it is read.
#pragma once

#include "keys/sqlite.hpp"
#include "keys/store.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace keygate::keys {

// A row as it is read: every column but the ids of other tables.
struct StoreRow {
  StoredKey key;
  std::string prefix;
};

// Ends in "FROM keys"; a WHERE goes behind it. Read with read_row.
inline constexpr std::string_view select_rows =
    "SELECT id, shown_prefix, organization, user, name, environment, scopes, created_at, expires_at, revoked_at, "
    "last_used_at,"
    " rotated_to, digest, prefix, allowed_cidrs, rate_limit FROM keys ";
// invalid_field where the row holds what no version of this program writes.
Result<StoreRow> read_row(const sqlite::Statement& row);

// What verify reads of a row, and what it makes of it. invalid_field where a field could not stand in a header (H-10).
inline constexpr std::string_view select_answer =
    "SELECT id, organization, user, environment, scopes, expires_at, revoked_at, allowed_cidrs, rate_limit FROM keys"
    " WHERE digest = ?";
// The same of a file of a version before 3, which has no restrictions.
inline constexpr std::string_view select_old_answer =
    "SELECT id, organization, user, environment, scopes, expires_at, revoked_at, '', '' FROM keys WHERE digest = ?";
Result<policy::KeyAnswer> read_answer(const sqlite::Statement& row, std::int64_t now);

std::string join_scopes(const std::vector<std::string>& scopes);

}  // namespace keygate::keys
