// Reloads and a drain while all kinds of clients are busy: nobody is cut off, nobody is turned away.
#include "tests/support/tls_client.hpp"
#include "tests/support/tls_scenario.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <signal.h>
#include <thread>
#include <vector>

namespace keygate::test {
namespace {

using Clock = std::chrono::steady_clock;

std::string policy_with(const std::string& path) {
  return std::string(standard_policy) + "  - name: more\n    match: {path: \"" + path + "\"}\n    anonymous: true\n";
}

class UnderLoad : public TlsScenario {
 protected:
  ~UnderLoad() override { join(); }

  void add_client(std::function<void()> live) {
    clients.emplace_back([live = std::move(live)] {
      try {
        live();
      } catch (const std::exception& failure) {
        ADD_FAILURE() << failure.what();
      }
    });
  }
  void join() {
    is_over = true;
    for (std::thread& one : clients) one.join();
    clients.clear();
  }
  void count(const Response& response) { ++(response.status == 200 ? good : bad); }
  std::string post() const { return request_with_body("/v1/x", "hello", k1.bearer()); }

  std::atomic<bool> is_over{false};
  std::atomic<std::size_t> good{0}, bad{0}, reloads{0};
  std::vector<std::thread> clients;
};

TEST_F(UnderLoad, F61_TenReloadsASecondCutNobodyAndRefuseNobody) {
  start_with_tls("", {.policy = policy_with("/a"), .threads = 2});
  const TlsSettings settings = client();
  add_client([&] {  // one connection, two requests at a time
    RawClient one(keygate.port());
    while (!is_over) {
      one.send(post() + request_to("/admin/x", k1.bearer()));
      count(one.read_response());
      EXPECT_EQ(one.read_response().status, 403);
    }
  });
  add_client([&] {
    while (!is_over) count(RawClient(keygate.port()).ask(post()));
  });
  add_client([&] {
    TlsClient one(tls_port, settings);
    while (!is_over) count(one.ask(post()));
  });
  add_client([&] {
    while (!is_over) count(TlsClient(tls_port, settings).ask(post()));
  });
  constexpr std::size_t pieces = 20;
  const std::string piece(16 * 1024, 'u');
  add_client([&] {  // an upload that goes on for all reloads
    RawClient one(keygate.port());
    one.send("POST /v1/upload HTTP/1.1\r\nHost: api.local\r\n" + k1.bearer() +
             "Content-Length: " + std::to_string(pieces * piece.size()) + "\r\n\r\n");
    for (std::size_t sent = 0; sent < pieces; ++sent) {
      eventually([&] { return is_over || reloads > sent; });
      one.send(piece);
    }
    count(one.read_response());
  });
  const auto began = Clock::now();
  for (std::size_t i = 0; i < pieces; ++i) {
    const std::string path = i % 2 == 0 ? "/b" : "/a";
    keygate.rewrite_policy(policy_with(path));
    keygate.signal(SIGHUP);
    RawClient watcher(keygate.port());
    EXPECT_TRUE(eventually([&] { return watcher.ask(request_to(path)).status == 200; })) << keygate.errors();
    ++reloads;
  }
  const auto took = Clock::now() - began;
  join();
  EXPECT_EQ(bad, 0U);
  EXPECT_GT(good, pieces);
  if (!is_sanitized) {
    EXPECT_LT(took, std::chrono::seconds(2)) << "that is no load";
  }
  std::size_t uploaded = 0;
  for (const Request& request : upstream.requests()) {
    if (request.target == "/v1/upload") uploaded += request.body.size();
  }
  EXPECT_EQ(uploaded, pieces * piece.size());
}

// Of one client of a drain: what came of its requests.
class Drained : public UnderLoad {
 protected:
  static constexpr std::chrono::milliseconds delay{400};

  // Asks by `ask` until nobody lets it in any more: connects with each call, or keeps what it has until told to go. Up
  // to the moment when the listener may close, all that it asks is answered.
  template <class Connect>
  void be_served(Connect connect, bool stays) {
    add_client([this, connect, stays] {
      while (true) {
        const auto before = Clock::now();
        try {
          auto one = connect();
          bool is_told_to_go = false;
          do {
            const Response response = one->ask(post());
            count(response);
            is_told_to_go = response.fields.lists("connection", "close");
          } while (stays && !is_told_to_go);
        } catch (const std::exception& failure) {
          // Connections that are opened while the listener closes may come too late.
          const auto may_close_at = Clock::time_point(Clock::duration(signalled_at.load())) + delay;
          if (signalled_at.load() == 0 || Clock::now() < may_close_at) {
            ++bad;
            ADD_FAILURE() << "turned away before the listener closed: " << failure.what();
          } else if (before < may_close_at - std::chrono::milliseconds(50)) {
            ++bad;
            ADD_FAILURE() << "cut: " << failure.what();
          }
          return;
        }
      }
    });
  }

  std::atomic<Clock::rep> signalled_at{0};
};

TEST_F(Drained, F62_UnderLoadNobodyIsCutOrTurnedAwayBeforeTheListenerCloses) {
  start_with_tls("",
                 {.limits = "drain_delay: " + std::to_string(delay.count()) + "ms, drain_timeout: 15s", .threads = 2});
  const TlsSettings settings = client();
  const auto plain = [this] { return std::make_unique<RawClient>(keygate.port()); };
  const auto secured = [this, settings] { return std::make_unique<TlsClient>(tls_port, settings); };
  for (const bool stays : {true, false}) {
    be_served(plain, stays);
    be_served(secured, stays);
  }
  upstream.follow([](Turn& turn) {
    if (turn.request().target == "/v1/slow") {
      turn.read_body();
      turn.hold();
      turn.answer(200, "ended");
    } else {
      answer_ok(turn);
    }
  });
  // In flight until all others have gone: an answer that is waited for, over TLS too, and an upload.
  RawClient slow(keygate.port());
  slow.send(request_to("/v1/slow", k1.bearer()));
  TlsClient slow_secured(tls_port, settings);
  slow_secured.send(request_to("/v1/slow", k1.bearer()));
  RawClient upload(keygate.port());
  upload.send("POST /v1/upload HTTP/1.1\r\nHost: api.local\r\n" + k1.bearer() + "Content-Length: 10\r\n\r\nhalf-");
  EXPECT_TRUE(eventually([&] { return upstream.held() == 2 && good > 100; }));
  signalled_at = Clock::now().time_since_epoch().count();
  keygate.signal(SIGTERM);
  for (std::thread& one : clients) one.join();
  clients.clear();
  EXPECT_EQ(bad, 0U);
  EXPECT_TRUE(keygate.is_running()) << "requests are in flight";
  upstream.release();
  upload.send("other");
  for (const Response& response : {slow.read_response(), slow_secured.read_response(), upload.read_response()}) {
    EXPECT_EQ(response.status, 200);
    EXPECT_TRUE(response.fields.lists("connection", "close"));
  }
  EXPECT_EQ(keygate.wait_for_end(), (ExitStatus{0, 0}));
}

// Let in by the listener before it closed, with a request that comes a little later.
TEST_F(Drained, F62_WhoWasLetInMayAsk) {
  start_with_tls("", {.limits = "drain_delay: 10ms, drain_timeout: 15s"});
  RawClient plain(keygate.port());
  TlsClient secured(tls_port, client());
  ASSERT_EQ(ask(request_to("/public/x")).status, 200);  // and so were those two taken before
  keygate.signal(SIGTERM);
  ASSERT_TRUE(eventually([&] { return !try_connect(keygate.port()); }));
  EXPECT_EQ(plain.ask(post()).status, 200);
  EXPECT_EQ(secured.ask(post()).status, 200);
  EXPECT_EQ(keygate.wait_for_end(), (ExitStatus{0, 0}));
}

}  // namespace
}  // namespace keygate::test
