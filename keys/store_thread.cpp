#include "keys/store_thread.hpp"

#include "keys/store_desk.hpp"
#include "keys/store_upkeep.hpp"
#include "telemetry/log.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace keygate::keys {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t max_waiting = 1024;

std::int64_t unix_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

struct Request {
  KeyDigest digest;
  std::weak_ptr<StoreDesk> desk;
  std::uint64_t ticket;
};

void reply(const Request& request, Result<Found> found) {
  if (const auto desk = request.desk.lock()) desk->answer(request.ticket, std::move(found));
}

// Look-ups on their way to the store's thread. Shared with the sources, which may find that the thread is gone.
class Requests {
 public:
  // errc::overloaded or errc::unavailable where it is not taken.
  error_code add(Request request) {
    const std::lock_guard lock(mutex_);
    if (is_stopped_) return errc::unavailable;
    if (waiting_ >= max_waiting) return errc::overloaded;
    ++waiting_;
    queue_.push_back(std::move(request));
    arrived_.notify_one();
    return {};
  }

  // Waits for requests until `limit`; what there is then, perhaps nothing.
  std::vector<Request> take(Clock::time_point limit) {
    std::unique_lock lock(mutex_);
    arrived_.wait_until(lock, limit, [this] { return is_stopped_ || !queue_.empty(); });
    if (is_stopped_) return {};
    return std::exchange(queue_, {});
  }

  // One of those taken is about to be answered.
  void make_room() {
    const std::lock_guard lock(mutex_);
    --waiting_;
  }

  void stop() {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
    arrived_.notify_one();
  }

  bool is_stopped() {
    const std::lock_guard lock(mutex_);
    return is_stopped_;
  }

  // Once the thread is gone: what it did not come to.
  std::vector<Request> leave() {
    const std::lock_guard lock(mutex_);
    return std::exchange(queue_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Request> queue_;
  std::size_t waiting_ = 0;  // in the queue, and taken but not answered yet
  bool is_stopped_ = false;
};

// Closing the desk needs the io_context: a source goes before it.
class StoreSource final : public Source {
 public:
  StoreSource(net::io_context& io, std::shared_ptr<Requests> requests)
      : desk_(std::make_shared<StoreDesk>(io)), requests_(std::move(requests)) {}
  ~StoreSource() override { desk_->close(); }
  StoreSource(const StoreSource&) = delete;
  StoreSource& operator=(const StoreSource&) = delete;

  std::string_view name() const override { return "store"; }

  void look_up(const KeyDigest& digest, std::shared_ptr<const Secret>, Done done) override {
    const std::uint64_t ticket = desk_->wait_for(std::move(done));
    if (const error_code refused = requests_->add({digest, desk_, ticket})) desk_->answer(ticket, refused);
  }

 private:
  std::shared_ptr<StoreDesk> desk_;
  std::shared_ptr<Requests> requests_;
};

}  // namespace

struct StoreThread::Impl {
  Impl(Store opened, std::int64_t start, OnChange listener)
      : store(std::move(opened)), upkeep(store, start, [listener = std::move(listener)](const auto& changes) {
          std::vector<KeyDigest> digests(changes.size());
          std::ranges::transform(changes, digests.begin(), &Store::Change::digest);
          listener(digests);
        }) {}

  void run();
  void answer(const std::vector<Request>& batch);

  Store store;
  StoreUpkeep upkeep;
  const std::shared_ptr<Requests> requests = std::make_shared<Requests>();
  std::thread thread;
};

void StoreThread::Impl::run() {
  while (!requests->is_stopped()) {
    answer(requests->take(upkeep.due()));
    upkeep.run();
  }
  upkeep.write_uses();
}

void StoreThread::Impl::answer(const std::vector<Request>& batch) {
  for (const Request& request : batch) {
    Result<policy::KeyAnswer> answer = store.verify(request.digest, unix_now());
    requests->make_room();
    if (answer.has_value()) {
      reply(request, Found{std::move(*answer)});
    } else {
      const bool is_row_unfit = answer.error() == store_errc::invalid_field;
      telemetry::log_seldom(telemetry::Level::error, is_row_unfit ? "unfit_row" : "store",
                            "the key store cannot answer, so its keys get 503: " + answer.error().message());
      reply(request, make_error_code(is_row_unfit ? errc::invalid_answer : errc::unavailable));
    }
  }
}

StoreThread::StoreThread(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<StoreThread>> StoreThread::start(const std::string& path, OnChange on_change) {
  Result<Store> store = Store::open(path);
  if (store.has_error()) return store.error();
  const Result<std::int64_t> position = store->last_change();
  if (position.has_error()) return position.error();
  auto impl = std::make_unique<Impl>(std::move(*store), *position, std::move(on_change));
  impl->thread = std::thread([&running = *impl] { running.run(); });
  return std::unique_ptr<StoreThread>(new StoreThread(std::move(impl)));
}

StoreThread::~StoreThread() {
  impl_->requests->stop();
  impl_->thread.join();
  for (const Request& request : impl_->requests->leave()) reply(request, make_error_code(errc::unavailable));
}

std::unique_ptr<Source> StoreThread::source_for(net::io_context& io) {
  return std::make_unique<StoreSource>(io, impl_->requests);
}

void StoreThread::note_use(const KeyDigest& digest, std::int64_t unix_seconds, std::string_view scopes) {
  impl_->upkeep.uses().note(digest, unix_seconds, scopes);
}

}  // namespace keygate::keys
