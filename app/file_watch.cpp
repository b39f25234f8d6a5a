#include "app/file_watch.hpp"

#include "telemetry/log.hpp"

#include <algorithm>
#include <utility>

namespace keygate::app {
namespace {

constexpr int most_rounds = 8;  // to catch up with folders that change while they are looked at

std::string seconds_text(std::chrono::milliseconds time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " s";
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

void FileWatch::compare() {
  std::string changed;
  for (auto& [path, state] : files_) {
    config::FileState now = config::state_of(path);
    if (!config::has_same_content(now, state)) {
      changed = path;
    }
    state = std::move(now);
  }
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
