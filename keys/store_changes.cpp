// The store's change log: what was done to which key, for those who remember it.
#include "keys/store_impl.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace keygate::keys {

Result<std::int64_t> Store::last_change() {
  sqlite::Statement statement(impl_->database, "SELECT coalesce(max(position), 0) FROM changes");
  if (statement.step() == sqlite::Step::row) return statement.integer(0);
  return statement.error();
}

Result<std::vector<Store::Change>> Store::changes_after(std::int64_t position, std::size_t limit) {
  const sqlite::Running running(impl_->changes);
  impl_->changes.bind(position, static_cast<std::int64_t>(limit));
  std::vector<Change> changes;
  for (;;) {
    switch (impl_->changes.step()) {
      case sqlite::Step::done:
        return changes;
      case sqlite::Step::failed:
        return impl_->changes.error();
      case sqlite::Step::row:
        break;
    }
    Change& change = changes.emplace_back();
    change.position = impl_->changes.integer(0);
    const std::string_view digest = impl_->changes.bytes(1);
    change.change = impl_->changes.integer(2) != 0 ? KeyChange::revoked : KeyChange::changed;
    std::memcpy(change.digest.bytes.data(), digest.data(), std::min(digest.size(), change.digest.bytes.size()));
  }
}

Result<std::int64_t> Store::last_change_before(std::int64_t at) {
  sqlite::Statement statement(impl_->database, "SELECT coalesce(max(position), 0) FROM changes WHERE at < ?");
  statement.bind(at);
  if (statement.step() == sqlite::Step::row) return statement.integer(0);
  return statement.error();
}

// Positions rise with time, so what is old stands in front: no index is needed to stop early.
Result<std::size_t> Store::prune_changes(std::int64_t before, std::size_t limit) {
  const Unhurried unhurried(impl_->database);
  sqlite::Statement statement(impl_->database,
                              "DELETE FROM changes WHERE at < ?1 AND position IN"
                              " (SELECT position FROM changes ORDER BY position LIMIT ?2) RETURNING position");
  statement.bind(before, static_cast<std::int64_t>(limit));
  std::size_t count = 0;
  while (statement.step() == sqlite::Step::row) ++count;
  if (statement.error()) return statement.error();
  return count;
}

}  // namespace keygate::keys
