#include "app/key_store_thread.hpp"

#include "telemetry/log.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace keygate::app {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t max_waiting = 1024;
constexpr std::size_t changes_per_read = 1000;
constexpr std::chrono::milliseconds read_interval{250};
constexpr std::chrono::milliseconds write_interval{1'000};
constexpr std::chrono::minutes prune_interval{10};

std::int64_t unix_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

struct KeyStoreThread::Impl {
  Impl(keys::Store opened, std::int64_t start, OnChanges listener)
      : store(std::move(opened)), position(start), on_changes(std::move(listener)) {}

  void run();
  Work take(Clock::time_point limit);
  void read_changes();
  void write_uses();

  keys::Store store;
  std::int64_t position;  // of the last change that on_changes has heard of
  const OnChanges on_changes;
  keys::NotedUses uses;

  std::mutex mutex;
  std::condition_variable arrived;
  std::deque<Work> queue;
  bool is_stopped = false;

  std::thread thread;
};

// Empty: none until `limit`, or stopped and all done.
KeyStoreThread::Work KeyStoreThread::Impl::take(Clock::time_point limit) {
  std::unique_lock lock(mutex);
  arrived.wait_until(lock, limit, [this] { return is_stopped || !queue.empty(); });
  if (queue.empty()) return {};
  Work work = std::move(queue.front());
  queue.pop_front();
  return work;
}

void KeyStoreThread::Impl::run() {
  auto next_read = Clock::now();
  auto next_write = Clock::now() + write_interval;
  auto next_prune = Clock::now() + prune_interval;
  for (;;) {
    const Work work = take(next_read);
    if (work) {
      work(store);
    } else {
      const std::lock_guard lock(mutex);
      if (is_stopped) break;
    }
    if (Clock::now() >= next_read) {
      read_changes();
      next_read = Clock::now() + read_interval;
    }
    if (Clock::now() >= next_write) {
      write_uses();
      next_write = Clock::now() + write_interval;
    }
    if (Clock::now() >= next_prune) {
      const std::int64_t kept_from = unix_now() - std::chrono::seconds(keys::Store::kept_changes).count();
      static_cast<void>(store.prune_changes(kept_from, keys::Store::pruned_at_once));  // else the next time
      next_prune = Clock::now() + prune_interval;
    }
  }
  read_changes();
  write_uses();
}

void KeyStoreThread::Impl::read_changes() {
  for (bool may_be_more = true; may_be_more;) {
    // Where this fails the position stands, and the next read makes up for it.
    const auto changes = store.changes_after(position, changes_per_read);
    if (changes.has_error()) {
      telemetry::log_seldom(telemetry::Level::warn, "change_log",
                            "the key store's change log cannot be read, so revocations wait for the staleness bound: " +
                                changes.error().message());
      return;
    }
    if (changes->empty()) return;
    on_changes(*changes);
    position = changes->back().position;
    may_be_more = changes->size() == changes_per_read;
  }
}

void KeyStoreThread::Impl::write_uses() {
  std::vector<keys::KeyUse> noted = uses.take();
  if (noted.empty() || store.note_uses(noted).has_value()) return;
  uses.give_back(std::move(noted));  // most likely another process was writing: next time
}

KeyStoreThread::KeyStoreThread(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<KeyStoreThread>> KeyStoreThread::start(const std::string& path, std::chrono::seconds replayed,
                                                              OnChanges on_changes) {
  Result<keys::Store> store = keys::Store::open(path);
  if (store.has_error()) return store.error();
  const Result<std::int64_t> position = store->last_change_before(unix_now() - replayed.count());
  if (position.has_error()) return position.error();
  auto impl = std::make_unique<Impl>(std::move(*store), *position, std::move(on_changes));
  impl->thread = std::thread([&running = *impl] { running.run(); });
  return std::unique_ptr<KeyStoreThread>(new KeyStoreThread(std::move(impl)));
}

KeyStoreThread::~KeyStoreThread() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->is_stopped = true;
    impl_->arrived.notify_one();
  }
  impl_->thread.join();
}

bool KeyStoreThread::add(Work work) {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->queue.size() >= max_waiting || impl_->is_stopped) return false;
  impl_->queue.push_back(std::move(work));
  impl_->arrived.notify_one();
  return true;
}

keys::NotedUses& KeyStoreThread::uses() { return impl_->uses; }

}  // namespace keygate::app
