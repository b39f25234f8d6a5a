// The real binary: its files in a directory of their own, its ports, its keys, its life from start to drain.
#pragma once

#include "tests/support/process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/temp_dir.hpp"

#include <boost/json.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::test {

// Everything below /public is open, below /v1 needs v1:read, below /admin needs admin; nothing else is reachable.
extern const std::string_view standard_policy;

struct Config {
  std::string policy{standard_policy};
  std::string upstreams{};  // the value of `upstreams:`, flow style; empty: one called default at `upstream_port`
  std::uint16_t upstream_port = 0;
  std::string limits{};      // more of `limits:`, flow style, no braces
  std::string more{};        // whole lines: credentials, identity_headers, log…
  unsigned threads = 1;      // more than one has as many pools and caches
  std::string resolution{};  // the value of `resolution:`, flow style; empty: the store that `keys` works on
};

struct KeySpec {
  std::string organization = "org_1";
  std::string scopes = "v1:read";
  std::string user{};
  std::string environment{};
  std::string prefix{};
  std::string expires_in{};
  std::string restrictions{};  // of keys made at a key server: {"allowed_cidrs": […], "rate_limit": {…}}
};

struct Key {
  std::string id;
  std::string text;
  std::string bearer() const { return "Authorization: Bearer " + text + "\r\n"; }
};

// Where the binary under test lies: KEYGATE_BINARY in the environment, or the one this build made.
std::string keygate_binary();

class Keygate {
 public:
  Keygate();
  // Ends the process if it still runs. Fails the test where it crashed, ended badly or a sanitizer complained.
  ~Keygate();
  Keygate(const Keygate&) = delete;
  Keygate& operator=(const Keygate&) = delete;

  // Writes the files and runs `keygate run` until it is ready; throws std::runtime_error with its stderr where it is
  // not.
  void start(Config config);
  // The same files without a process: for `check`, and for starts that must fail.
  void write_files(const Config& config);
  Finished run_to_failure();  // `keygate run` that is expected to give up
  void rewrite_policy(std::string_view policy);

  // Keys; each text is remembered, see is_key_in.
  Key create_key(const KeySpec& spec = {});
  Key rotate_key(const std::string& id, const std::string& grace);
  void revoke_key(const std::string& id);
  Finished keys(std::vector<std::string> arguments) const;  // `keygate keys …  --store FILE --json`
  std::string store_file() const { return directory_ / "keys.db"; }
  void remember(const Key& key) { known_keys_.push_back(key.text); }
  // Whether `text` holds a part of any key's random characters that nobody is ever shown again.
  bool is_key_in(std::string_view text) const;

  std::uint16_t port() const { return port_; }
  std::uint16_t health_port() const { return health_port_; }
  pid_t pid() const { return process_->pid(); }
  const TempDir& directory() const { return directory_; }
  std::string config_file() const { return directory_ / "keygate.yaml"; }
  std::string url(std::string_view target) const;

  RawClient connect() const { return RawClient(port_); }
  // 0: nobody answers.
  int readiness() const;

  void signal(int number) const { process_->signal(number); }
  bool is_running() { return process_ && !process_->exited(); }
  // SIGTERM, and what became of it.
  ExitStatus stop();
  // Waits for an end that has been asked for already.
  ExitStatus wait_for_end(std::chrono::milliseconds limit = patience);
  ExitStatus wait_for_hasty_end(std::chrono::milliseconds limit);  // by whatever status

  std::string output() const { return process_ ? process_->output() : ""; }
  std::string errors() const { return process_ ? process_->errors() : ""; }
  // stdout, a JSON object a line; a line that is none fails the test.
  std::vector<boost::json::object> access_log() const;
  // The first line for which `is_it` holds, waiting for it; fails the test where none comes.
  boost::json::object wait_for_log(const std::function<bool(const boost::json::object&)>& is_it) const;
  boost::json::object wait_for_log_of(std::string_view path) const;

 private:
  bool start_once();
  ExitStatus wait_for_some_end(std::chrono::milliseconds limit);

  TempDir directory_;
  Config config_;
  std::uint16_t port_ = 0;
  std::uint16_t health_port_ = 0;
  std::unique_ptr<Process> process_;
  std::vector<std::string> known_keys_;
  bool is_end_checked_ = false;
};

// Whether a sanitizer has written its report there.
bool has_sanitizer_report(std::string_view errors);

// Built with a sanitizer: memory is not what it would be.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool is_sanitized = true;
#else
inline constexpr bool is_sanitized = false;
#endif

// A member as text whatever its type ("" where absent or null).
std::string text_of(const boost::json::object& object, std::string_view name);

}  // namespace keygate::test
