// SQLite as this folder uses it: what opens closes, and what fails is an error_code of the store's category.
// One thread at a time.
#pragma once

#include "keys/asio.hpp"
#include "keys/digest.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace keygate::keys::sqlite {

class Database {
 public:
  // The file must exist. store_errc::cannot_open where that fails; whether it is a database at all shows on the first
  // read.
  static Result<Database> open(const std::string& path);

  // The same, to read it only.
  static Result<Database> open_to_read(const std::string& path);

  // One or more statements without results.
  error_code execute(const char* statements);

  // How long a statement waits for another process's lock before it fails as busy.
  void wait_for_locks(std::chrono::milliseconds limit);

  sqlite3* get() const { return handle_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  explicit Database(sqlite3* handle) : handle_(handle) {}
  static Result<Database> open_as(const std::string& path, int mode);
  std::unique_ptr<sqlite3, Close> handle_;
};

enum class Step : std::uint8_t { row, done, failed };

// A prepared statement. Text and digests are bound without a copy: they must live until the last step.
class Statement {
 public:
  Statement(const Database& database, std::string_view sql);

  // Starts over with `values` for the ?s, in order.
  template <class... Values>
  Statement& bind(const Values&... values) {
    reset();
    int place = 0;
    (bind_at(++place, values), ...);
    return *this;
  }

  Step step();
  error_code run();                             // to its end, passing over rows; then resets
  error_code error() const { return failed_; }  // the first thing that went wrong since bind
  void reset();                                 // ends the read that a row holds open

  // Of the row that step() went to; columns count from 0. Views last until the next step.
  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  std::optional<std::int64_t> optional_integer(int column) const;
  std::string text(int column) const;
  std::string_view bytes(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  void bind_at(int place, std::int64_t value);
  void bind_at(int place, const std::optional<std::int64_t>& value);
  void bind_at(int place, std::string_view value);
  void bind_at(int place, const std::string& value) { bind_at(place, std::string_view(value)); }
  void bind_at(int place, const KeyDigest& value);
  void note(int result);

  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
  error_code prepared_, failed_;
};

// Resets a statement that is kept when the scope ends.
class Running {
 public:
  explicit Running(Statement& statement) : statement_(statement) {}
  ~Running() { statement_.reset(); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  Statement& statement_;
};

// Begun as a writer, so that it never has to become one half-way; undone unless committed.
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  error_code error() const { return failed_; }  // why it did not begin
  error_code commit();

 private:
  Database& database_;
  error_code failed_;
  bool is_open_;
};

}  // namespace keygate::keys::sqlite
