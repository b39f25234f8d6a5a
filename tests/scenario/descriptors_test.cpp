// Running out of descriptors (F-41): what the process does at its start, and what it survives later.
#include "tests/support/scenario.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <filesystem>
#include <memory>
#include <set>
#include <sstream>
#include <sys/resource.h>

namespace keygate::test {
namespace {

// The limit under which a process may open `more` descriptors: it is one on their numbers, of which some below are
// free.
rlim_t limit_for(pid_t pid, std::size_t more) {
  std::set<rlim_t> open;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
    open.insert(std::stoul(entry.path().filename()));
  }
  rlim_t limit = 0;
  for (std::size_t spare = 0; spare < more || open.contains(limit); ++limit) {
    spare += open.contains(limit) ? 0 : 1;
  }
  return limit;
}

class Descriptors : public Scenario {
 protected:
  // UBSan asks the system through a pipe whether an address can be read, and takes having none for a no.
  void SetUp() override {
    if (is_sanitized) GTEST_SKIP() << "a sanitizer needs descriptors of its own";
  }
  // Room for `more` descriptors than are open now, while the process runs.
  void allow(std::size_t more) {
    rlimit files{};
    ASSERT_EQ(::prlimit(keygate.pid(), RLIMIT_NOFILE, nullptr, &files), 0);
    files.rlim_cur = limit_for(keygate.pid(), more);
    ASSERT_EQ(::prlimit(keygate.pid(), RLIMIT_NOFILE, &files, nullptr), 0);
  }
};

TEST_F(Descriptors, F41_RunningOutIsSurvived) {
  start();
  RawClient inside = keygate.connect();
  EXPECT_EQ(inside.ask(request_to("/v1/x", k1.bearer())).status, 200);
  allow(20);
  std::deque<RawClient> crowd;
  for (int i = 0; i < 100; ++i) {
    crowd.emplace_back(keygate.port());
    crowd.back().send(request_to("/v1/waiting"));
  }
  EXPECT_TRUE(eventually([&] { return keygate.errors().find("cannot accept: ") != std::string::npos; }))
      << keygate.errors();
  // Who is inside is served still, and so are probes, one after another.
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(inside.ask(request_to("/v1/x", k1.bearer())).status, 200) << i;
    expect_problem(inside.ask(request_to("/admin/x", k1.bearer())), 403, "insufficient_scope");
    EXPECT_EQ(keygate.readiness(), 200) << i;
  }
  // Those who wait have not been dropped: each is served as soon as there is room.
  while (!crowd.empty()) {
    expect_problem(crowd.front().read_response(), 401, "missing_credential");
    crowd.pop_front();
  }
  EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).status, 200);
  EXPECT_EQ(upstream.bytes().find("waiting"), std::string::npos);
}

TEST_F(Descriptors, F41_AStandstillCostsNoProcessorTime) {
  start_without_keys();
  allow(4);
  std::deque<RawClient> crowd;
  for (int i = 0; i < 30; ++i) {
    crowd.emplace_back(keygate.port());
  }
  EXPECT_TRUE(eventually([&] { return keygate.errors().find("cannot accept: ") != std::string::npos; }));
  const auto cpu_ticks = [&] {
    const std::string text = read_file("/proc/" + std::to_string(keygate.pid()) + "/stat");
    std::istringstream words(text.substr(text.rfind(')') + 2));
    std::string word;
    std::uint64_t user = 0, system = 0;
    for (int i = 3; i < 14; ++i) {
      words >> word;
    }
    words >> user >> system;
    return user + system;
  };
  const auto begin = std::chrono::steady_clock::now();
  const std::uint64_t before = cpu_ticks();
  eventually([&] { return std::chrono::steady_clock::now() - begin > std::chrono::seconds(1); });
  EXPECT_LT(cpu_ticks() - before, 20U) << "of a hundred in a second";
}

class DescriptorLimit : public testing::Test {
 protected:
  // `keygate run` under this RLIMIT_NOFILE.
  std::unique_ptr<Process> run_with(std::size_t soft, std::size_t hard, const std::string& limits) {
    keygate.write_files({.upstream_port = free_port(), .limits = limits});
    return std::make_unique<Process>(
        Command{{"prlimit", "--nofile=" + std::to_string(soft) + ":" + std::to_string(hard), keygate_binary(), "run",
                 "-c", keygate.config_file()}});
  }
  Keygate keygate;
};

TEST_F(DescriptorLimit, F41_ANumberThatDoesNotFitIsRefusedAtTheStart) {
  const auto process = run_with(1000, 1000, "connections: 900");
  const auto status = process->wait();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 1);
  EXPECT_NE(process->errors().find("limits.connections is 900, but RLIMIT_NOFILE (1000) bears "), std::string::npos)
      << process->errors();
}

TEST_F(DescriptorLimit, F41_TheDefaultIsLoweredAndTheSoftLimitRaised) {
  const auto process = run_with(64, 1000, "");
  EXPECT_TRUE(eventually([&] { return keygate.readiness() == 200; })) << process->errors();
  EXPECT_NE(process->errors().find("limits.connections lowered: RLIMIT_NOFILE (1000) bears "), std::string::npos)
      << process->errors();
  rlimit files{};
  ASSERT_EQ(::prlimit(process->pid(), RLIMIT_NOFILE, nullptr, &files), 0);
  EXPECT_EQ(files.rlim_cur, 1000U);
}

// What the arithmetic is for: with every client inside, each with a connection upstream, nothing is short.
TEST_F(DescriptorLimit, F41_AsManyAsArePromisedFit) {
  RecordingUpstream upstream([](Turn& turn) {
    turn.read_body();
    turn.hold();
    turn.answer(200, "held");
  });
  keygate.write_files({.upstream_port = upstream.port(), .limits = "connections: 80"});
  Process process({{"prlimit", "--nofile=360:360", keygate_binary(), "run", "-c", keygate.config_file()}});
  ASSERT_TRUE(eventually([&] { return process.exited() || keygate.readiness() == 200; }));
  ASSERT_FALSE(process.exited()) << process.errors();
  std::deque<RawClient> clients;
  for (int i = 0; i < 80; ++i) {
    clients.emplace_back(keygate.port());
    clients.back().send(request_to("/public/x"));
  }
  EXPECT_TRUE(eventually([&] { return upstream.held() == 80; })) << upstream.held();
  EXPECT_EQ(test::ask(keygate.port(), request_to("/public/x")).status, 503);
  EXPECT_EQ(keygate.readiness(), 200);
  upstream.release();
  for (RawClient& client : clients) {
    EXPECT_EQ(client.read_response().status, 200);
  }
  EXPECT_EQ(process.errors().find("cannot accept"), std::string::npos) << process.errors();
}

}  // namespace
}  // namespace keygate::test
