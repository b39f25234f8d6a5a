// Tells when one of a set of files has other contents than when it was read. By inotify where that can be had, and by
// looking now and then: some file systems tell nobody. Used by server and key_server, on their control thread.
#pragma once

#include "app/folder_watch.hpp"
#include "config/file_state.hpp"
#include "proxy/sockets.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace keygate::app {

class FileWatch {
 public:
  struct Times {
    std::chrono::milliseconds quiet{200};      // whoever writes has to be done: so long nothing happens…
    std::chrono::milliseconds longest{2'000};  // …or this has passed since the first change
    std::chrono::milliseconds look{10'000};
    std::chrono::milliseconds look_alone{2'000};  // where inotify cannot tell of everything
  };

  // `on_change` hears the path of one that has changed. It reads the files again, and says what it has read by one of
  // the two below. While nothing changes after that, it is not called again.
  FileWatch(net::io_context& io, std::function<void(const std::string& changed)> on_change);
  FileWatch(net::io_context& io, std::function<void(const std::string& changed)> on_change, Times times);

  // These files from now on, and no others.
  void watch(const config::FileStates& files);
  // These too: what was read could not be used, and what is in force was read from the others.
  void watch_as_well(const config::FileStates& files);

  void stop();

 private:
  void arm();
  Places places() const;
  void note();
  void settle();
  void compare();
  void look_later();
  void look();
  bool is_all_as_it_was() const;

  const Times times_;
  std::function<void(const std::string&)> on_change_;
  FolderWatch folders_;
  proxy::SteadyTimer quiet_, look_;
  std::map<std::string, config::FileState> files_;
  std::map<std::string, config::FileState> glimpsed_;  // while they are still changing
  Places armed_;
  bool was_told_ = true;  // of all changes, by inotify
  bool is_stopped_ = false;
  std::optional<proxy::SteadyClock::time_point> first_event_;
  proxy::SteadyClock::time_point due_;
};

}  // namespace keygate::app
