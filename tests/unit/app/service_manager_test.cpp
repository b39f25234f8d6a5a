#include "app/service_manager.hpp"

#include "tests/support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace keygate::app {
namespace {

// A service manager's end of the protocol, at a path or, behind an @, at an abstract name.
class Manager {
 public:
  explicit Manager(std::string name)
      : name_(std::move(name)), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    union {
      sockaddr_un path;
      sockaddr any;
    } address{};
    address.path.sun_family = AF_UNIX;
    std::memcpy(address.path.sun_path, name_.data(), name_.size());
    if (name_[0] == '@') {
      address.path.sun_path[0] = '\0';
    }
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size());
    EXPECT_EQ(::bind(socket_, &address.any, size), 0) << std::strerror(errno);
    ::setenv("NOTIFY_SOCKET", name_.c_str(), 1);
  }
  ~Manager() {
    ::unsetenv("NOTIFY_SOCKET");
    ::close(socket_);
  }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  // What has come already; a datagram to a socket of this machine is there once it is sent. "" where nothing has.
  std::string heard() const {
    std::array<char, 256> room{};
    const ssize_t size = ::recv(socket_, room.data(), room.size(), MSG_DONTWAIT);
    return {room.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
  }

 private:
  std::string name_;
  int socket_;
};

TEST(ServiceManager, HearsAtAPath) {
  const test::TempDir directory;
  const Manager manager(directory / "notify");
  EXPECT_TRUE(tell_service_manager("READY=1"));
  EXPECT_EQ(manager.heard(), "READY=1");
}

TEST(ServiceManager, HearsAtAnAbstractName) {
  const Manager manager("@keygate-test-" + std::to_string(::getpid()));
  EXPECT_TRUE(tell_service_manager("STOPPING=1"));
  EXPECT_EQ(manager.heard(), "STOPPING=1");
}

TEST(ServiceManager, HearsOfAReloadFromItsBeginningToItsEnd) {
  const test::TempDir directory;
  const Manager manager(directory / "notify");
  {
    const ReloadNotice notice;
    const std::string begin = manager.heard();
    EXPECT_EQ(begin.substr(0, begin.find('\n')), "RELOADING=1");
    EXPECT_EQ(begin.find("MONOTONIC_USEC="), begin.find('\n') + 1);
    EXPECT_EQ(manager.heard(), "") << "before its end";
  }
  EXPECT_EQ(manager.heard(), "READY=1");
}

TEST(ServiceManager, IsNotMissedWhereThereIsNone) {
  ::unsetenv("NOTIFY_SOCKET");
  EXPECT_FALSE(tell_service_manager("READY=1"));
}

TEST(ServiceManager, IsNotLookedForAtWhatIsNoAddress) {
  for (const std::string& name :
       {std::string("notify"), std::string(), std::string("@"), "/" + std::string(200, 'x')}) {
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
    EXPECT_FALSE(tell_service_manager("READY=1")) << name;
  }
  ::setenv("NOTIFY_SOCKET", "/nobody/listens/here", 1);
  EXPECT_FALSE(tell_service_manager("READY=1"));
  ::unsetenv("NOTIFY_SOCKET");
}

}  // namespace
}  // namespace keygate::app
