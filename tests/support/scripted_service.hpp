// A key service that says what a test tells it to: the bundled one never lies, never dawdles and grants what it did
// before. Speaks the native dialect and counts.
#pragma once

#include "tests/support/recording_upstream.hpp"

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace keygate::test {

class ScriptedService {
 public:
  // The body of the answer to a key; called on the connection's thread.
  using Say = std::function<std::string(const std::string& key)>;

  explicit ScriptedService(Say say) {
    server_.follow([this, say = std::move(say)](Turn& turn) { answer(turn, say(note(turn))); });
  }

  std::uint16_t port() const { return server_.port(); }
  RecordingUpstream& server() { return server_; }
  // From now on each request gets this whole answer, byte for byte, and where it says so the connection's end.
  void answer_all_with(const std::string& bytes) {
    server_.follow([this, bytes](Turn& turn) {
      note(turn);
      turn.send(bytes);
      if (bytes.find("Connection: close") != std::string::npos) turn.close();
    });
  }

  std::size_t calls() const { return calls_; }
  std::size_t calls_for(const std::string& key) const {
    const std::lock_guard lock(mutex_);
    const auto found = by_key_.find(key);
    return found == by_key_.end() ? 0 : found->second;
  }

 private:
  std::string note(Turn& turn) {
    const std::string body = turn.read_body();
    const std::string key = body.substr(8, body.size() - 10);  // {"key":"…"}
    ++calls_;
    const std::lock_guard lock(mutex_);
    ++by_key_[key];
    return key;
  }

  static void answer(const Turn& turn, const std::string& body) {
    turn.answer(200, body, "Content-Type: application/json\r\n");
  }

  mutable std::mutex mutex_;
  std::map<std::string, std::size_t> by_key_;
  std::atomic<std::size_t> calls_ = 0;
  RecordingUpstream server_;
};

// A key's good answer, with these scopes: `"v1:read"`.
inline std::string good_answer(const std::string& id, const std::string& scopes = R"("v1:read")") {
  return R"({"valid":true,"key_id":")" + id + R"(","organization_id":"org_1","scopes":[)" + scopes + "]}";
}
inline const std::string unknown_answer = R"({"valid":false,"code":"unknown"})";

}  // namespace keygate::test
