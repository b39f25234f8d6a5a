#include "tests/support/redis.hpp"

#include "tests/support/socket.hpp"

#include <cstring>
#include <signal.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>

namespace keygate::test {
namespace {

constexpr const char* administrator_password = "the tests' own user";

std::string encoded(const std::vector<std::string>& argv) {
  std::string bytes = "*" + std::to_string(argv.size()) + "\r\n";
  for (const std::string& word : argv) bytes += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  return bytes;
}

Socket connect_unix(const std::string& path) {
  Socket socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error("too long for a socket: " + path);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const void* generic = &address;
  if (connect(socket.fd(), static_cast<const sockaddr*>(generic), sizeof address) != 0) {
    throw std::runtime_error("nobody listens on " + path);
  }
  return socket;
}

// Replies as they come, in blocking reads.
class Replies {
 public:
  explicit Replies(const Socket& socket) : socket_(socket) {}

  std::string next() {
    const std::string line = take_line();
    const std::string rest = line.substr(1);
    switch (line[0]) {
      case '+':
      case ':':
        return rest;
      case '-':
        return "(error) " + rest;
      case '$':
        return rest == "-1" ? "(nil)" : take(std::stoul(rest) + 2, 2);
      default:
        return elements(rest);
    }
  }

 private:
  std::string elements(const std::string& count) {
    if (count == "-1") return "(nil)";
    std::string text;
    for (unsigned long left = std::stoul(count); left > 0; --left) text += next() + (left > 1 ? "\n" : "");
    return text;
  }

  std::string take_line() {
    while (buffer_.find("\r\n") == std::string::npos) receive_more();
    return take(buffer_.find("\r\n") + 2, 2);
  }

  std::string take(std::size_t size, std::size_t ending) {
    while (buffer_.size() < size) receive_more();
    const std::string text = buffer_.substr(0, size - ending);
    buffer_.erase(0, size);
    return text;
  }

  void receive_more() {
    if (receive(socket_, buffer_, patience) != Arrival::bytes) throw std::runtime_error("redis-server does not answer");
  }

  const Socket& socket_;
  std::string buffer_;
};

}  // namespace

Redis::Redis(RedisOptions options) : options_(std::move(options)) {
  for (int attempt = 0; attempt < 5; ++attempt) {
    port_ = free_port();
    write_configuration();
    try {
      start();
      return;
    } catch (const std::runtime_error&) {
      if (attempt == 4) throw;  // the port was taken meanwhile, or it is something else
    }
  }
}

Redis::~Redis() = default;

void Redis::write_configuration() {
  std::string text = "bind 127.0.0.1\nsave \"\"\nappendonly no\ndaemonize no\nunixsocketperm 700\n";
  text += "dir " + directory_.path().string() + "\nunixsocket " + socket() + "\n";
  text += "user tests on \"><password>\" ~* &* +@all\n";
  text.replace(text.find("<password>"), 10, administrator_password);
  if (options_.has_tls) {
    const CertificateAuthority authority;
    const Certificate own = authority.issue(options_.tls_names, -7200, options_.tls_expires_in);
    directory_.write("ca.pem", authority.certificate());
    text += "port 0\ntls-port " + std::to_string(port_) + "\ntls-auth-clients no\n";
    text += "tls-ca-cert-file " + ca_file() + "\n";
    text += "tls-cert-file " + directory_.write("own.pem", own.certificate) + "\n";
    text += "tls-key-file " + directory_.write("own.key", own.private_key) + "\n";
  } else {
    text += "port " + std::to_string(port_) + "\n";
  }
  if (!options_.username.empty()) {
    text += "user default off\n";
    text += "user " + options_.username + " on \">" + options_.password + "\" " + options_.permissions + "\n";
  } else if (!options_.password.empty()) {
    text += "requirepass \"" + options_.password + "\"\n";
  }
  for (const std::string& line : options_.configuration) text += line + "\n";
  directory_.write("redis.conf", text);
}

void Redis::start() {
  process_ = std::make_unique<Process>(Command{{"redis-server", directory_ / "redis.conf"}});
  const bool is_up =
      eventually([&] { return process_->exited() || log().find("Ready to accept") != std::string::npos; });
  if (!is_up || process_->exited()) throw std::runtime_error("redis-server does not come up: " + log());
}

std::string Redis::url() const {
  return (options_.has_tls ? "rediss://localhost:" : "redis://127.0.0.1:") + std::to_string(port_);
}

void Redis::freeze() const { process_->signal(SIGSTOP); }
void Redis::thaw() const { process_->signal(SIGCONT); }

void Redis::kill() {
  process_->signal(SIGKILL);
  process_->wait();
}

std::string Redis::command(const std::vector<std::string>& argv) const {
  const Socket connection = connect_unix(socket());
  Replies replies(connection);
  connection.send(encoded({"AUTH", "tests", administrator_password}));
  if (const std::string reply = replies.next(); reply != "OK") throw std::runtime_error("redis-server says " + reply);
  connection.send(encoded(argv));
  return replies.next();
}

}  // namespace keygate::test
