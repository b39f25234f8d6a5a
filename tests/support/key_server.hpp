// A real `keygate keyserver`, and what its admin token may: keys are made, rotated and revoked by HTTP. It can be
// killed and started again, at another port then.
#pragma once

#include "tests/support/http_message.hpp"
#include "tests/support/keygate.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <signal.h>
#include <string>
#include <vector>

namespace keygate::test {

struct Revocation {
  std::chrono::steady_clock::time_point sent, answered;  // the DELETE, and its 200
  bool is_pushed = false;
};

class KeyServer {
 public:
  // `resolution`: members beside the store, flow style: `redis: {…}, staleness_bound: 2s`. Throws std::runtime_error
  // with its stderr where it does not come up.
  explicit KeyServer(std::string resolution = "");
  ~KeyServer();
  KeyServer(const KeyServer&) = delete;
  KeyServer& operator=(const KeyServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string token_file() const { return directory_ / "proxy"; }

  Key create(const KeySpec& spec = {}) const;  // expires_in with a unit, as in the API
  Key rotate(const std::string& id, const std::string& grace) const;
  std::string last_used(const std::string& id) const;  // RFC 3339; empty: never
  Revocation revoke(const std::string& id) const;      // throws where the answer is not 200

  void freeze() const { process_->signal(SIGSTOP); }
  void thaw() const { process_->signal(SIGCONT); }
  void kill();   // SIGKILL, and gone when this returns
  void start();  // after kill(): the same keys, and the same port where nobody has taken it

 private:
  bool start_once();
  bool is_ready() const;
  Response call(std::string_view method, const std::string& target, const std::string& body) const;

  TempDir directory_;
  std::string resolution_;
  std::uint16_t port_ = 0, health_port_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace keygate::test
