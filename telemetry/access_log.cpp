#include "telemetry/access_log.hpp"

#include "telemetry/log.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <condition_variable>
#include <mutex>
#include <poll.h>
#include <string_view>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace keygate::telemetry {

// Two buffers change places: workers append to `filling` under the lock, the thread writes `draining` without it.
struct AccessLog::Impl {
  explicit Impl(int fd) : descriptor(fd) {
    struct stat facts {};
    is_file = ::fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode);
  }

  int descriptor;
  bool is_file = false;
  std::mutex mutex;
  std::condition_variable wake;
  std::string filling;
  std::string draining;
  bool stopping = false;
  bool stopped = false;
  std::condition_variable ended;
  std::atomic<bool> give_up{false};
  std::atomic<std::uint64_t> dropped{0};
  std::thread thread;

  void run() {
    std::unique_lock lock(mutex);
    while (true) {
      wake.wait(lock, [&] { return stopping || !filling.empty(); });
      if (filling.empty()) {
        stopped = true;
        ended.notify_all();
        return;
      }
      draining.swap(filling);
      lock.unlock();
      write_out(draining);
      draining.clear();
      lock.lock();
    }
  }

  // A full pipe is waited for, in steps, so that a stop is never stuck in write(2): POLLOUT promises room for PIPE_BUF
  // bytes. A closed pipe or a full disk costs these lines.
  void write_out(std::string_view text) {
    while (!text.empty() && !give_up.load(std::memory_order_relaxed)) {
      pollfd waiting{descriptor, POLLOUT, 0};
      if (!is_file && ::poll(&waiting, 1, 100) <= 0) {
        continue;  // full, or a signal came: without a yes from poll, a write could block
      }
      const std::size_t step = is_file ? text.size() : std::min<std::size_t>(text.size(), PIPE_BUF);
      const ssize_t n = ::write(descriptor, text.data(), step);
      if (n > 0) {
        text.remove_prefix(static_cast<std::size_t>(n));
      } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
        break;
      }
    }
    if (!text.empty()) {
      std::uint64_t lines = 0;
      for (const char c : text) {
        lines += c == '\n' ? 1 : 0;
      }
      dropped.fetch_add(lines, std::memory_order_relaxed);
      log_seldom(Level::warn, "access_log", "access log: the sink failed; lines are lost");
    }
  }
};

AccessLog::AccessLog(int descriptor) : impl_(std::make_unique<Impl>(descriptor)) {
  impl_->thread = std::thread([impl = impl_.get()] { impl->run(); });
}

AccessLog::~AccessLog() {
  {
    std::unique_lock lock(impl_->mutex);
    impl_->stopping = true;
    impl_->wake.notify_one();
    if (!impl_->ended.wait_for(lock, std::chrono::seconds(1), [&] { return impl_->stopped; })) {
      impl_->give_up = true;
    }
  }
  impl_->thread.join();
}

void AccessLog::write(std::string& lines, std::uint64_t count) {
  if (lines.empty()) {
    return;
  }
  bool is_dropped = false;
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->filling.size() + lines.size() > max_queued_bytes) {
      is_dropped = true;
    } else {
      impl_->filling.append(lines);
    }
  }
  lines.clear();
  if (is_dropped) {
    impl_->dropped.fetch_add(count, std::memory_order_relaxed);
    log_seldom(Level::warn, "access_log", "access log: the sink is too slow; lines are dropped");
    return;
  }
  impl_->wake.notify_one();
}

std::uint64_t AccessLog::dropped() const { return impl_->dropped.load(std::memory_order_relaxed); }

}  // namespace keygate::telemetry
