// What stands still and takes nothing else with it: a worker's loop, the name service, an upstream that has gone first
// while the process drains.
#include "tests/support/scenario.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

namespace keygate::test {
namespace {

using std::string;

// Every thread of a process but its first one stands still while this lives.
class Standstill {
 public:
  explicit Standstill(pid_t process) {
    for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task")) {
      const auto thread = static_cast<pid_t>(std::stol(entry.path().filename()));
      if (thread == process || ::ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0) {
        continue;
      }
      ::ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr);
      int status = 0;
      ::waitpid(thread, &status, __WALL);
      threads_.push_back(thread);
    }
  }
  ~Standstill() {
    for (const pid_t thread : threads_) {
      ::ptrace(PTRACE_DETACH, thread, nullptr, nullptr);
    }
  }
  Standstill(const Standstill&) = delete;
  Standstill& operator=(const Standstill&) = delete;

  std::size_t threads() const { return threads_.size(); }

 private:
  std::vector<pid_t> threads_;
};

class Standing : public Scenario {
 protected:
  int health(const string& path) {
    return test::ask(keygate.health_port(), "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n").status;
  }
};

TEST_F(Standing, F45_AWorkerThatStandsStillIsToldByItsMissingHeartbeat) {
  start({.threads = 2});
  EXPECT_EQ(health("/livez"), 200);
  {
    const Standstill standstill(keygate.pid());
    if (standstill.threads() == 0) {
      GTEST_SKIP() << "ptrace is not allowed here";
    }
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_TRUE(eventually([&] { return health("/livez") == 503; }, std::chrono::seconds(40)));
    EXPECT_GT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5)) << "a moment is no standstill";
    EXPECT_EQ(health("/readyz"), 200) << "a restart is in order, not a change of who is asked";
  }
  EXPECT_TRUE(eventually([&] { return health("/livez") == 200; }));
  expect_granted(request_to("/v1/x", k1.bearer()));
}

TEST_F(Standing, F62_AnUpstreamThatIsGoneFirstInADrainIs503) {
  start({.upstream_port = free_port(), .limits = "drain_delay: 3s"});
  expect_problem(test::ask(keygate.port(), request_to("/v1/x", k1.bearer())), 502, "upstream_unreachable");
  RawClient inside = keygate.connect();
  EXPECT_EQ(inside.ask(request_to("/v1/x")).status, 401);
  keygate.signal(SIGTERM);
  EXPECT_TRUE(eventually([&] { return keygate.readiness() == 503; }));
  const Response late = test::ask(keygate.port(), request_to("/v1/x", k1.bearer()));
  expect_problem(late, 503, "draining");
  EXPECT_TRUE(late.fields.lists("connection", "close"));
  const Response last = inside.ask(request_to("/v1/x", k1.bearer()));
  expect_problem(last, 503, "draining");
  EXPECT_TRUE(last.fields.lists("connection", "close"));
  EXPECT_TRUE(inside.is_ended(std::chrono::seconds(5)));
  keygate.wait_for_end();
}

TEST_F(Standing, F40_ANameThatIsNeverResolvedHoldsUpNobodyElse) {
  if (is_sanitized) {
    GTEST_SKIP() << "a sanitizer's runtime has to be loaded first";
  }
  const string good = std::to_string(upstream.port());
  keygate.write_files({.policy = R"(version: 1
routes:
  - {name: good, match: {path: "/good/{rest...}"}, anonymous: true, upstream: good}
  - {name: hanging, match: {path: "/hanging/{rest...}"}, anonymous: true, upstream: hanging}
)",
                       .upstreams = "{good: {endpoints: [\"http://127.0.0.1:" + good +
                                    "\"]}, hanging: {endpoints: [\"http://upstream.hangs:" + good +
                                    "\"], timeouts: {connect: 500ms}, retries: {attempts: 0}}}"});
  Process process(
      {{keygate_binary(), "run", "-c", keygate.config_file()}, {string("LD_PRELOAD=") + KEYGATE_HANGING_RESOLVER}});
  ASSERT_TRUE(eventually([&] { return process.exited() || keygate.readiness() == 200; }));
  ASSERT_FALSE(process.exited()) << process.errors();
  for (int i = 0; i < 3; ++i) {
    RawClient waiting = keygate.connect();
    waiting.send(request_to("/hanging/x"));
    for (int j = 0; j < 10; ++j) {
      EXPECT_EQ(test::ask(keygate.port(), request_to("/good/x")).status, 200);
    }
    EXPECT_EQ(waiting.unread(), "") << "nobody was waited for";
    const Response response = waiting.read_response();
    EXPECT_TRUE(response.status == 502 || response.status == 503) << response.status;
    EXPECT_NE(response.fields["proxy-status"].find("dns_error"), string::npos) << response.fields["proxy-status"];
  }
  // A look-up cannot be interrupted, and is not waited for either.
  process.signal(SIGTERM);
  const auto status = process.wait();
  ASSERT_TRUE(status) << "it does not end";
  EXPECT_EQ(status->code, 0) << process.errors();
}

// Nor by the control thread, which asks for names itself: of probed upstreams, and of the collector of spans.
TEST_F(Standing, F40_ANameThatIsNeverResolvedHoldsUpNoEnd) {
  if (is_sanitized) {
    GTEST_SKIP() << "a sanitizer's runtime has to be loaded first";
  }
  const string more[] = {"", "tracing: {otlp_endpoint: \"http://collector.hangs:4318\", sample: 1}\n"};
  for (const string& tracing : more) {
    Keygate one;
    one.write_files({.policy = "version: 1\nroutes:\n  - {name: all, match: {path: \"/{rest...}\"}, anonymous: true}\n",
                     .upstreams = "{default: {endpoints: [\"http://127.0.0.1:" + std::to_string(upstream.port()) +
                                  "\"]}, hanging: {endpoints: [\"http://upstream.hangs:80\"]}}",
                     .more = tracing});
    string config = read_file(one.config_file());
    config.replace(config.find("health: {"), 9, "health: {forward: {/app: {upstream: hanging, timeout: 100ms}}, ");
    one.directory().write("keygate.yaml", config);
    Process process(
        {{keygate_binary(), "run", "-c", one.config_file()}, {string("LD_PRELOAD=") + KEYGATE_HANGING_RESOLVER}});
    ASSERT_TRUE(eventually([&] { return process.exited() || one.readiness() == 200; }));
    ASSERT_FALSE(process.exited()) << process.errors();
    EXPECT_EQ(test::ask(one.port(), request_to("/x")).status, 200);
    if (tracing.empty()) {
      EXPECT_EQ(test::ask(one.health_port(), "GET /app HTTP/1.1\r\nHost: x\r\n\r\n").status, 503);
    }
    process.signal(SIGTERM);
    const auto status = process.wait();
    ASSERT_TRUE(status) << "it does not end: " << process.errors();
    EXPECT_EQ(status->code, 0) << process.errors();
    const string log = process.errors();
    EXPECT_LT(log.find("stopped"), log.find("ending without it")) << log;
    EXPECT_NE(log.find("ending without it"), string::npos) << log;
    EXPECT_NE(process.output().find("/x"), string::npos) << "the access log has been written";
  }
}

}  // namespace
}  // namespace keygate::test
