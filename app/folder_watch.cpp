#include "app/folder_watch.hpp"

#include "config/file_pattern.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <sys/inotify.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace keygate::app {
namespace {

// Not each write: a file is read when whoever writes it has closed it.
constexpr std::uint32_t mask = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB |
                               IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW;

std::string reason(int error) {
  if (error == ENOSPC) {
    return "fs.inotify.max_user_watches is reached";
  }
  if (error == EMFILE) {
    return "fs.inotify.max_user_instances or the limit of open files is reached";
  }
  return std::generic_category().message(error);
}

bool is_one_of(const std::set<std::string>& names, const std::string& name) {
  return names.contains(name) || std::ranges::any_of(names, [&name](const std::string& pattern) {
           return config::is_file_pattern(pattern) && config::fits_pattern(pattern, name);
         });
}

}  // namespace

FolderWatch::FolderWatch(net::io_context& io, std::function<void()> on_event)
    : inotify_(io), on_event_(std::move(on_event)) {}

bool FolderWatch::open() {
  if (inotify_.is_open()) {
    return true;
  }
  const int descriptor = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (descriptor < 0) {
    fault_ = "inotify: " + reason(errno);
    return false;
  }
  inotify_.assign(descriptor);
  wait();
  return true;
}

void FolderWatch::watch(const Places& places) {
  fault_.clear();
  if (!open()) {
    return;
  }
  std::unordered_map<int, std::set<std::string>> wanted;
  for (const auto& [folder, names] : places) {
    const int number = ::inotify_add_watch(inotify_.native_handle(), folder.c_str(), mask);
    if (number >= 0) {
      wanted[number].insert(names.begin(), names.end());
    } else if (errno != ENOENT && errno != ENOTDIR) {
      fault_ = folder + ": " + reason(errno);
    }
  }
  for (const auto& [number, names] : names_) {
    if (!wanted.contains(number)) {
      ::inotify_rm_watch(inotify_.native_handle(), number);  // fails where the folder has gone
    }
  }
  names_ = std::move(wanted);
}

void FolderWatch::wait() {
  inotify_.async_wait(Descriptor::wait_read, [this](error_code error) {
    if (error || !inotify_.is_open()) {
      return;
    }
    read_events();
    if (inotify_.is_open()) {
      wait();
    }
  });
}

void FolderWatch::read_events() {
  alignas(inotify_event) std::array<char, 16 * 1024> bytes;
  const ssize_t size = ::read(inotify_.native_handle(), bytes.data(), bytes.size());
  if (size <= 0) {
    if (size < 0 && errno != EAGAIN && errno != EINTR) {
      fault_ = "inotify: " + reason(errno);
      stop();
      on_event_();
    }
    return;
  }
  bool is_ours = false;
  for (std::size_t at = 0; at + sizeof(inotify_event) <= static_cast<std::size_t>(size);) {
    inotify_event event;
    std::memcpy(&event, bytes.data() + at, sizeof event);
    const char* const name = bytes.data() + at + sizeof event;
    at += sizeof event + event.len;
    const auto folder = names_.find(event.wd);
    const bool is_of_folder = event.len == 0 && (event.mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)) != 0;
    is_ours = is_ours || (event.mask & IN_Q_OVERFLOW) != 0 ||
              (folder != names_.end() && (is_of_folder || (event.len > 0 && is_one_of(folder->second, name))));
    if (folder != names_.end() && (event.mask & IN_IGNORED) != 0) {
      names_.erase(folder);
    }
  }
  if (is_ours) {
    on_event_();
  }
}

void FolderWatch::stop() {
  error_code ignored;
  inotify_.close(ignored);
  names_.clear();
}

}  // namespace keygate::app
