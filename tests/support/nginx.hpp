// A real nginx as the upstream: what it saw comes back in the body, files go up and down.
#pragma once

#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace keygate::test {

// Below /v1: echo (what it saw, a line a fact), files/NAME (static), chunked/NAME (the same, in chunks), store/NAME
// (PUT keeps the body), empty (204). Below /public: echo.
class Nginx {
 public:
  Nginx();  // throws std::runtime_error with nginx's error log where it does not come up

  std::uint16_t port() const { return port_; }
  // Where files/ is served from and store/ is kept.
  std::string file(const std::string& name) const { return directory_ / ("files/" + name); }
  std::string stored(const std::string& name) const { return directory_ / ("store/" + name); }
  std::string error_log() const { return process_->errors(); }

 private:
  TempDir directory_;
  std::uint16_t port_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace keygate::test
