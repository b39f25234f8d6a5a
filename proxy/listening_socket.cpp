#include "proxy/listening_socket.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <cerrno>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace keygate::proxy {
namespace {

constexpr int backlog = 4096;  // the kernel caps it at net.core.somaxconn

error_code last_error() { return {errno, boost::system::system_category()}; }

error_code fail_and_close(int descriptor) {
  const error_code error = last_error();
  ::close(descriptor);
  return error;
}

template <class Endpoint>
bool listen_at(int descriptor, const Endpoint& endpoint) {
  return ::bind(descriptor, endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0 &&
         ::listen(descriptor, backlog) == 0;
}

int new_socket(int family) { return ::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }

Result<int> open_tcp(const config::ListenerSettings& settings, int sharing_option) {
  error_code error;
  const auto address = net::ip::make_address(settings.host, error);
  if (error) {
    return error;
  }
  const Tcp::endpoint endpoint(address, settings.port);
  const int descriptor = new_socket(endpoint.protocol().family());
  if (descriptor < 0) {
    return last_error();
  }
  const int on = 1;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (sharing_option != 0) {
    ::setsockopt(descriptor, SOL_SOCKET, sharing_option, &on, sizeof on);
  }
  if (!listen_at(descriptor, endpoint)) {
    return fail_and_close(descriptor);
  }
  return descriptor;
}

// A process that ended by force has left its file behind: nobody answers there, and it is removed. Anything that is no
// socket stays.
error_code clear_path(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) {
    return errno == ENOENT ? error_code() : last_error();
  }
  if (!S_ISSOCK(found.st_mode)) {
    return net::error::make_error_code(net::error::basic_errors::not_socket);
  }
  const net::local::stream_protocol::endpoint endpoint(path);
  const int descriptor = new_socket(AF_UNIX);
  if (descriptor < 0) {
    return last_error();
  }
  const bool is_refused =
      ::connect(descriptor, endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0 && errno == ECONNREFUSED;
  ::close(descriptor);
  if (!is_refused) {
    return net::error::address_in_use;
  }
  return ::unlink(path.c_str()) == 0 ? error_code() : last_error();
}

Result<ListeningSocket> open_local(const std::string& path, mode_t socket_mode) {
  if (const error_code error = clear_path(path)) {
    return error;
  }
  const int descriptor = new_socket(AF_UNIX);
  if (descriptor < 0) {
    return last_error();
  }
  // The mode before the file is there, so that nobody else gets in meanwhile; and after, as the umask has its say.
  ::fchmod(descriptor, socket_mode);
  const net::local::stream_protocol::endpoint endpoint(path);
  if (!listen_at(descriptor, endpoint)) {
    return fail_and_close(descriptor);
  }
  if (::chmod(path.c_str(), socket_mode) != 0) {
    return fail_and_close(descriptor);
  }
  ListeningSocket opened;
  opened.descriptor = descriptor;
  opened.file = std::make_shared<SocketFile>(path);
  return opened;
}

}  // namespace

SocketFile::SocketFile(std::string path) : path_(std::move(path)) {
  struct stat found {};
  if (::lstat(path_.c_str(), &found) == 0) {
    device_ = found.st_dev;
    inode_ = found.st_ino;
  }
}

SocketFile::~SocketFile() {
  struct stat found {};
  if (::lstat(path_.c_str(), &found) == 0 && found.st_dev == device_ && found.st_ino == inode_) {
    ::unlink(path_.c_str());
  }
}

error_code probe_address(const config::ListenerSettings& settings) {
  if (!settings.socket.empty()) {
    return clear_path(settings.socket);
  }
  const Result<int> probe = open_tcp(settings, 0);
  if (!probe) {
    return probe.error();
  }
  ::close(*probe);
  return {};
}

Result<ListeningSocket> open_listener(const config::ListenerSettings& settings, mode_t socket_mode) {
  if (!settings.socket.empty()) {
    return open_local(settings.socket, socket_mode);
  }
  const Result<int> descriptor = open_tcp(settings, SO_REUSEPORT);
  if (!descriptor) {
    return descriptor.error();
  }
  ListeningSocket opened;
  opened.descriptor = *descriptor;
  return opened;
}

Result<ListeningSocket> share(const ListeningSocket& opened) {
  ListeningSocket shared = opened;
  shared.descriptor = ::fcntl(opened.descriptor, F_DUPFD_CLOEXEC, 0);
  if (shared.descriptor < 0) {
    return last_error();
  }
  return shared;
}

}  // namespace keygate::proxy
