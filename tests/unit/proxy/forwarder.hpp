// One request on its way up, from the text that a client sends to the text that the upstream gets: everything in
// between is the real thing, from settings made by hand.
#pragma once

#include "policy/decide.hpp"
#include "proxy/forward_head.hpp"
#include "proxy/snapshot.hpp"
#include "tests/unit/policy/builders.hpp"
#include "tests/unit/proxy/heads.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace keygate::proxy::testing {

inline constexpr std::int64_t now = 1'700'000'000;

// A catalogue of two scopes; `/open` is anonymous, `/kept` forwards the credential, all else takes any API key.
inline config::Settings plain_settings() {
  using policy::testing::keyed;
  using policy::testing::open_route;
  using policy::testing::scope;
  return policy::testing::settings_with(
      {open_route("open", "/open", 10), keyed("kept", "/kept", 30).forward_credential(),
       keyed("all", "/{rest...}", 50)},
      {scope("projects:read"), scope("projects:write")});
}

inline std::shared_ptr<const Snapshot> snapshot_of(config::Settings settings, keys::Secrets secrets = {}) {
  auto shared = std::make_shared<const config::Settings>(std::move(settings));
  auto compiled = policy::testing::compiled(*shared);
  return std::make_shared<const Snapshot>(1, std::move(shared), std::move(compiled), std::move(secrets));
}

// Who sent the request, and whose key it carried.
struct Sender {
  std::string peer = "203.0.113.7";
  bool is_trusted = false;
  std::string request_id = "0123456789abcdef01234567";
  policy::Environment prefix = policy::Environment::none;
  policy::Principal principal{"key_1", "org_1", "user_1", policy::Environment::live, {"projects:read"}, {}};
  bool is_secure = false;
};

class Forwarder {
 public:
  explicit Forwarder(config::Settings settings = plain_settings(), keys::Secrets secrets = {})
      : snapshot_(snapshot_of(std::move(settings), std::move(secrets))) {}

  const Snapshot& snapshot() const { return *snapshot_; }

  // The head that goes up; fails the test where the request is not granted.
  std::string forward(const std::string& request, const Sender& sender = {}) const {
    HeadText text(request, snapshot_->reserved);
    if (text.refusal()) {
      ADD_FAILURE() << "refused: " << text.refusal()->what;
      return "";
    }
    auto parsed = policy::RequestTarget::parse(text.head().target, snapshot_->policy->paths);
    const auto* target = std::get_if<policy::RequestTarget>(&parsed);
    if (target == nullptr) {
      ADD_FAILURE() << "bad target";
      return "";
    }
    const policy::KeyAnswer answer{policy::KeyAnswer::State::valid, sender.principal};
    const policy::Held held = snapshot_->policy->catalogue.expand(sender.principal.granted);
    const policy::Route* const route =
        snapshot_->policy->table.match({"", text.head().method, target, text.head().headers()});
    policy::Caller caller;
    caller.found = policy::Caller::Found::answered;
    caller.kind = policy::CredentialKind::api_key;
    caller.prefix_environment = sender.prefix;
    caller.answer = &answer;
    caller.held = &held;
    const auto decision = policy::decide(*snapshot_->policy, route, *target, caller, now);
    const auto* grant = std::get_if<policy::Grant>(&decision);
    if (grant == nullptr) {
      ADD_FAILURE() << "denied: " << policy::row(std::get<policy::Denial>(decision).reason).code;
      return "";
    }
    return write(text.head(), *target, *grant, sender);
  }

 private:
  std::string write(const RequestHead& head, const policy::RequestTarget& target, const policy::Grant& grant,
                    const Sender& sender) const {
    const ForwardFacts facts{.snapshot = *snapshot_,
                             .head = head,
                             .target = target,
                             .host = head.host,
                             .client_host = head.host,
                             .peer = sender.peer,
                             .is_peer_v6 = sender.peer.find(':') != std::string::npos,
                             .is_secure = sender.is_secure,
                             .is_peer_trusted = sender.is_trusted,
                             .request_id = sender.request_id};
    // Exactly the room that was measured: what is written beyond it is seen by the sanitizers, and by this.
    const std::size_t bound = forward_head_bound(facts, grant);
    std::vector<char> room(bound + 64, '\x7f');
    const std::size_t size = write_forward_head(facts, grant, {room.data(), bound});
    EXPECT_LE(size, bound);
    EXPECT_EQ(std::count(room.begin() + static_cast<std::ptrdiff_t>(bound), room.end(), '\x7f'), 64);
    return {room.data(), std::min(size, bound)};
  }

  std::shared_ptr<const Snapshot> snapshot_;
};

// The field lines of a head, without line ends; the request line is not among them.
inline std::vector<std::string> lines_of(const std::string& head) {
  std::vector<std::string> lines;
  std::size_t at = head.find("\r\n") + 2;
  while (at < head.size()) {
    const std::size_t end = head.find("\r\n", at);
    if (end == at) break;
    lines.push_back(head.substr(at, end - at));
    at = end + 2;
  }
  return lines;
}

inline std::string lower_name(const std::string& line) {
  std::string name = line.substr(0, line.find(':'));
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return name;
}

// The values of all fields of that name (in lower case), in order.
inline std::vector<std::string> values_of(const std::string& head, const std::string& name) {
  std::vector<std::string> values;
  for (const auto& line : lines_of(head)) {
    if (lower_name(line) == name) values.push_back(line.substr(line.find(':') + 2));
  }
  return values;
}

}  // namespace keygate::proxy::testing
