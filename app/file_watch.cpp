#include "app/file_watch.hpp"

#include "config/file_pattern.hpp"
#include "telemetry/log.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace keygate::app {
namespace {

constexpr int most_rounds = 8;  // to catch up with folders that change while they are looked at

std::string seconds_text(std::chrono::milliseconds time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " s";
}

enum class Writers { none, some, unknown };

// A lease for reading is not given while anybody has the file open for writing (fcntl(2)). Of files that are not ours
// it never is, nor on some file systems.
Writers writers_of(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) {
    return Writers::unknown;
  }
  const bool has_lease = ::fcntl(file, F_SETLEASE, F_RDLCK) == 0;
  const bool is_refused = !has_lease && errno == EAGAIN;
  ::close(file);  // and the lease with it
  return has_lease ? Writers::none : is_refused ? Writers::some : Writers::unknown;
}

// Of a pattern: whoever writes any of the files that fit it.
Writers writers_of_all(const std::string& path) {
  if (!config::is_file_pattern(path) || std::filesystem::exists(path)) return writers_of(path);
  std::error_code error;
  Writers all = Writers::none;
  for (const std::string& name : config::names_fitting(path, error)) {
    const Writers of_one = writers_of((std::filesystem::path(path).parent_path() / name).string());
    if (of_one == Writers::some) return of_one;
    if (of_one == Writers::unknown) all = of_one;
  }
  return all;
}

}  // namespace

FileWatch::FileWatch(net::io_context& io, std::function<void(const std::string&)> on_change)
    : FileWatch(io, std::move(on_change), Times()) {}

FileWatch::FileWatch(net::io_context& io, std::function<void(const std::string&)> on_change, Times times)
    : times_(times), on_change_(std::move(on_change)), folders_(io, [this] { note(); }), quiet_(io), look_(io) {}

void FileWatch::watch(const config::FileStates& files) {
  files_.clear();
  watch_as_well(files);
}

void FileWatch::watch_as_well(const config::FileStates& files) {
  for (const config::FileState& file : files) {
    files_[file.path] = file;
  }
  arm();
  look_later();
  if (!is_all_as_it_was()) {  // between being read and being watched
    note();
  }
}

Places FileWatch::places() const {
  Places places;
  for (const auto& [path, state] : files_) {
    add_places(path, places);
  }
  return places;
}

// What is there after everything is watched has to be what was there before.
void FileWatch::arm() {
  if (is_stopped_) {
    return;
  }
  Places now = places();
  for (int round = 0; round < most_rounds; ++round) {
    folders_.watch(now);
    armed_ = std::exchange(now, places());
    if (armed_ == now) {
      break;
    }
  }
  const bool is_told = folders_.fault().empty();
  if (!is_told && was_told_) {
    telemetry::log(telemetry::Level::warn, "not told of every change to a file (" + folders_.fault() +
                                               "): looking for changes every " + seconds_text(times_.look_alone));
  } else if (is_told && !was_told_) {
    telemetry::log(telemetry::Level::info, "told of changes to files again");
  }
  was_told_ = is_told;
}

void FileWatch::note() {
  const auto now = proxy::SteadyClock::now();
  const bool is_first = !first_event_;
  if (is_first) {
    first_event_ = now;
  }
  due_ = std::min(now + times_.quiet, *first_event_ + times_.longest);
  if (is_first) {
    settle();
  }
}

void FileWatch::settle() {
  quiet_.expires_at(due_);
  quiet_.async_wait([this](error_code error) {
    if (error || is_stopped_) {
      return;
    }
    if (proxy::SteadyClock::now() < due_) {
      settle();
      return;
    }
    first_event_.reset();
    arm();
    compare();
  });
}

// Half a policy may let in whom the whole one keeps out: nothing is read while one of the files is being written, or,
// where nobody can tell, unless it is as it was at the last look.
void FileWatch::compare() {
  std::string changed;
  std::map<std::string, config::FileState> now;
  bool is_under_way = false;
  for (const auto& [path, state] : files_) {
    config::FileState& found = now[path] = config::state_of(path);
    if (config::has_same_content(found, state)) {
      continue;
    }
    changed = path;
    const Writers writers = found.is_readable ? writers_of_all(path) : Writers::unknown;
    const auto before = glimpsed_.find(path);
    const bool is_at_rest = before != glimpsed_.end() && config::has_same_content(found, before->second);
    if (writers == Writers::some) {
      telemetry::log_seldom(telemetry::Level::info, "written " + path,
                            "changed, and still being written: " + path + " is read when it is closed");
    }
    is_under_way = is_under_way || writers == Writers::some || (writers == Writers::unknown && !is_at_rest);
  }
  if (is_under_way) {
    glimpsed_ = std::move(now);
    note();
    return;
  }
  glimpsed_.clear();
  files_ = std::move(now);
  if (!changed.empty()) {
    on_change_(changed);
  }
}

void FileWatch::look_later() {
  if (is_stopped_) {
    return;
  }
  look_.expires_after(was_told_ ? times_.look : times_.look_alone);
  look_.async_wait([this](error_code error) {
    if (!error && !is_stopped_) {
      look();
    }
  });
}

void FileWatch::look() {
  if (!was_told_) {
    arm();
  }
  if (!is_all_as_it_was() || places() != armed_) {
    note();
  }
  look_later();
}

bool FileWatch::is_all_as_it_was() const {
  return std::all_of(files_.begin(), files_.end(), [](const auto& file) {
    return config::has_same_content(config::state_of(file.first), file.second);
  });
}

void FileWatch::stop() {
  is_stopped_ = true;
  folders_.stop();
  quiet_.cancel();
  look_.cancel();
}

}  // namespace keygate::app
