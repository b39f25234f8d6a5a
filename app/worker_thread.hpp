// One worker on its thread, with its listeners. Everything asked of it is posted to it.
#pragma once

#include "proxy/listener.hpp"
#include "proxy/worker.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <atomic>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace keygate::app {

// A socket that was opened for one worker, on its way there.
struct OpenedListener {
  config::ListenerSettings settings;
  proxy::ListeningSocket socket;
};

class WorkerThread {
 public:
  explicit WorkerThread(proxy::Worker::Parts parts);
  ~WorkerThread();  // stops and joins
  WorkerThread(const WorkerThread&) = delete;
  WorkerThread& operator=(const WorkerThread&) = delete;

  void start();

  template <class Action>
  void post(Action action) {
    net::post(worker_.io, [this, action = std::move(action)]() mutable { action(*this); });
  }

  // On the worker's thread only.
  proxy::Worker& worker() { return worker_; }
  void listen(const std::vector<OpenedListener>& opened);
  // Certificates and the like of those that stay are those of the snapshot in force.
  void renew_listeners();
  // A reload has taken the others away, and whoever came by one of them leaves.
  void stop_listening_except(const std::vector<std::string>& names);
  // Before the end: those who are here stay as long as they are let.
  void stop_listening();

  void beat() { beats_.fetch_add(1, std::memory_order_relaxed); }

  // Any thread: how often beat() has been reached.
  std::uint64_t beats() const { return beats_.load(std::memory_order_relaxed); }

 private:
  proxy::Worker worker_;
  net::executor_work_guard<Executor> work_;
  std::map<std::string, std::unique_ptr<proxy::Listener>> listeners_;
  std::atomic<std::uint64_t> beats_{0};
  std::promise<void> ended_;
  std::thread thread_;
};

}  // namespace keygate::app
