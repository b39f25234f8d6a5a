// What a store keeps beside keys: what they were used for, what became of them, and files of an older version.
#include "keys/noted_uses.hpp"
#include "keys/store.hpp"
#include "keys/store_upkeep.hpp"
#include "tests/unit/keys/temp_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace keygate::keys {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr std::int64_t now = 1'750'000'000;

NewKey new_key() {
  NewKey key;
  key.organization = "org_1";
  key.scopes = {"projects:*"};
  return key;
}

// The tables as version 1 made them.
constexpr const char* version_1 = R"(
PRAGMA application_id = 1262965588;
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
INSERT INTO meta (name, value) VALUES ('version', 1);
CREATE TABLE keys (id TEXT PRIMARY KEY NOT NULL, digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
  shown_prefix TEXT NOT NULL, prefix TEXT NOT NULL, organization TEXT NOT NULL, user TEXT NOT NULL, name TEXT NOT NULL,
  environment TEXT NOT NULL CHECK (environment IN ('', 'live', 'test')), scopes TEXT NOT NULL,
  created_at INTEGER NOT NULL, expires_at INTEGER, revoked_at INTEGER, last_used_at INTEGER,
  rotated_to TEXT REFERENCES keys (id)) STRICT;
CREATE INDEX keys_by_organization ON keys (organization, created_at);
CREATE TABLE changes (position INTEGER PRIMARY KEY AUTOINCREMENT,
  digest BLOB NOT NULL CHECK (length(digest) = 32)) STRICT;
INSERT INTO keys VALUES ('key_old', zeroblob(32), 'kg_012345678', 'kg_', 'org_1', '', '', '', 'projects:read',
  1700000000, NULL, NULL, NULL, NULL);
INSERT INTO changes (digest) VALUES (zeroblob(32));
)";

class StoreUses : public testing::Test {
 protected:
  static void revoke_one(Store& store, std::int64_t at) {
    ASSERT_TRUE(store.revoke(store.create(new_key(), at)->stored.id, at).has_value());
  }

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

  TempFolder folder;
  const std::string path = folder.file("keys.db");
};

TEST_F(StoreUses, KeepEachScopeThatWasRequiredWithTheLastTime) {
  Store store = open();
  const CreatedKey key = *store.create(new_key(), now);
  const KeyDigest digest = key.stored.digest;
  ASSERT_TRUE(store.note_uses({{digest, now + 5, {"projects:read", "projects:write"}}}).has_value());
  ASSERT_TRUE(store.note_uses({{digest, now + 9, {"projects:read"}}, {digest, now + 2, {"projects:write"}}}));
  const auto used = *store.uses("org_1");
  ASSERT_EQ(used.size(), 1U);
  EXPECT_THAT(used[0].required, ElementsAre(Pair("projects:read", now + 9), Pair("projects:write", now + 5)));
  EXPECT_EQ(used[0].key.last_used_at, now + 9);
  EXPECT_THAT(*store.uses("org_2"), IsEmpty());
}

TEST_F(StoreUses, WhatIsNoScopeOrOfNoKeyIsPassedOver) {
  Store store = open();
  const CreatedKey key = *store.create(new_key(), now);
  ASSERT_TRUE(store.note_uses({{key.stored.digest, now, {"no scope", "*", ""}}, {KeyDigest{}, now, {"a:b"}}}));
  EXPECT_THAT(store.uses(std::nullopt)->at(0).required, IsEmpty());
}

TEST_F(StoreUses, OfOneKeyAreBoundedHoweverManyScopesAReporterNames) {
  Store store = open();
  const CreatedKey key = *store.create(new_key(), now);
  KeyUse use{key.stored.digest, now, {}};
  for (std::size_t i = 0; i < Store::max_required + 10; ++i) use.scopes.push_back("s:" + std::to_string(i));
  ASSERT_TRUE(store.note_uses({use}).has_value());
  EXPECT_EQ(store.uses(std::nullopt)->at(0).required.size(), Store::max_required);
  ASSERT_TRUE(store.note_uses({{key.stored.digest, now + 1, {"s:0"}}}).has_value());
  EXPECT_THAT(store.uses(std::nullopt)->at(0).required, testing::Contains(Pair("s:0", now + 1)))
      << "one that is there already is still brought up to date";
}

TEST_F(StoreUses, ChangesTellRevokedFromChanged) {
  Store store = open();
  const CreatedKey first = *store.create(new_key(), now);
  const CreatedKey second = *store.rotate(first.stored.id, 60, now);
  ASSERT_TRUE(store.revoke(second.stored.id, now).has_value());
  const auto changes = *store.changes_after(0, 10);
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].change, KeyChange::changed);
  EXPECT_EQ(changes[0].digest, first.stored.digest);
  EXPECT_EQ(changes[1].change, KeyChange::revoked);
  EXPECT_EQ(changes[1].digest, second.stored.digest);
}

TEST_F(StoreUses, OldChangesArePrunedALimitedNumberAtATime) {
  Store store = open();
  for (int i = 0; i < 5; ++i) revoke_one(store, now + i);
  EXPECT_EQ(*store.last_change_before(now + 3), 3);
  EXPECT_EQ(*store.prune_changes(now + 3, 2), 2U);
  EXPECT_EQ(*store.prune_changes(now + 3, 2), 1U);
  EXPECT_EQ(*store.prune_changes(now + 3, 2), 0U);
  EXPECT_EQ(store.changes_after(0, 10)->size(), 2U);
  EXPECT_EQ(*store.prune_changes(now + 100, 100), 2U);
  revoke_one(store, now);
  EXPECT_EQ(*store.last_change(), 6) << "positions are never used again";
}

TEST_F(StoreUses, PagesCoverAllKeysOnce) {
  Store store = open();
  std::vector<std::string> made;
  for (int i = 0; i < 5; ++i) made.push_back(store.create(new_key(), now)->stored.id);
  std::vector<std::string> seen;
  for (std::string after;;) {
    const auto page = *store.list_page("org_1", after, 2);
    for (const StoredKey& key : page) seen.push_back(key.id);
    if (page.size() < 2) break;
    after = page.back().id;
  }
  EXPECT_EQ(seen, made);
  EXPECT_EQ(store.list_page(std::nullopt, "", 10)->size(), 5U);
  EXPECT_EQ(store.list_page("org_2", made.back(), 10).error(), store_errc::not_found) << "it is another's";
  EXPECT_EQ(store.list_page(std::nullopt, "key_none", 10).error(), store_errc::not_found);
}

TEST_F(StoreUses, ComeInPagesTooEachKeyOnceWithWhatItRequired) {
  Store store = open();
  std::vector<std::string> made;
  for (int i = 0; i < 5; ++i) {
    const CreatedKey key = *store.create(new_key(), now);
    made.push_back(key.stored.id);
    ASSERT_TRUE(store.note_uses({{key.stored.digest, now, {"s:" + std::to_string(i)}}}).has_value());
  }
  const auto page = *store.uses_page("org_1", made[1], 2);
  ASSERT_EQ(page.size(), 2U);
  EXPECT_EQ(page[0].key.id, made[2]);
  EXPECT_THAT(page[0].required, ElementsAre(Pair("s:2", now)));
  EXPECT_EQ(page[1].key.id, made[3]);
  EXPECT_THAT(page[1].required, ElementsAre(Pair("s:3", now)));
  EXPECT_EQ(store.uses_page("org_2", made[1], 2).error(), store_errc::not_found);
}

// Look-ups and the change log stand behind a write: a crowd of used keys may not hold them up.
TEST_F(StoreUses, OfManyKeysAreWrittenAPieceAtATimeAndEachOnce) {
  Store store = open();
  constexpr std::size_t keys = 2 * StoreUpkeep::at_once + 1;
  run_sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " + std::to_string(keys) +
          ") INSERT INTO keys SELECT 'key_' || i, CAST(printf('%032d', i) AS BLOB), 'kg_012345678', 'kg_', 'org_1', "
          "'', '', '', 'a:b', 1,"
          " NULL, NULL, NULL, NULL, '', '' FROM n");
  StoreUpkeep upkeep(store, *store.last_change(), [](const auto&) {});
  const auto used = [&] {
    return std::ranges::count_if(*store.uses(std::nullopt), [](const UsedKey& key) { return !key.required.empty(); });
  };
  for (const UsedKey& key : *store.uses(std::nullopt)) upkeep.uses().note(key.key.digest, now, "a:b");
  EXPECT_EQ(upkeep.write_some_uses(), StoreUpkeep::Written::piece);
  EXPECT_EQ(used(), StoreUpkeep::at_once);
  // What is noted while others wait for their turn is not forgotten at the end.
  const CreatedKey late = *store.create(new_key(), now);
  upkeep.uses().note(late.stored.digest, now, "a:b");
  upkeep.write_uses();
  EXPECT_EQ(used(), keys + 1);
  EXPECT_TRUE(upkeep.uses().is_empty());
  EXPECT_EQ(upkeep.write_some_uses(), StoreUpkeep::Written::last_piece) << "none is left";
}

TEST_F(StoreUses, WaitWhileAnotherProcessWritesAndAreNotLost) {
  Store store = open();
  const CreatedKey key = *store.create(new_key(), now);
  StoreUpkeep upkeep(store, *store.last_change(), [](const auto&) {});
  upkeep.uses().note(key.stored.digest, now, "projects:read");
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_EQ(upkeep.write_some_uses(), StoreUpkeep::Written::failed);
  EXPECT_THAT(store.uses(std::nullopt)->at(0).required, IsEmpty());
  ASSERT_EQ(sqlite3_exec(other, "ROLLBACK", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  upkeep.write_uses();
  EXPECT_THAT(store.uses(std::nullopt)->at(0).required, ElementsAre(Pair("projects:read", now)));
}

TEST_F(StoreUses, AFileOfVersionOneIsBroughtUpToDateAndKeepsItsKeys) {
  run_sql(version_1);
  Store store = open();
  EXPECT_EQ(store.show("key_old")->scopes, std::vector<std::string>{"projects:read"});
  EXPECT_EQ(*store.last_change(), 1);
  EXPECT_EQ(*store.prune_changes(now, 10), 0U) << "what was there is as old as the upgrade";
  ASSERT_TRUE(store.note_uses({{KeyDigest{}, now, {"projects:read"}}}).has_value());
  EXPECT_THAT(store.uses(std::nullopt)->at(0).required, ElementsAre(Pair("projects:read", now)));
  ASSERT_TRUE(store.revoke("key_old", now).has_value());
  EXPECT_EQ(store.changes_after(1, 10)->at(0).change, KeyChange::revoked);
  Store again = open();
  EXPECT_EQ(again.list(std::nullopt)->size(), 1U);
}

TEST_F(StoreUses, AProcessOfVersionOneMayGoOnWritingChanges) {
  run_sql(version_1);
  Store store = open();
  run_sql("INSERT INTO changes (digest) VALUES (zeroblob(32))");
  EXPECT_EQ(store.changes_after(1, 10)->at(0).change, KeyChange::changed);
}

TEST(NotedUses, AreOneAKeyWithTheLatestTimeAndAllScopes) {
  NotedUses uses;
  const KeyDigest digest{};
  uses.note(digest, now, "a:read b:read");
  uses.note(digest, now - 3, "b:read c:read");
  const auto taken = uses.take();
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(taken[0].at, now);
  EXPECT_THAT(taken[0].scopes, UnorderedElementsAre("a:read", "b:read", "c:read"));
  EXPECT_THAT(uses.take(), IsEmpty());
}

TEST(NotedUses, WhatCouldNotBeWrittenIsMergedWithWhatCameMeanwhile) {
  NotedUses uses;
  const KeyDigest digest{};
  uses.note(digest, now + 7, "a:read");
  auto taken = uses.take();
  uses.note(digest, now + 1, "b:read");
  uses.give_back(std::move(taken));
  const auto all = uses.take();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].at, now + 7);
  EXPECT_THAT(all[0].scopes, UnorderedElementsAre("a:read", "b:read"));
}

}  // namespace
}  // namespace keygate::keys
