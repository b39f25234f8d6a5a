// The tables of a key store, their version, and how a file comes to have them. Called by Store::open only.
#pragma once

#include "keys/sqlite.hpp"

#include <string>

namespace keygate::keys {

inline constexpr std::int64_t store_version = 3;

// Makes `path` an empty file that only its owner may read (0600), unless there is a file already.
error_code create_private_file(const std::string& path);

// Whether its keys can have restrictions, as from version 3 on. Of a file that is not ours: false.
bool has_restrictions(const sqlite::Database& database);

// Settings of one connection, and the tables where the file is new, or those that a file of an older version lacks.
// store_errc::corrupt where the file is not ours, or of a newer version; it is then left as it was.
error_code prepare_store(sqlite::Database& database);

}  // namespace keygate::keys
