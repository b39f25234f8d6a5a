// Asking a running proxy: by its admin listener, or where there is none by its health listener. For verbs that run
// beside it; waits for the answer.
#pragma once

#include "config/settings.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace keygate::app {

// Which proxy, as a verb was told: its configuration, or its address.
struct AdminPlace {
  std::string config, address, token_file;
};

struct AdminReply {
  int status = 0;
  std::string body;
};

class AdminClient {
 public:
  // Refusal where the configuration has neither listener, or a file cannot be read. `may_be_health`: the health
  // listener will do.
  static AdminClient from(const AdminPlace& place, bool may_be_health);

  // Refusal (status 1) where nobody answers within `limit`.
  AdminReply ask(std::string_view method, std::string_view target, std::string_view body = {},
                 std::chrono::seconds limit = std::chrono::seconds(10)) const;

  // The data of each event of that name, until `on_event` says false or the stream ends. Refusal where it cannot begin.
  void follow(std::string_view target, std::string_view name,
              const std::function<bool(std::string_view data)>& on_event) const;

  const config::ListenerSettings& address() const { return address_; }

 private:
  config::ListenerSettings address_;
  std::string token_;  // empty: none
};

}  // namespace keygate::app
