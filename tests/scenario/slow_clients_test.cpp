// Two hundred slow clients of each kind at a time, beside good ones that must not notice: all of the slow are let go in
// time, nothing of theirs stays open, and memory is bounded.
#include "tests/support/certificate.hpp"
#include "tests/support/scenario.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <filesystem>
#include <ostream>

namespace keygate::test {
namespace {

using std::string;

constexpr std::size_t crowd = 200;

struct Kind {
  string name;
  string first;  // what each says at once
  string drip;   // and then again and again; empty: nothing
  string limits;
  bool is_reader = false;  // of an answer, of which it takes nothing
  bool is_tls = false;     // connects to the listener with TLS
};

void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

std::size_t open_descriptors(pid_t pid) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
    ++count;
  }
  return count;
}

class SlowClients : public Scenario, public testing::WithParamInterface<Kind> {
 protected:
  void SetUp() override {
    CertificateAuthority authority;
    const Certificate certificate = authority.issue({"DNS:localhost"});
    keygate.directory().write("tls.crt", certificate.certificate);
    keygate.directory().write("tls.key", certificate.private_key);
    tls_port = free_port();
    start({.limits = GetParam().limits,
           .more = "listeners:\n  - address: 127.0.0.1:" + std::to_string(tls_port) +
                   "\n    tls: {certificate_file: tls.crt, private_key_file: tls.key}\n"});
    upstream.follow([](Turn& turn) {
      if (turn.request().target == "/public/large") {
        turn.send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
        static const string block(1'000'000, 'x');
        for (int i = 0; i < 100; ++i) {
          turn.send(block);
        }
        return;
      }
      turn.read_body();
      turn.answer(200, turn.request().body.empty() ? "ok" : turn.request().body);
    });
  }

  // A grant with a body, and a denial; on a connection of its own, as who is new is hurt first.
  void expect_good_traffic(int round) {
    const string body = "hello " + std::to_string(round);
    const Response granted = ask(request_with_body("/v1/x", body, k1.bearer()));
    EXPECT_EQ(granted.status, 200);
    EXPECT_EQ(granted.body, body);
    expect_problem(ask(request_to("/v1/x")), 401, "missing_credential");
  }

  std::uint16_t tls_port = 0;
};

TEST_P(SlowClients, D01_AreLetGoWithoutHarmToOthers) {
  const Kind& kind = GetParam();
  RawClient steady = keygate.connect();  // and one that stays
  expect_good_traffic(0);
  EXPECT_EQ(steady.ask(request_to("/v1/x", k1.bearer())).status, 200);
  const std::size_t descriptors = open_descriptors(keygate.pid());
  const std::size_t before = resident_bytes(keygate.pid());
  forget_peak(keygate.pid());

  std::deque<RawClient> slow;
  for (std::size_t i = 0; i < crowd; ++i) {
    slow.emplace_back(kind.is_tls ? tls_port : keygate.port());
    slow.back().send(kind.first);
  }
  // On a machine that is slow itself the first may be gone before the last are there.
  EXPECT_TRUE(eventually([&] { return open_descriptors(keygate.pid()) >= descriptors + crowd / 2; }));
  int round = 0;
  const bool are_gone = eventually(
      [&] {
        for (RawClient& client : slow) {
          client.send(kind.drip);
        }
        expect_good_traffic(++round);
        EXPECT_EQ(steady.ask(request_to("/v1/x", k1.bearer())).status, 200);
        return open_descriptors(keygate.pid()) <= descriptors + 8;  // a few of good traffic
      },
      std::chrono::seconds(60));
  EXPECT_TRUE(are_gone) << open_descriptors(keygate.pid()) << " descriptors are open, " << descriptors << " were";
  EXPECT_GT(round, 3);
  if (!is_sanitized) {
    EXPECT_LT(peak_resident_bytes(keygate.pid()), before + crowd * 128 * 1024 + (8U << 20U));
  }
  for (RawClient& client : slow) {
    const string said = kind.is_reader ? "" : client.read_to_end();
    EXPECT_TRUE(said.empty() || said.starts_with("HTTP/1.1 408 ")) << shown(said);
  }
}

std::vector<Kind> kinds() {
  return {
      {"Head", "GET /public/x HTTP/1.1\r\nX: ", "x", "header_timeout: 3s"},
      {"SilentHead", "GET /public/x HTTP/1.1\r\nX: ", "", "header_timeout: 3s"},
      {"Body", request_to("/public/x", "Content-Length: 100000000\r\n", "POST"), "x",
       "body_min_rate: 1MiB, body_idle_timeout: 3s"},
      {"SilentBody", request_to("/public/x", "Content-Length: 100000000\r\n", "POST"), "", "body_idle_timeout: 3s"},
      {"Reader", request_to("/public/large"), "", "body_idle_timeout: 3s", true},
      {"Idle", "", "", "idle_timeout: 3s"},
      {"BlankLines", "\r\n", "", "header_timeout: 3s, idle_timeout: 3s"},
      {"TlsHandshake", "", "", "idle_timeout: 60s", false, true},
      {"TlsHello", string("\x16\x03\x01\x02\x00\x01", 6), "", "idle_timeout: 60s", false, true},
  };
}

INSTANTIATE_TEST_SUITE_P(Kinds, SlowClients, testing::ValuesIn(kinds()),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace keygate::test
