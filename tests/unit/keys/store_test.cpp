#include "keys/store.hpp"

#include "tests/unit/keys/temp_folder.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <atomic>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <utility>
#include <vector>

namespace keygate::keys {
namespace {

using State = policy::KeyAnswer::State;

constexpr std::int64_t now = 1'750'000'000;

NewKey new_key() {
  NewKey key;
  key.organization = "org_1";
  key.user = "user_1";
  key.name = "CI pipeline \xC3\xA9";
  key.environment = policy::Environment::test;
  key.scopes = {"projects:read", "memories:*"};
  key.prefix = "rk_test_";
  return key;
}

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class StoreTest : public testing::Test {
 protected:
  Store open() const {
    Result<Store> store = Store::open(path);
    EXPECT_TRUE(store.has_value()) << store.error().message();
    return std::move(*store);
  }

  // As another program would change the file.
  void run_sql(const std::string& sql) const {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(database);
    sqlite3_close(database);
  }

  static KeyDigest digest_of(const CreatedKey& key) { return Hasher()(key.key.view()); }

  TempFolder folder;
  const std::string path = folder.file("keys.db");
};

TEST_F(StoreTest, AKeyIsFoundByItsDigest) {
  Store store = open();
  const CreatedKey key = *store.create(new_key(), now);
  EXPECT_EQ(key.key.view().size(), key_size);
  EXPECT_TRUE(key.key.view().reveal().starts_with("rk_test_"));
  EXPECT_EQ(key.stored.shown_prefix, key.key.view().reveal().substr(0, 12));
  EXPECT_TRUE(key.stored.id.starts_with("key_"));
  EXPECT_EQ(key.stored.id.size(), 24U);

  const policy::KeyAnswer answer = *store.verify(digest_of(key), now);
  EXPECT_EQ(answer.state, State::valid);
  EXPECT_EQ(answer.principal.key_id, key.stored.id);
  EXPECT_EQ(answer.principal.organization, "org_1");
  EXPECT_EQ(answer.principal.user, "user_1");
  EXPECT_EQ(answer.principal.environment, policy::Environment::test);
  EXPECT_EQ(answer.principal.granted, (std::vector<std::string>{"projects:read", "memories:*"}));
  EXPECT_EQ(answer.principal.expires_at, std::nullopt);
}

TEST_F(StoreTest, WhatIsOpenedToReadIsNotWritten) {
  Result<Store> none = Store::open_to_read(path);
  EXPECT_EQ(none.error(), store_errc::cannot_open);
  EXPECT_EQ(contents(path), "") << "it has made a file";
  Store store = open();
  const Result<CreatedKey> key = store.create(new_key(), now);
  ASSERT_TRUE(key.has_value());
  Result<Store> reader = Store::open_to_read(path);
  ASSERT_TRUE(reader.has_value()) << reader.error().message();
  EXPECT_EQ(reader->verify(digest_of(*key), now)->state, State::valid);
  EXPECT_TRUE(reader->revoke(key->stored.id, now).has_error());
  ASSERT_TRUE(store.revoke(key->stored.id, now).has_value());
  EXPECT_EQ(reader->verify(digest_of(*key), now)->state, State::revoked);
}

TEST_F(StoreTest, AnotherKeyIsUnknown) {
  Store store = open();
  EXPECT_EQ(store.verify(KeyDigest{}, now)->state, State::unknown);
}

TEST_F(StoreTest, ShowsAndListsEverythingButTheText) {
  Store store = open();
  NewKey second = new_key();
  second.organization = "org_2";
  second.expires_at = now + 10;
  const CreatedKey a = *store.create(new_key(), now), b = *store.create(second, now + 1);

  const StoredKey shown = *store.show(b.stored.id);
  EXPECT_EQ(shown.id, b.stored.id);
  EXPECT_EQ(shown.organization, "org_2");
  EXPECT_EQ(shown.name, second.name);
  EXPECT_EQ(shown.scopes, second.scopes);
  EXPECT_EQ(shown.created_at, now + 1);
  EXPECT_EQ(shown.expires_at, now + 10);
  EXPECT_EQ(shown.revoked_at, std::nullopt);
  EXPECT_EQ(shown.last_used_at, std::nullopt);

  const auto all = *store.list(std::nullopt);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].id, a.stored.id) << "oldest first";
  const auto of_one = *store.list("org_2");
  ASSERT_EQ(of_one.size(), 1U);
  EXPECT_EQ(of_one[0].id, b.stored.id);
  EXPECT_TRUE(store.list("org_3")->empty());
  EXPECT_EQ(store.show("key_none").error(), store_errc::not_found);
}

TEST_F(StoreTest, WhatIsWrittenIsStillThereAfterwards) {
  const std::string id = open().create(new_key(), now)->stored.id;
  EXPECT_EQ(open().show(id)->organization, "org_1");
}

TEST_F(StoreTest, TheFilesNeverContainTheKey) {
  Store store = open();
  const CreatedKey made = *store.create(new_key(), now);
  const CreatedKey rotated = *store.rotate(made.stored.id, 60, now);
  const std::string files = contents(path) + contents(path + "-wal");
  ASSERT_NE(files.find(made.stored.id), std::string::npos) << "the search sees what is written";
  for (const CreatedKey* key : {&made, &rotated}) {
    const std::string_view text = key->key.view().reveal();
    EXPECT_EQ(files.find(text), std::string::npos);
    EXPECT_EQ(files.find(text.substr(shown_prefix_size)), std::string::npos);
    // Behind the shown characters stands the prefix, "rk_…", which may go on as the key does: but for the '_'.
    EXPECT_EQ(files.find(text.substr(0, shown_prefix_size + 3)), std::string::npos) << "12 characters and no more";
  }
}

TEST_F(StoreTest, OnlyTheOwnerMayReadTheFiles) {
  Store store = open();
  ASSERT_TRUE(store.create(new_key(), now).has_value());
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat status {};
    ASSERT_EQ(::stat((path + suffix).c_str(), &status), 0) << suffix;
    EXPECT_EQ(status.st_mode & 0777U, 0600U) << suffix;
  }
}

TEST_F(StoreTest, FieldsThatCouldNotStandInAHeaderAreRefused) {
  Store store = open();
  const std::pair<const char*, void (*)(NewKey&)> cases[] = {
      {"organization", [](NewKey& key) { key.organization = ""; }},
      {"organization", [](NewKey& key) { key.organization = "o\r\nX-Admin: 1"; }},
      {"organization", [](NewKey& key) { key.organization = std::string(129, 'o'); }},
      {"user", [](NewKey& key) { key.user = "\xC3\xA9"; }},
      {"name", [](NewKey& key) { key.name = std::string(101, 'n'); }},
      {"name", [](NewKey& key) { key.name = "bell\a"; }},
      {"name",
       [](NewKey& key) {
         key.name =
             "\xC2\x9B"
             "31m";
       }},                                                           // a terminal's CSI in one character
      {"name", [](NewKey& key) { key.name = "\xC0\xAF"; }},          // overlong
      {"name", [](NewKey& key) { key.name = "\xED\xA0\x80"; }},      // a surrogate
      {"name", [](NewKey& key) { key.name = "\xF4\x90\x80\x80"; }},  // beyond U+10FFFF
      {"name", [](NewKey& key) { key.name = "cut \xE2\x82"; }},
      {"scopes", [](NewKey& key) { key.scopes = {}; }},
      {"scopes", [](NewKey& key) { key.scopes = {"a b"}; }},
      {"scopes", [](NewKey& key) { key.scopes = std::vector<std::string>(257, "a:b"); }},
      {"prefix", [](NewKey& key) { key.prefix = ""; }},
      {"prefix", [](NewKey& key) { key.prefix = "k-"; }},
      {"prefix", [](NewKey& key) { key.prefix = "k1234567890"; }},
      {"expires_at", [](NewKey& key) { key.expires_at = now; }},
  };
  for (const auto& [field, spoil] : cases) {
    NewKey key = new_key();
    spoil(key);
    EXPECT_EQ(unfit_field(key, now), field);
    EXPECT_EQ(store.create(key, now).error(), store_errc::invalid_field) << field;
  }
  EXPECT_TRUE(store.list(std::nullopt)->empty());
}

TEST_F(StoreTest, H10ARowThatCouldNotStandInAHeaderIsNoAnswer) {
  const std::pair<const char*, std::string> cases[] = {
      {"organization", "'o' || char(13) || char(10) || 'X-Admin: 1'"},
      {"organization", "''"},
      {"organization", "'\xC3\xA9'"},
      {"organization", "'" + std::string(70'000, 'o') + "'"},
      {"user", "'a b'"},
      {"id", "''"},
      {"scopes", "''"},
      {"scopes", "'projects:read Bad'"},
      {"scopes", "'a:b  c:d'"},
      {"scopes", "rtrim(replace(hex(zeroblob(257)), '00', 'a:b '))"},
  };
  for (const auto& [column, value] : cases) {
    Store store = open();
    const CreatedKey key = *store.create(new_key(), now);
    ASSERT_EQ(store.verify(digest_of(key), now)->state, State::valid);
    run_sql("UPDATE keys SET " + std::string(column) + " = " + value + " WHERE id = '" + key.stored.id + "'");
    EXPECT_EQ(store.verify(digest_of(key), now).error(), store_errc::invalid_field)
        << column << " = " << value.substr(0, 60);
    run_sql("DELETE FROM keys");
  }
}

TEST_F(StoreTest, F50AKeyExpiresToTheSecond) {
  Store store = open();
  NewKey key = new_key();
  key.expires_at = now + 10;
  const CreatedKey made = *store.create(key, now);
  EXPECT_EQ(store.verify(digest_of(made), now + 9)->state, State::valid);
  EXPECT_EQ(store.verify(digest_of(made), now + 9)->principal.expires_at, now + 10);
  const policy::KeyAnswer expired = *store.verify(digest_of(made), now + 10);
  EXPECT_EQ(expired.state, State::expired);
  EXPECT_EQ(expired.principal.key_id, made.stored.id);
  EXPECT_TRUE(expired.principal.organization.empty());
}

TEST_F(StoreTest, RevocationIsForGood) {
  Store store = open();
  const CreatedKey key = *store.create(new_key(), now);
  EXPECT_EQ(store.revoke(key.stored.id, now + 1)->revoked_at, now + 1);
  EXPECT_EQ(store.revoke(key.stored.id, now + 2)->revoked_at, now + 1) << "the first time stands";
  EXPECT_EQ(store.verify(digest_of(key), now)->state, State::revoked);
  EXPECT_EQ(store.verify(digest_of(key), now)->principal.key_id, key.stored.id);
  EXPECT_EQ(store.rotate(key.stored.id, 60, now + 3).error(), store_errc::already_revoked);
  EXPECT_EQ(store.import(new_key(), key.key.view(), now)->revoked_at, now + 1) << "importing it again revives nothing";
  EXPECT_EQ(open().verify(digest_of(key), now)->state, State::revoked);
  EXPECT_EQ(store.revoke("key_none", now).error(), store_errc::not_found);
}

TEST_F(StoreTest, RotationLeavesTheOldKeyItsGrace) {
  Store store = open();
  const CreatedKey old = *store.create(new_key(), now);
  const CreatedKey fresh = *store.rotate(old.stored.id, 3'600, now + 5);
  EXPECT_EQ(fresh.stored.organization, "org_1");
  EXPECT_EQ(fresh.stored.user, "user_1");
  EXPECT_EQ(fresh.stored.name, new_key().name);
  EXPECT_EQ(fresh.stored.scopes, new_key().scopes);
  EXPECT_EQ(fresh.stored.environment, policy::Environment::test);
  EXPECT_EQ(fresh.stored.expires_at, std::nullopt);
  EXPECT_TRUE(fresh.key.view().reveal().starts_with("rk_test_"));
  EXPECT_NE(fresh.stored.id, old.stored.id);

  EXPECT_EQ(store.show(old.stored.id)->rotated_to, fresh.stored.id);
  EXPECT_EQ(store.verify(digest_of(old), now + 3'604)->state, State::valid);
  EXPECT_EQ(store.verify(digest_of(old), now + 3'605)->state, State::expired);
  EXPECT_EQ(store.verify(digest_of(fresh), now + 3'605)->state, State::valid);
}

TEST_F(StoreTest, RotationNeverProlongsTheOldKey) {
  Store store = open();
  NewKey key = new_key();
  key.expires_at = now + 10;
  const CreatedKey old = *store.create(key, now);
  const CreatedKey fresh = *store.rotate(old.stored.id, 3'600, now);
  EXPECT_EQ(store.show(old.stored.id)->expires_at, now + 10);
  EXPECT_EQ(fresh.stored.expires_at, now + 10) << "nor does the new one outlive it";
  EXPECT_EQ(store.rotate(old.stored.id, 0, now + 10).error(), store_errc::already_expired);
}

TEST_F(StoreTest, RotationWithoutGraceEndsTheOldKeyAtOnce) {
  Store store = open();
  const CreatedKey old = *store.create(new_key(), now);
  ASSERT_TRUE(store.rotate(old.stored.id, 0, now).has_value());
  EXPECT_EQ(store.verify(digest_of(old), now)->state, State::expired);
  EXPECT_EQ(store.rotate("key_none", 0, now).error(), store_errc::not_found);
  const CreatedKey other = *store.create(new_key(), now);
  EXPECT_EQ(store.rotate(other.stored.id, -1, now).error(), store_errc::invalid_field);
  EXPECT_EQ(store.rotate(other.stored.id, INT64_MAX, now).error(), store_errc::invalid_field);
}

TEST_F(StoreTest, ImportTakesATextOfTheCallersChoiceOnce) {
  Store store = open();
  const std::string text = "kg_development_key_of_this_machine";
  const StoredKey first = *store.import(new_key(), SecretView(text), now);
  EXPECT_EQ(first.shown_prefix, text.substr(0, 12));
  EXPECT_EQ(store.verify(Hasher()(SecretView(text)), now)->state, State::valid);
  EXPECT_EQ(store.import(new_key(), SecretView(text), now + 1)->id, first.id);
  EXPECT_EQ(store.list(std::nullopt)->size(), 1U);
  EXPECT_EQ(store.import(new_key(), SecretView("too_short"), now).error(), store_errc::invalid_field);
}

TEST_F(StoreTest, WhatSomebodyMayRememberOtherwiseIsAChange) {
  Store store = open();
  EXPECT_EQ(*store.last_change(), 0);
  const std::string text = "kg_development_key_of_this_machine";
  const KeyDigest imported = store.import(new_key(), SecretView(text), now)->digest;
  ASSERT_TRUE(store.import(new_key(), SecretView(text), now).has_value());  // changes nothing
  const CreatedKey a = *store.create(new_key(), now);
  ASSERT_TRUE(store.rotate(a.stored.id, 60, now).has_value());
  ASSERT_TRUE(store.revoke(a.stored.id, now).has_value());
  ASSERT_TRUE(store.revoke(a.stored.id, now).has_value());  // changes nothing

  const auto changes = *store.changes_after(0, 100);
  ASSERT_EQ(changes.size(), 3U);
  EXPECT_EQ(changes[0].digest, imported);
  EXPECT_EQ(changes[1].digest, digest_of(a));
  EXPECT_EQ(changes[2].digest, digest_of(a));
  EXPECT_EQ(*store.last_change(), changes[2].position);
  EXPECT_EQ(store.changes_after(changes[0].position, 1)->front().position, changes[1].position);
  EXPECT_EQ(store.changes_after(changes[0].position, 1)->size(), 1U);
  EXPECT_TRUE(store.changes_after(changes[2].position, 100)->empty());
}

// Redis would hold no record of it in its first minute: a tombstone would stand there.
TEST_F(StoreTest, AKeyThatHasJustBeenMadeUpIsNoChangeToAnybody) {
  Store store = open();
  const CreatedKey old = *store.create(new_key(), now);
  EXPECT_EQ(*store.last_change(), 0);
  const CreatedKey fresh = *store.rotate(old.stored.id, 60, now);
  const auto changes = *store.changes_after(0, 100);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].digest, digest_of(old));
  EXPECT_NE(changes[0].digest, digest_of(fresh));
}

TEST_F(StoreTest, ARefusedMutationChangesNothing) {
  Store store = open();
  const CreatedKey key = *store.create(new_key(), now);
  ASSERT_TRUE(store.revoke(key.stored.id, now).has_value());
  const std::int64_t before = *store.last_change();
  EXPECT_TRUE(store.rotate(key.stored.id, 60, now).has_error());
  EXPECT_EQ(*store.last_change(), before);
  EXPECT_EQ(store.list(std::nullopt)->size(), 1U);
}

TEST_F(StoreTest, TwoHandlesSeeEachOther) {
  Store one = open(), other = open();
  const CreatedKey key = *one.create(new_key(), now);
  EXPECT_EQ(other.verify(digest_of(key), now)->state, State::valid);
  ASSERT_TRUE(other.revoke(key.stored.id, now).has_value());
  EXPECT_EQ(one.verify(digest_of(key), now)->state, State::revoked);
  EXPECT_EQ(one.changes_after(0, 10)->size(), 1U);
}

TEST_F(StoreTest, AHandleThatClosesLeavesTheOthersWorking) {
  Store stays = open();
  const std::string id = open().create(new_key(), now)->stored.id;
  EXPECT_TRUE(stays.revoke(id, now).has_value());
  EXPECT_TRUE(open().show(id)->revoked_at.has_value());
}

TEST_F(StoreTest, ConcurrentWritersLoseNothing) {
  constexpr int writers = 4, keys_each = 10;
  std::atomic<int> failures = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < writers; ++i) {
      threads.emplace_back([this, &failures] {
        Result<Store> store = Store::open(path);  // the file is new: they race for its tables too
        if (store.has_error()) {
          ADD_FAILURE() << store.error().message();
          ++failures;
          return;
        }
        for (int n = 0; n < keys_each; ++n) {
          const Result<CreatedKey> key = store->create(new_key(), now);
          failures += key.has_error() || store->revoke(key->stored.id, now).has_error();
        }
      });
    }
  }
  EXPECT_EQ(failures, 0);
  Store store = open();
  EXPECT_EQ(store.list(std::nullopt)->size(), std::size_t{writers * keys_each});
  EXPECT_EQ(*store.last_change(), writers * keys_each);
}

TEST_F(StoreTest, UsesLeaveTheLatest) {
  Store store = open();
  const CreatedKey key = *store.create(new_key(), now);
  const std::int64_t changes = *store.last_change();
  ASSERT_TRUE(store.note_uses({{digest_of(key), now + 5, {}}, {KeyDigest{}, now, {"a"}}}).has_value());
  EXPECT_EQ(store.show(key.stored.id)->last_used_at, now + 5);
  ASSERT_TRUE(store.note_uses({{digest_of(key), now + 3, {}}}).has_value());
  EXPECT_EQ(store.show(key.stored.id)->last_used_at, now + 5);
  EXPECT_EQ(*store.last_change(), changes) << "a use is no change";
}

TEST_F(StoreTest, NotingUsesDoesNotWaitForAnotherWriter) {
  Store store = open();
  const CreatedKey key = *store.create(new_key(), now);
  sqlite3* writer = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &writer), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(writer, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_EQ(store.note_uses({{digest_of(key), now, {}}}).error(), store_errc::busy);
  EXPECT_EQ(store.verify(digest_of(key), now)->state, State::valid) << "and reading goes on";
  sqlite3_close(writer);
  EXPECT_TRUE(store.note_uses({{digest_of(key), now, {}}}).has_value());
}

TEST_F(StoreTest, AFileOfANewerVersionIsRefusedAndLeftAlone) {
  ASSERT_TRUE(open().create(new_key(), now).has_value());
  run_sql("UPDATE meta SET value = 4 WHERE name = 'version'");
  const std::string before = contents(path);
  EXPECT_EQ(Store::open(path).error(), store_errc::corrupt);
  EXPECT_EQ(contents(path), before);
}

TEST_F(StoreTest, AnotherProgramsDatabaseIsRefusedAndLeftAlone) {
  run_sql("CREATE TABLE notes (text)");
  const std::string before = contents(path);
  EXPECT_EQ(Store::open(path).error(), store_errc::corrupt);
  EXPECT_EQ(contents(path), before);
}

TEST_F(StoreTest, AFileThatIsNoDatabaseIsRefusedAndLeftAlone) {
  const std::string text(5'000, 'x');
  std::ofstream(path) << text;
  EXPECT_EQ(Store::open(path).error(), store_errc::corrupt);
  EXPECT_EQ(contents(path), text);
}

TEST_F(StoreTest, ADamagedFileIsRefused) {
  ASSERT_TRUE(open().create(new_key(), now).has_value());
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(100);
  file << std::string(3'000, '\xFF');
  file.close();
  EXPECT_EQ(Store::open(path).error(), store_errc::corrupt);
}

TEST_F(StoreTest, AFileThatCannotBeIsAnError) {
  EXPECT_EQ(Store::open(folder.file("none/keys.db")).error(), store_errc::cannot_open);
  EXPECT_EQ(Store::open(folder.file("")).error(), store_errc::cannot_open) << "a folder";
  EXPECT_EQ(Store::open("").error(), store_errc::cannot_open);
  EXPECT_EQ(Store::open(":memory:").error(), store_errc::cannot_open);
}

TEST(StoreErrors, SayWhatTheyMean) {
  for (const store_errc error :
       {store_errc::not_found, store_errc::already_revoked, store_errc::already_expired, store_errc::invalid_field,
        store_errc::busy, store_errc::corrupt, store_errc::cannot_open}) {
    EXPECT_STREQ(make_error_code(error).category().name(), "keygate.store");
    EXPECT_NE(make_error_code(error).message(), "unknown error");
  }
}

}  // namespace
}  // namespace keygate::keys
