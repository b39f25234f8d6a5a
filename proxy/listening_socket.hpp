// Sockets that listen: opened on the control thread, handed to the workers. A TCP address gives each its own
// (SO_REUSEPORT; the kernel spreads connections); a unix socket is one, shared by duplicates of its descriptor.
#pragma once

#include "config/settings.hpp"
#include "proxy/sockets.hpp"

#include <memory>
#include <string>
#include <sys/types.h>

namespace keygate::proxy {

// The file of a unix socket that is listened on; removed with the last of those who listen, unless another has taken
// its place meanwhile.
class SocketFile {
 public:
  explicit SocketFile(std::string path);
  ~SocketFile();
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;

 private:
  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

// A socket bound and listening. The descriptor is the holder's to close.
struct ListeningSocket {
  int descriptor = -1;
  std::shared_ptr<SocketFile> file;  // null for TCP
};

// Whether the address is free: bound once without SO_REUSEPORT, then let go, so that a second process is told
// (docs/configuration.md). A unix socket that nobody listens on is free, and removed.
error_code probe_address(const config::ListenerSettings& settings);

// Any thread. A unix socket can be connected to by its owner and group alone, or by whom `socket_mode` says.
Result<ListeningSocket> open_listener(const config::ListenerSettings& settings, mode_t socket_mode = 0660);

// Of a unix socket, for one more worker.
Result<ListeningSocket> share(const ListeningSocket& opened);

}  // namespace keygate::proxy
