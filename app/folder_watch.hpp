// Has something happened to one of these names, or to one that fits a name with wildcards, in these folders? By
// inotify, of the folders: a file that is replaced is another one, and who watches the file hears of it once.
#pragma once

#include "app/file_places.hpp"
#include "keys/asio.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <functional>
#include <set>
#include <string>
#include <unordered_map>

namespace keygate::app {

class FolderWatch {
 public:
  // `on_event` is called on the io_context's thread, more than once for most changes.
  FolderWatch(net::io_context& io, std::function<void()> on_event);

  // These from now on, and no others. Folders that have gone meanwhile are left out.
  void watch(const Places& places);

  // Why not everything is watched; empty: it is.
  const std::string& fault() const { return fault_; }

  void stop();

 private:
  bool open();
  void wait();
  void read_events();

  // basic_: not the type-erased executor
  using Descriptor = net::posix::basic_stream_descriptor<Executor>;

  Descriptor inotify_;
  std::function<void()> on_event_;
  std::unordered_map<int, std::set<std::string>> names_;  // by inotify's number of their folder
  std::string fault_;
};

}  // namespace keygate::app
