// Who knows sessions, in the native dialect: POST {"session": "…"} to /internal/session, as an application would answer
// for its own. Over real sockets; its sessions begin and end as a test says.
#pragma once

#include "tests/support/recording_upstream.hpp"

#include <map>
#include <mutex>
#include <string>

namespace keygate::test {

struct KnownSession {
  std::string user;
  std::string organization{};
  std::string environment = "live";
  std::string scopes{};  // a JSON list; empty: the answer has none
  long expires_at = 0;   // unix seconds; 0: the answer does not say
};

class SessionService {
 public:
  explicit SessionService(std::string token);  // what it is asked with; anything else is 401
  ~SessionService() = default;
  SessionService(const SessionService&) = delete;
  SessionService& operator=(const SessionService&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_.port()) + "/internal/session"; }
  void begin(const std::string& session, KnownSession known);
  void end(const std::string& session);

 private:
  void answer(Turn& turn);

  std::string token_;
  std::mutex mutex_;
  std::map<std::string, KnownSession> sessions_;
  RecordingUpstream server_;
};

}  // namespace keygate::test
