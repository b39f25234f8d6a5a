#include "app/key_store_thread.hpp"

#include "keys/store_upkeep.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace keygate::app {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t max_waiting = 1024;
constexpr std::chrono::minutes idle_interval{10};

std::int64_t unix_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Work on its way to one of the threads.
class WorkQueue {
 public:
  using Work = KeyStoreThread::Work;

  bool add(Work work) {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= max_waiting || is_stopped_) return false;
    queue_.push_back(std::move(work));
    arrived_.notify_one();
    return true;
  }

  // Empty work: none until `limit`. Nothing: stopped, and all done.
  std::optional<Work> take(Clock::time_point limit) {
    std::unique_lock lock(mutex_);
    arrived_.wait_until(lock, limit, [this] { return is_stopped_ || !queue_.empty(); });
    if (queue_.empty()) return is_stopped_ ? std::nullopt : std::optional(Work());
    Work work = std::move(queue_.front());
    queue_.pop_front();
    return work;
  }

  void stop() {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
    arrived_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Work> queue_;
  bool is_stopped_ = false;
};

}  // namespace

struct KeyStoreThread::Impl {
  Impl(keys::Store opened, keys::Store to_read, std::int64_t start, OnChanges listener)
      : store(std::move(opened)), reader(std::move(to_read)), upkeep(store, start, std::move(listener)) {}

  void manage();
  void verify();

  keys::Store store;   // of the managing thread
  keys::Store reader;  // of the verifying one; WAL lets it read while the other writes
  keys::StoreUpkeep upkeep;
  WorkQueue managing, verifying;
  std::thread manager, verifier;
};

void KeyStoreThread::Impl::verify() {
  while (const auto work = verifying.take(Clock::now() + idle_interval)) {
    if (*work) (*work)(reader);
  }
}

void KeyStoreThread::Impl::manage() {
  while (const auto work = managing.take(upkeep.due())) {
    if (*work) (*work)(store);
    upkeep.run();
  }
  upkeep.read_changes();
  upkeep.write_uses();
}

KeyStoreThread::KeyStoreThread(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<KeyStoreThread>> KeyStoreThread::start(const std::string& path, std::chrono::seconds replayed,
                                                              OnChanges on_changes) {
  Result<keys::Store> store = keys::Store::open(path);
  if (store.has_error()) return store.error();
  Result<keys::Store> reader = keys::Store::open_to_read(path);
  if (reader.has_error()) return reader.error();
  const Result<std::int64_t> position = store->last_change_before(unix_now() - replayed.count());
  if (position.has_error()) return position.error();
  auto impl = std::make_unique<Impl>(std::move(*store), std::move(*reader), *position, std::move(on_changes));
  impl->manager = std::thread([&running = *impl] { running.manage(); });
  impl->verifier = std::thread([&running = *impl] { running.verify(); });
  return std::unique_ptr<KeyStoreThread>(new KeyStoreThread(std::move(impl)));
}

KeyStoreThread::~KeyStoreThread() {
  impl_->verifying.stop();
  impl_->managing.stop();
  impl_->verifier.join();
  impl_->manager.join();
}

bool KeyStoreThread::add(StoreLane lane, Work work) {
  switch (lane) {
    case StoreLane::verify:
      return impl_->verifying.add(std::move(work));
    case StoreLane::manage:
      break;
  }
  return impl_->managing.add(std::move(work));
}

keys::NotedUses& KeyStoreThread::uses() { return impl_->upkeep.uses(); }

}  // namespace keygate::app
