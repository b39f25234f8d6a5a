#include "keys/sqlite.hpp"

#include "keys/store.hpp"

#include <sqlite3.h>

namespace keygate::keys::sqlite {

namespace {

error_code error_of(int result) {
  switch (result & 0xFF) {  // the primary code of an extended one
    case SQLITE_OK:
      return {};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return store_errc::busy;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_SCHEMA:
    case SQLITE_ERROR:  // a statement that does not fit the file's tables
    case SQLITE_FORMAT:
      return store_errc::corrupt;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
      return store_errc::invalid_field;
  }
  return store_errc::cannot_open;  // the disk, its permissions or its space
}

}  // namespace

void Database::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

Result<Database> Database::open(const std::string& path) { return open_as(path, SQLITE_OPEN_READWRITE); }

Result<Database> Database::open_to_read(const std::string& path) { return open_as(path, SQLITE_OPEN_READONLY); }

Result<Database> Database::open_as(const std::string& path, int mode) {
  sqlite3* handle = nullptr;
  const int opened = sqlite3_open_v2(path.c_str(), &handle, mode | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(handle);  // to be closed even where opening failed
  if (opened != SQLITE_OK) return error_of(opened);
  return database;
}

error_code Database::execute(const char* statements) {
  return error_of(sqlite3_exec(get(), statements, nullptr, nullptr, nullptr));
}

void Database::wait_for_locks(std::chrono::milliseconds limit) {
  sqlite3_busy_timeout(get(), static_cast<int>(limit.count()));
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Statement::Statement(const Database& database, std::string_view sql) {
  sqlite3_stmt* handle = nullptr;
  prepared_ = error_of(sqlite3_prepare_v2(database.get(), sql.data(), static_cast<int>(sql.size()), &handle, nullptr));
  failed_ = prepared_;
  handle_.reset(handle);
}

Step Statement::step() {
  if (failed_) return Step::failed;
  const int result = sqlite3_step(handle_.get());
  if (result == SQLITE_ROW) return Step::row;
  if (result == SQLITE_DONE) return Step::done;
  note(result);
  return Step::failed;
}

error_code Statement::run() {
  while (step() == Step::row) continue;
  const error_code failed = failed_;
  reset();
  return failed;
}

void Statement::reset() {
  if (handle_) sqlite3_reset(handle_.get());
  failed_ = prepared_;
}

bool Statement::is_null(int column) const { return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL; }

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(handle_.get(), column); }

std::optional<std::int64_t> Statement::optional_integer(int column) const {
  if (is_null(column)) return std::nullopt;
  return integer(column);
}

std::string Statement::text(int column) const { return std::string(bytes(column)); }

std::string_view Statement::bytes(int column) const {
  const void* data = sqlite3_column_blob(handle_.get(), column);
  const int size = sqlite3_column_bytes(handle_.get(), column);
  return data == nullptr ? std::string_view{}
                         : std::string_view(static_cast<const char*>(data), static_cast<std::size_t>(size));
}

void Statement::bind_at(int place, std::int64_t value) { note(sqlite3_bind_int64(handle_.get(), place, value)); }

void Statement::bind_at(int place, const std::optional<std::int64_t>& value) {
  if (value) return bind_at(place, *value);
  note(sqlite3_bind_null(handle_.get(), place));
}

void Statement::bind_at(int place, std::string_view value) {
  const char* data = value.data() == nullptr ? "" : value.data();  // a null pointer would bind NULL
  note(sqlite3_bind_text(handle_.get(), place, data, static_cast<int>(value.size()), nullptr));
}

void Statement::bind_at(int place, const KeyDigest& value) {
  note(sqlite3_bind_blob(handle_.get(), place, value.bytes.data(), static_cast<int>(value.bytes.size()), nullptr));
}

void Statement::note(int result) {
  if (!failed_) failed_ = error_of(result);
}

Transaction::Transaction(Database& database)
    : database_(database), failed_(database.execute("BEGIN IMMEDIATE")), is_open_(!failed_) {}

Transaction::~Transaction() {
  if (is_open_) database_.execute("ROLLBACK");
}

error_code Transaction::commit() {
  const error_code failed = database_.execute("COMMIT");
  is_open_ = static_cast<bool>(failed);
  return failed;
}

}  // namespace keygate::keys::sqlite
