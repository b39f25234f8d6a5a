#include "keys/store.hpp"

#include "keys/base62.hpp"
#include "keys/restrictions.hpp"
#include "keys/store_impl.hpp"
#include "keys/store_schema.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>
#include <span>

namespace keygate::keys {

namespace {

constexpr std::size_t id_digits = 20;

std::string new_id() {
  std::string id = "key_";
  const std::size_t start = id.size();
  id.resize(start + id_digits);
  fill_with_random_base62(std::span(id).subspan(start));
  return id;
}

// A text that someone chose has to look like a key of no particular format.
bool is_importable(SecretView text) { return KeyFormats({}).fit(text).has_value(); }

StoreRow row_of(const NewKey& key, SecretView text, const KeyDigest& digest, std::int64_t now) {
  StoreRow row;
  row.key.id = new_id();
  row.key.shown_prefix = text.reveal().substr(0, shown_prefix_size);
  row.key.organization = key.organization;
  row.key.user = key.user;
  row.key.name = key.name;
  row.key.environment = key.environment;
  row.key.scopes = key.scopes;
  row.key.created_at = now;
  row.key.expires_at = key.expires_at;
  row.key.restrictions = key.restrictions;
  row.key.digest = digest;
  row.prefix = key.prefix;
  return row;
}

}  // namespace

error_code Store::Impl::insert(const StoreRow& row) {
  const StoredKey& key = row.key;
  const std::string scopes = join_scopes(key.scopes);
  const std::string blocks = blocks_text(key.restrictions.allowed_from);
  const std::string rate = key.restrictions.rate_limit ? rate_text(*key.restrictions.rate_limit) : "";
  sqlite::Statement statement(
      database,
      "INSERT INTO keys (id, digest, shown_prefix, prefix, organization, user, name, environment,"
      " scopes, created_at, expires_at, allowed_cidrs, rate_limit) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  statement.bind(key.id, key.digest, key.shown_prefix, row.prefix, key.organization, key.user, key.name,
                 policy::to_string(key.environment), scopes, key.created_at, key.expires_at, blocks, rate);
  return statement.run();
}

error_code Store::Impl::note_change(const KeyDigest& digest, KeyChange change, std::int64_t now) {
  sqlite::Statement statement(database, "INSERT INTO changes (digest, at, is_revocation) VALUES (?, ?, ?)");
  return statement.bind(digest, now, std::int64_t{change == KeyChange::revoked}).run();
}

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() = default;
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;

Result<Store> Store::open(const std::string& path) {
  // To SQLite, "" and names like ":memory:" mean a database that is gone when it is closed.
  if (path.empty() || path.front() == ':') return make_error_code(store_errc::cannot_open);
  if (const error_code failed = create_private_file(path)) return failed;
  Result<sqlite::Database> database = sqlite::Database::open(path);
  if (database.has_error()) return database.error();
  database->wait_for_locks(lock_wait);
  if (const error_code failed = prepare_store(*database)) return failed;
  auto impl = std::make_unique<Impl>(std::move(*database));
  if (impl->answer.error()) return impl->answer.error();
  if (impl->changes.error()) return impl->changes.error();
  return Store(std::move(impl));
}

Result<Store> Store::open_to_read(const std::string& path) {
  if (path.empty() || path.front() == ':') return make_error_code(store_errc::cannot_open);
  Result<sqlite::Database> database = sqlite::Database::open_to_read(path);
  if (database.has_error()) return database.error();
  database->wait_for_locks(lock_wait);
  const std::string_view sql = has_restrictions(*database) ? select_answer : select_old_answer;
  auto impl = std::make_unique<Impl>(std::move(*database), sql);
  if (impl->answer.error()) return impl->answer.error();
  return Store(std::move(impl));
}

Result<StoredKey> Store::Impl::add(const NewKey& key, SecretView text, std::int64_t now, KnownBefore known) {
  const KeyDigest digest = hasher(text);
  sqlite::Transaction transaction(database);
  if (transaction.error()) return transaction.error();
  Result<StoreRow> there = find("WHERE digest = ?", digest);
  if (there.has_value()) return std::move(there->key);
  if (there.error() != store_errc::not_found) return there.error();

  StoreRow row = row_of(key, text, digest, now);
  if (const error_code failed = insert(row)) return failed;
  if (known == KnownBefore::perhaps) {
    if (const error_code failed = note_change(digest, KeyChange::changed, now)) return failed;
  }
  if (const error_code failed = transaction.commit()) return failed;
  return std::move(row.key);
}

Result<CreatedKey> Store::create(const NewKey& key, std::int64_t now) {
  if (!unfit_field(key, now).empty()) return make_error_code(store_errc::invalid_field);
  Secret text = generate_key(key.prefix);
  Result<StoredKey> stored = impl_->add(key, text.view(), now, KnownBefore::no);
  if (stored.has_error()) return stored.error();
  return CreatedKey{std::move(*stored), std::move(text)};
}

Result<StoredKey> Store::import(const NewKey& key, SecretView text, std::int64_t now) {
  if (!unfit_field(key, now).empty() || !is_importable(text)) return make_error_code(store_errc::invalid_field);
  return impl_->add(key, text, now, KnownBefore::perhaps);
}

Result<std::vector<StoredKey>> read_keys(sqlite::Statement& statement) {
  std::vector<StoredKey> keys;
  for (;;) {
    switch (statement.step()) {
      case sqlite::Step::done:
        return keys;
      case sqlite::Step::failed:
        return statement.error();
      case sqlite::Step::row:
        break;
    }
    Result<StoreRow> row = read_row(statement);
    if (row.has_error()) return row.error();
    keys.push_back(std::move(row->key));
  }
}

Result<std::vector<StoredKey>> Store::list(const std::optional<std::string>& organization) {
  sqlite::Statement statement(impl_->database, std::string(select_rows)
                                                   .append(organization ? "WHERE organization = ?" : "")
                                                   .append(" ORDER BY created_at, rowid"));
  if (organization) statement.bind(*organization);
  return read_keys(statement);
}

Result<std::vector<StoredKey>> Store::list_page(const std::optional<std::string>& organization,
                                                const std::string& after, std::size_t limit) {
  if (!after.empty()) {
    const Result<StoreRow> last = impl_->find_id(after);
    if (last.has_error()) return last.error();
    // Whether another organization has such a key is nobody's business.
    if (organization && last->key.organization != *organization) return make_error_code(store_errc::not_found);
  }
  sqlite::Statement statement(impl_->database,
                              std::string(select_rows)
                                  .append("WHERE rowid > coalesce((SELECT rowid FROM keys WHERE id = ?), 0)")
                                  .append(organization ? " AND organization = ?" : " AND ? = ''")
                                  .append(" ORDER BY rowid LIMIT ?"));
  const std::string whose = organization.value_or("");
  statement.bind(after, whose, static_cast<std::int64_t>(limit));
  return read_keys(statement);
}

Result<StoredKey> Store::show(const std::string& id) {
  Result<StoreRow> row = impl_->find_id(id);
  if (row.has_error()) return row.error();
  return std::move(row->key);
}

Result<CreatedKey> Store::rotate(const std::string& id, std::int64_t grace, std::int64_t now) {
  if (grace < 0 || grace > std::numeric_limits<std::int64_t>::max() - now) {
    return make_error_code(store_errc::invalid_field);
  }
  sqlite::Transaction transaction(impl_->database);
  if (transaction.error()) return transaction.error();
  const Result<StoreRow> old = impl_->find_id(id);
  if (old.has_error()) return old.error();
  if (old->key.revoked_at) return make_error_code(store_errc::already_revoked);
  if (old->key.expires_at && *old->key.expires_at <= now) return make_error_code(store_errc::already_expired);

  const NewKey same{old->key.organization, old->key.user, old->key.name,       old->key.environment,
                    old->key.scopes,       old->prefix,   old->key.expires_at, old->key.restrictions};
  if (!unfit_field(same, now).empty()) return make_error_code(store_errc::invalid_field);
  Secret text = generate_key(same.prefix);
  StoreRow row = row_of(same, text.view(), impl_->hasher(text.view()), now);
  if (const error_code failed = impl_->insert(row)) return failed;

  const std::int64_t end = std::min(now + grace, old->key.expires_at.value_or(now + grace));
  sqlite::Statement retire(impl_->database, "UPDATE keys SET expires_at = ?, rotated_to = ? WHERE id = ?");
  if (const error_code failed = retire.bind(end, row.key.id, id).run()) return failed;
  if (const error_code failed = impl_->note_change(old->key.digest, KeyChange::changed, now)) return failed;
  if (const error_code failed = transaction.commit()) return failed;
  return CreatedKey{std::move(row.key), std::move(text)};
}

Result<StoredKey> Store::revoke(const std::string& id, std::int64_t now) {
  sqlite::Transaction transaction(impl_->database);
  if (transaction.error()) return transaction.error();
  Result<StoreRow> row = impl_->find_id(id);
  if (row.has_error()) return row.error();
  if (row->key.revoked_at) return std::move(row->key);

  sqlite::Statement statement(impl_->database, "UPDATE keys SET revoked_at = ? WHERE id = ?");
  if (const error_code failed = statement.bind(now, id).run()) return failed;
  if (const error_code failed = impl_->note_change(row->key.digest, KeyChange::revoked, now)) return failed;
  if (const error_code failed = transaction.commit()) return failed;
  row->key.revoked_at = now;
  return std::move(row->key);
}

Result<policy::KeyAnswer> Store::verify(const KeyDigest& digest, std::int64_t now) {
  const sqlite::Running running(impl_->answer);
  impl_->answer.bind(digest);
  switch (impl_->answer.step()) {
    case sqlite::Step::row:
      return read_answer(impl_->answer, now);
    case sqlite::Step::done:
      return policy::KeyAnswer{};  // unknown
    case sqlite::Step::failed:
      break;
  }
  return impl_->answer.error();
}

}  // namespace keygate::keys
