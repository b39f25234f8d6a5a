#include "keys/store_thread.hpp"

#include "tests/unit/keys/temp_folder.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace keygate::keys {
namespace {

using namespace std::chrono_literals;
using State = policy::KeyAnswer::State;

constexpr std::int64_t now = 1'750'000'000;
constexpr auto patience = 30s;

NewKey new_key() {
  NewKey key;
  key.organization = "org_1";
  key.scopes = {"projects:read"};
  return key;
}

// Hears of changes on the store's thread, and can hold that thread up there.
class Listener {
 public:
  StoreThread::OnChange callback() {
    return [this](const std::vector<KeyDigest>& digests) {
      std::unique_lock lock(mutex_);
      heard_.insert(heard_.end(), digests.begin(), digests.end());
      changed_.notify_all();
      changed_.wait(lock, [this] { return !is_blocking_; });
    };
  }

  bool hears_of(const KeyDigest& digest) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return std::ranges::count(heard_, digest) > 0; });
  }

  bool has_heard_of(const KeyDigest& digest) {
    const std::lock_guard lock(mutex_);
    return std::ranges::count(heard_, digest) > 0;
  }

  void block(bool is_blocking) {
    const std::lock_guard lock(mutex_);
    is_blocking_ = is_blocking;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<KeyDigest> heard_;
  bool is_blocking_ = false;
};

class ConcurrentStoreThread : public testing::Test {
 protected:
  void SetUp() override {
    Result<std::unique_ptr<StoreThread>> started = StoreThread::start(path, listener.callback());
    ASSERT_TRUE(started.has_value()) << started.error().message();
    thread = std::move(*started);
    source = thread->source_for(io);
  }

  void TearDown() override { listener.block(false); }

  void ask(const KeyDigest& digest) {
    const std::size_t number = results.size();
    results.emplace_back();
    source->look_up(digest, std::make_shared<const Secret>(), [this, number](Result<Found> found) {
      EXPECT_FALSE(results[number].has_value()) << "exactly once";
      results[number] = std::move(found);
    });
  }

  // Runs the worker until look-up `number` has ended.
  const Result<Found>& result(std::size_t number) {
    io.restart();
    auto work = net::make_work_guard(io);
    const auto limit = std::chrono::steady_clock::now() + patience;
    while (!results[number] && std::chrono::steady_clock::now() < limit) io.run_one_for(patience);
    if (!results[number]) throw std::runtime_error("the look-up did not end");
    return *results[number];
  }

  // Of a key that another process has just made and revoked.
  KeyDigest change_one() { return other.revoke(other.create(new_key(), now)->stored.id, now)->digest; }

  // Holds the store's thread inside on_change.
  void hold_the_thread_up() {
    listener.block(true);
    ASSERT_TRUE(listener.hears_of(change_one()));
  }

  TempFolder folder;
  const std::string path = folder.file("keys.db");
  Store other = std::move(*Store::open(path));  // as another process has it
  Listener listener;
  net::io_context io{1};
  std::unique_ptr<StoreThread> thread;
  std::unique_ptr<Source> source;
  std::vector<std::optional<Result<Found>>> results;
};

TEST_F(ConcurrentStoreThread, AnswersLookUps) {
  const CreatedKey key = *other.create(new_key(), now);
  ask(Hasher()(key.key.view()));
  ask(KeyDigest{});
  EXPECT_FALSE(results[0]) << "never before look_up returns";
  ASSERT_TRUE(result(0).has_value());
  EXPECT_EQ(result(0)->answer.state, State::valid);
  EXPECT_EQ(result(0)->answer.principal.key_id, key.stored.id);
  EXPECT_EQ(result(0)->age, 0ms);
  ASSERT_TRUE(result(1).has_value());
  EXPECT_EQ(result(1)->answer.state, State::unknown);
  EXPECT_EQ(source->name(), "store");
}

TEST_F(ConcurrentStoreThread, HearsOfChangesByOtherHandles) {
  const CreatedKey key = *other.create(new_key(), now);
  const CreatedKey fresh = *other.rotate(key.stored.id, 60, now);
  EXPECT_TRUE(listener.hears_of(Hasher()(key.key.view())));
  ASSERT_TRUE(other.revoke(fresh.stored.id, now).has_value());
  EXPECT_TRUE(listener.hears_of(Hasher()(fresh.key.view())));
}

TEST_F(ConcurrentStoreThread, HearsOfMoreChangesThanOneReadTakes) {
  hold_the_thread_up();
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(database,
                         "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)"
                         "INSERT INTO changes (digest) SELECT zeroblob(32) FROM n",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(database);
  const KeyDigest last = change_one();
  listener.block(false);
  EXPECT_TRUE(listener.hears_of(last));
}

TEST_F(ConcurrentStoreThread, DoesNotHearOfWhatWasBeforeTheStart) {
  const KeyDigest before = change_one();
  Listener late;
  auto second = std::move(*StoreThread::start(path, late.callback()));
  ASSERT_TRUE(late.hears_of(change_one()));
  ASSERT_TRUE(listener.hears_of(before));
  EXPECT_FALSE(late.has_heard_of(before));
}

TEST_F(ConcurrentStoreThread, AtMost1024Wait) {
  hold_the_thread_up();
  for (int i = 0; i < 1'025; ++i) ask(KeyDigest{});
  EXPECT_EQ(result(1'024).error(), errc::overloaded);
  listener.block(false);
  EXPECT_TRUE(result(0).has_value());
  EXPECT_TRUE(result(1'023).has_value());
  ask(KeyDigest{});
  EXPECT_TRUE(result(1'025).has_value()) << "and then there is room again";
}

TEST_F(ConcurrentStoreThread, ALookUpThatTakesTooLongEndsAndIsNotAnsweredTwice) {
  hold_the_thread_up();
  ask(KeyDigest{});
  EXPECT_EQ(result(0).error(), errc::timed_out);
  listener.block(false);
  ask(KeyDigest{});
  EXPECT_TRUE(result(1).has_value());
}

TEST_F(ConcurrentStoreThread, LookUpsThatWaitWhenItStopsAreUnavailable) {
  hold_the_thread_up();
  ask(KeyDigest{});
  ask(KeyDigest{});
  std::jthread stopping([this] { thread.reset(); });
  // It has begun to stop once it takes no more.
  std::size_t probe = 0;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  const auto is_refused = [&] { return results[probe] && results[probe]->error() == errc::unavailable; };
  do {
    std::this_thread::yield();
    probe = results.size();
    ask(KeyDigest{});
    io.restart();
    io.poll();
  } while (!is_refused() && std::chrono::steady_clock::now() < deadline);
  listener.block(false);
  stopping.join();
  EXPECT_EQ(result(probe).error(), errc::unavailable);
  EXPECT_EQ(result(0).error(), errc::unavailable);
  EXPECT_EQ(result(1).error(), errc::unavailable);
}

TEST_F(ConcurrentStoreThread, ASourceMayGoWhileLookUpsAreUnderWay) {
  for (int round = 0; round < 50; ++round) {
    net::io_context worker{1};
    const auto asked = thread->source_for(worker);
    for (int i = 0; i < 10; ++i)
      asked->look_up(KeyDigest{}, std::make_shared<const Secret>(), [](const Result<Found>&) {});
    worker.poll();
  }
}

TEST_F(ConcurrentStoreThread, WorkersGetTheirOwnAnswersUnderLoad) {
  std::vector<CreatedKey> keys;
  for (int i = 0; i < 20; ++i) keys.push_back(std::move(*other.create(new_key(), now)));
  std::vector<std::jthread> workers;
  std::atomic<int> mismatches = 0;
  for (int w = 0; w < 4; ++w) {
    workers.emplace_back([&] {
      net::io_context worker{1};
      const auto asked = thread->source_for(worker);
      for (int i = 0; i < 200; ++i) {
        const CreatedKey& key = keys[static_cast<std::size_t>(i) % keys.size()];
        asked->look_up(Hasher()(key.key.view()), std::make_shared<const Secret>(), [&](const Result<Found>& found) {
          mismatches += found.has_error() || found->answer.principal.key_id != key.stored.id;
        });
      }
      worker.run();  // until no look-up waits
    });
  }
  workers.clear();
  EXPECT_EQ(mismatches, 0);
}

TEST_F(ConcurrentStoreThread, UsesAreWrittenAtTheLatestWhenItStops) {
  const CreatedKey key = *other.create(new_key(), now);
  thread->note_use(Hasher()(key.key.view()), now + 7);
  thread->note_use(Hasher()(key.key.view()), now + 3);
  source.reset();
  thread.reset();
  EXPECT_EQ(other.show(key.stored.id)->last_used_at, now + 7);
}

TEST_F(ConcurrentStoreThread, H10ARowThatCannotBeBelievedIsAnInvalidAnswer) {
  const CreatedKey key = *other.create(new_key(), now);
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(database, "UPDATE keys SET organization = 'a b'", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(database);
  ask(Hasher()(key.key.view()));
  EXPECT_EQ(result(0).error(), errc::invalid_answer);
}

TEST(StoreThread, AFileThatCannotBeOpenedIsAnError) {
  const TempFolder folder;
  const auto started = StoreThread::start(folder.file("none/keys.db"), [](const std::vector<KeyDigest>&) {});
  ASSERT_TRUE(started.has_error());
  EXPECT_EQ(started.error(), store_errc::cannot_open);
}

}  // namespace
}  // namespace keygate::keys
