// What keys were used for: their last use, and the scopes that their requests required.
#include "keys/store_impl.hpp"
#include "policy/scopes.hpp"

namespace keygate::keys {

namespace {

error_code write_uses(sqlite::Database& database, const std::vector<KeyUse>& uses) {
  sqlite::Transaction transaction(database);
  if (transaction.error()) return transaction.error();
  sqlite::Statement last_use(
      database, "UPDATE keys SET last_used_at = ?1 WHERE digest = ?2 AND coalesce(last_used_at, ?1 - 1) < ?1");
  // A reporter that names ever new scopes fills no disk.
  sqlite::Statement required(database,
                             "INSERT INTO required_scopes (digest, scope, last_at) SELECT ?1, ?2, ?3"
                             " WHERE EXISTS (SELECT 1 FROM keys WHERE digest = ?1) AND"
                             " ((SELECT count(*) FROM required_scopes WHERE digest = ?1) < ?4 OR"
                             " EXISTS (SELECT 1 FROM required_scopes WHERE digest = ?1 AND scope = ?2))"
                             " ON CONFLICT DO UPDATE SET last_at = max(last_at, excluded.last_at)");
  constexpr auto most = static_cast<std::int64_t>(Store::max_required);
  for (const KeyUse& use : uses) {
    if (const error_code failed = last_use.bind(use.at, use.digest).run()) return failed;
    for (const std::string& scope : use.scopes) {
      if (!policy::is_scope_name(scope)) continue;
      if (const error_code failed = required.bind(use.digest, scope, use.at, most).run()) return failed;
    }
  }
  return transaction.commit();
}

}  // namespace

Result<std::vector<UsedKey>> Store::Impl::with_uses(Result<std::vector<StoredKey>> keys) {
  if (keys.has_error()) return keys.error();
  sqlite::Statement statement(database, "SELECT scope, last_at FROM required_scopes WHERE digest = ? ORDER BY scope");
  std::vector<UsedKey> used;
  used.reserve(keys->size());
  for (StoredKey& key : *keys) {
    UsedKey& one = used.emplace_back();
    one.key = std::move(key);
    statement.bind(one.key.digest);
    while (statement.step() == sqlite::Step::row) one.required.emplace_back(statement.text(0), statement.integer(1));
    if (statement.error()) return statement.error();
  }
  return used;
}

Result<void> Store::note_uses(const std::vector<KeyUse>& uses) {
  const Unhurried unhurried(impl_->database);
  if (const error_code failed = write_uses(impl_->database, uses)) return failed;
  return {};
}

Result<std::vector<UsedKey>> Store::uses(const std::optional<std::string>& organization) {
  return impl_->with_uses(list(organization));
}

Result<std::vector<UsedKey>> Store::uses_page(const std::optional<std::string>& organization, const std::string& after,
                                              std::size_t limit) {
  return impl_->with_uses(list_page(organization, after, limit));
}

}  // namespace keygate::keys
