// What the embedded store keeps of where a key may be used and how often, and files of versions that knew neither.
#include "keys/restrictions.hpp"
#include "keys/store.hpp"
#include "tests/unit/keys/temp_folder.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <string>
#include <utility>

namespace keygate::keys {
namespace {

using namespace std::chrono_literals;
using State = policy::KeyAnswer::State;

constexpr std::int64_t now = 1'750'000'000;
const std::string old_text = "kg_old_00000000000000000000000000000000000000001";

policy::Restrictions some() {
  policy::Restrictions restrictions;
  restrictions.allowed_from = *parse_blocks("10.0.0.0/8 2001:db8::/32");
  restrictions.rate_limit = parse_rate("600/1m");
  return restrictions;
}

NewKey new_key(policy::Restrictions restrictions = {}) {
  NewKey key;
  key.organization = "org_1";
  key.scopes = {"projects:read"};
  key.restrictions = std::move(restrictions);
  return key;
}

// The tables as versions 1 and 2 made them, with one key in them.
constexpr const char* keys_before_3 = R"(
PRAGMA application_id = 1262965588;
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
CREATE TABLE keys (id TEXT PRIMARY KEY NOT NULL, digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
  shown_prefix TEXT NOT NULL, prefix TEXT NOT NULL, organization TEXT NOT NULL, user TEXT NOT NULL, name TEXT NOT NULL,
  environment TEXT NOT NULL CHECK (environment IN ('', 'live', 'test')), scopes TEXT NOT NULL,
  created_at INTEGER NOT NULL, expires_at INTEGER, revoked_at INTEGER, last_used_at INTEGER,
  rotated_to TEXT REFERENCES keys (id)) STRICT;
CREATE INDEX keys_by_organization ON keys (organization);
)";
constexpr const char* rest_of_1 = R"(
INSERT INTO meta (name, value) VALUES ('version', 1);
CREATE TABLE changes (position INTEGER PRIMARY KEY AUTOINCREMENT,
  digest BLOB NOT NULL CHECK (length(digest) = 32)) STRICT;
)";
constexpr const char* rest_of_2 = R"(
INSERT INTO meta (name, value) VALUES ('version', 2);
CREATE TABLE changes (position INTEGER PRIMARY KEY AUTOINCREMENT, digest BLOB NOT NULL CHECK (length(digest) = 32),
  at INTEGER NOT NULL DEFAULT 0, is_revocation INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE required_scopes (digest BLOB NOT NULL CHECK (length(digest) = 32), scope TEXT NOT NULL,
  last_at INTEGER NOT NULL, PRIMARY KEY (digest, scope)) STRICT, WITHOUT ROWID;
)";

class StoreRestrictions : public testing::Test {
 protected:
  Store open() const {
    Result<Store> store = Store::open(path);
    EXPECT_TRUE(store.has_value()) << store.error().message();
    return std::move(*store);
  }

  void run_sql(const std::string& sql) const {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(database);
    sqlite3_close(database);
  }

  // A file of an older version, with one key.
  void make_old_file(const char* rest) const {
    run_sql(keys_before_3);
    run_sql(rest);
    run_sql("INSERT INTO keys VALUES ('key_old', x'" + to_hex(Hasher()(SecretView(old_text))) +
            "', 'kg_old_00000', 'kg_', 'org_1', '', '', '', 'projects:read', 1700000000, NULL, NULL, NULL, NULL)");
  }

  static KeyDigest digest_of(const CreatedKey& key) { return Hasher()(key.key.view()); }

  TempFolder folder;
  const std::string path = folder.file("keys.db");
};

TEST_F(StoreRestrictions, AreShownListedAndToldToWhoeverVerifies) {
  Store store = open();
  const CreatedKey key = *store.create(new_key(some()), now);
  EXPECT_EQ(blocks_text(store.show(key.stored.id)->restrictions.allowed_from), "10.0.0.0/8 2001:db8::/32");
  EXPECT_EQ(store.list(std::nullopt)->front().restrictions.rate_limit, (policy::RateLimit{600, 60s, {.key = true}}));
  const auto answer = *store.verify(digest_of(key), now);
  ASSERT_NE(answer.principal.restrictions, nullptr);
  EXPECT_EQ(answer.principal.restrictions->allowed_from, some().allowed_from);
  EXPECT_EQ(answer.principal.restrictions->rate_limit, some().rate_limit);
}

TEST_F(StoreRestrictions, OfAKeyWithoutAnyThereAreNone) {
  Store store = open();
  const CreatedKey key = *store.create(new_key(), now);
  EXPECT_EQ(store.verify(digest_of(key), now)->principal.restrictions, nullptr);
  EXPECT_TRUE(key.stored.restrictions.allowed_from.empty());
  EXPECT_FALSE(key.stored.restrictions.rate_limit);
}

TEST_F(StoreRestrictions, AreKeptOverARotation) {
  Store store = open();
  const CreatedKey old = *store.create(new_key(some()), now);
  const CreatedKey fresh = *store.rotate(old.stored.id, 60, now);
  for (const CreatedKey* const key : {&old, &fresh}) {
    const auto answer = *store.verify(digest_of(*key), now);
    ASSERT_NE(answer.principal.restrictions, nullptr);
    EXPECT_EQ(answer.principal.restrictions->allowed_from, some().allowed_from);
    EXPECT_EQ(answer.principal.restrictions->rate_limit, some().rate_limit);
  }
}

TEST_F(StoreRestrictions, ThatCouldNotBeEnforcedAreRefused) {
  Store store = open();
  policy::Restrictions many = some();
  many.allowed_from.assign(policy::max_blocks + 1, many.allowed_from.front());
  EXPECT_EQ(unfit_field(new_key(many), now), "allowed_cidrs");
  EXPECT_EQ(store.create(new_key(many), now).error(), store_errc::invalid_field);
  policy::Restrictions fast = some();
  fast.rate_limit->limit = 1'000'000;
  fast.rate_limit->window = 1s;
  EXPECT_EQ(unfit_field(new_key(fast), now), "rate_limit");
  EXPECT_EQ(store.create(new_key(fast), now).error(), store_errc::invalid_field);
}

// Or a slip in the file would set a key free.
TEST_F(StoreRestrictions, ThatCannotBeReadAreNoAnswer) {
  const std::pair<const char*, const char*> cases[] = {
      {"allowed_cidrs", "10.0.0.1/8"}, {"allowed_cidrs", "10.0.0.0/8,::1"},
      {"allowed_cidrs", " "},          {"rate_limit", "600"},
      {"rate_limit", "0/1m"},          {"rate_limit", "600/1m "},
      {"rate_limit", "600/2d"},
  };
  for (const auto& [column, value] : cases) {
    Store store = open();
    const CreatedKey key = *store.create(new_key(some()), now);
    run_sql("UPDATE keys SET " + std::string(column) + " = '" + value + "'");
    EXPECT_EQ(store.verify(digest_of(key), now).error(), store_errc::invalid_field) << column << " = " << value;
    EXPECT_EQ(store.show(key.stored.id).error(), store_errc::invalid_field) << column << " = " << value;
    run_sql("DELETE FROM keys");
  }
}

TEST_F(StoreRestrictions, CanBeGivenInAFileOfAnOlderVersion) {
  for (const char* const rest : {rest_of_1, rest_of_2}) {
    make_old_file(rest);
    {
      Store store = open();
      const auto old = *store.verify(Hasher()(SecretView(old_text)), now);
      EXPECT_EQ(old.state, State::valid);
      EXPECT_EQ(old.principal.restrictions, nullptr);
      const CreatedKey key = *store.create(new_key(some()), now);
      EXPECT_NE(open().verify(digest_of(key), now)->principal.restrictions, nullptr) << "and by whoever opens it next";
      EXPECT_TRUE(store.note_uses({{digest_of(key), now, {"projects:read"}}}).has_value());
    }
    run_sql("DROP TABLE keys; DROP TABLE meta; DROP TABLE changes; DROP TABLE required_scopes");
  }
}

TEST_F(StoreRestrictions, OfAFileOfAnOlderVersionAreNoneToWhoeverOnlyReadsIt) {
  make_old_file(rest_of_2);
  Result<Store> store = Store::open_to_read(path);
  ASSERT_TRUE(store.has_value()) << store.error().message();
  EXPECT_EQ(store->verify(Hasher()(SecretView(old_text)), now)->principal.restrictions, nullptr);
}

TEST(RestrictionText, IsReadAsItIsWritten) {
  for (const char* const rate : {"1/1s", "600/1m", "90/90s", "5000/1h", "1000000/1d"}) {
    ASSERT_TRUE(parse_rate(rate)) << rate;
    EXPECT_EQ(rate_text(*parse_rate(rate)), rate);
  }
  for (const char* const none :
       {"", "600", "600/", "/1m", "0/1m", "-1/1m", "600/m", "600 /1m", "600/1m/1m", "600/2d"}) {
    EXPECT_FALSE(parse_rate(none)) << none;
  }
  EXPECT_EQ(blocks_text(*parse_blocks("10.0.0.7 ::1")), "10.0.0.7/32 ::1/128");
  EXPECT_TRUE(parse_blocks("")->empty());
  EXPECT_FALSE(parse_blocks("10.0.0.0/8  ::1"));
}

}  // namespace
}  // namespace keygate::keys
