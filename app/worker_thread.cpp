#include "app/worker_thread.hpp"

#include "app/bounded_end.hpp"

#include <algorithm>

namespace keygate::app {

WorkerThread::WorkerThread(proxy::Worker::Parts parts) : worker_(std::move(parts)), work_(worker_.io.get_executor()) {}

// Clients that are still here are aborted, and their coroutines run to their ends, before anything they use goes away.
WorkerThread::~WorkerThread() {
  net::post(worker_.io, [this] {
    listeners_.clear();
    worker_.abort_all();
    work_.reset();
    net::post(worker_.io, [this] { worker_.stop(); });
  });
  if (!thread_.joinable()) {
    worker_.io.run();
    return;
  }
  if (ended_.get_future().wait_for(last_wait) == std::future_status::timeout) {
    end_without_names();
  }
  thread_.join();
}

void WorkerThread::start() {
  thread_ = std::thread([this] {
    worker_.io.run();
    ended_.set_value();
  });
}

void WorkerThread::listen(const std::vector<OpenedListener>& opened) {
  for (const OpenedListener& listener : opened) {
    listeners_[name_of(listener.settings)] =
        std::make_unique<proxy::Listener>(worker_, listener.settings, listener.socket);
  }
}

void WorkerThread::renew_listeners() {
  const proxy::Snapshot& snapshot = *worker_.current()->snapshot;
  for (const config::ListenerSettings& settings : snapshot.settings->listeners) {
    if (const auto found = listeners_.find(name_of(settings)); found != listeners_.end()) {
      found->second->meet_by(proxy::door_of(snapshot, settings));
    }
  }
}

void WorkerThread::stop_listening_except(const std::vector<std::string>& names) {
  std::erase_if(listeners_, [&](const auto& entry) {
    const bool is_gone = std::find(names.begin(), names.end(), entry.first) == names.end();
    if (is_gone) {
      entry.second->leave();
    }
    return is_gone;
  });
}

void WorkerThread::stop_listening() { listeners_.clear(); }

}  // namespace keygate::app
