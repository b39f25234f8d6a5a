// A real redis-server in a directory of its own, without persistence. It can be frozen, killed and started again on the
// same port, and its data asked for past whatever the test puts between.
#pragma once

#include "tests/support/certificate.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace keygate::test {

struct RedisOptions {
  bool has_tls = false;                                                 // the port speaks TLS, and nothing else
  std::vector<std::string> tls_names{"DNS:localhost", "IP:127.0.0.1"};  // what the certificate stands for
  long tls_expires_in = 3600;                                           // seconds; negative: has expired
  std::string username{};                                               // with a password: the only user there is
  std::string password{};                                               // empty: nobody is asked
  std::string permissions = "~* &* +@all";                              // of `username`, as Redis' ACL says it
  std::vector<std::string> configuration{};                             // more lines of redis.conf
};

class Redis {
 public:
  explicit Redis(RedisOptions options = {});  // throws std::runtime_error with its log where it does not come up
  ~Redis();

  std::uint16_t port() const { return port_; }
  std::string socket() const { return directory_ / "redis.sock"; }
  std::string ca_file() const { return directory_ / "ca.pem"; }  // with has_tls
  // redis://127.0.0.1:PORT, or rediss://localhost:PORT; no user and no password in it.
  std::string url() const;
  pid_t pid() const { return process_->pid(); }
  std::string log() const { return process_->output(); }

  void freeze() const;  // SIGSTOP: connections stand, nothing is answered
  void thaw() const;
  void kill();   // SIGKILL, and gone when this returns
  void start();  // after kill(): the same port and socket, no data

  // One command over the unix socket, as a user who may all; the reply as redis-cli would print it: text, a number,
  // "(nil)", "(error) …", the elements of an array one a line.
  std::string command(const std::vector<std::string>& argv) const;

 private:
  void write_configuration();

  RedisOptions options_;
  TempDir directory_;
  std::uint16_t port_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace keygate::test
