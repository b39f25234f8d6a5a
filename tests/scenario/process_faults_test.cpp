// What goes wrong around the process itself: nobody reads its log, the disk is full, it is killed in the middle of its
// work, or what it depends on is not there when it starts.
#include "tests/support/fleet.hpp"
#include "tests/support/scenario.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace keygate::test {
namespace {

using testing::HasSubstr;
using testing::Not;

// A second keygate on the same files, its stdout going where the test says.
class ProcessFaults : public Scenario {
 protected:
  static constexpr int some = 600;  // a line of each is 500 bytes and more: several pipes full

  Process& start_again(const std::string& output = "") {
    const std::string command = "exec \"$0\" run -c \"$1\"" + (output.empty() ? "" : " >" + output);
    process_ = std::make_unique<Process>(Command{{"sh", "-c", command, keygate_binary(), keygate.config_file()}});
    EXPECT_TRUE(eventually([&] { return process_->exited() || keygate.readiness() == 200; }));
    return *process_;
  }
  // As keygate has it, but with its log elsewhere.
  void start_with_log_at(const std::string& output) {
    start();
    keygate.stop();
    start_again(output);
  }
  void expect_served(int count) {
    RawClient client(keygate.port());
    const std::string target = "/v1/" + std::string(400, 'x');
    for (int i = 0; i < count; ++i) {
      ASSERT_EQ(client.ask(request_to(target, k1.bearer())).status, 200) << process_->errors();
    }
  }
  void expect_clean_end() {
    process_->signal(SIGTERM);
    EXPECT_EQ(process_->wait(), ExitStatus({0, 0})) << process_->errors();
    EXPECT_FALSE(has_sanitizer_report(process_->errors())) << process_->errors();
  }

  std::unique_ptr<Process> process_;
};

TEST_F(ProcessFaults, F52_ALogThatNobodyReadsHoldsNobodyUp) {
  const std::string pipe = keygate.directory() / "log.pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int reader = ::open(pipe.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  start_with_log_at(pipe);
  expect_served(some);
  // What fitted is there, in whole lines; then somebody reads again, and what comes now is written.
  const std::string last = "/v1/last" + std::to_string(::getpid());
  std::string read;
  EXPECT_EQ(ask(request_to(last, k1.bearer())).status, 200);
  EXPECT_TRUE(eventually([&] {
    std::array<char, 65536> piece;  // never waits: there is something, or this end is asked again
    ::fcntl(reader, F_SETFL, O_NONBLOCK);
    const ssize_t size = ::read(reader, piece.data(), piece.size());
    read.append(piece.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    return read.find(last) != std::string::npos;
  })) << read.size();
  EXPECT_THAT(read, Not(HasSubstr("}{")));
  expect_clean_end();
  ::close(reader);
}

TEST_F(ProcessFaults, F52_ALogWhoseReaderIsGoneHoldsNobodyUp) {
  const std::string pipe = keygate.directory() / "log.pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int reader = ::open(pipe.c_str(), O_RDWR | O_CLOEXEC);
  start_with_log_at(pipe);
  ::close(reader);
  expect_served(some);
  EXPECT_EQ(keygate.readiness(), 200);
  expect_clean_end();
}

TEST_F(ProcessFaults, F52_AFullDiskHoldsNobodyUp) {
  start_with_log_at("/dev/full");
  expect_served(some);
  EXPECT_EQ(keygate.readiness(), 200);
  expect_clean_end();
}

// A connection at a time is opened to the upstream, however many requests go over it.
TEST_F(ProcessFaults, F42_ConnectionsToTheUpstreamAreUsedAgain) {
  start();
  upstream.forget();
  const std::size_t before = upstream.connections();
  RawClient client(keygate.port());
  for (int i = 0; i < some; ++i) ASSERT_EQ(client.ask(request_to("/v1/x", k1.bearer())).status, 200);
  EXPECT_LE(upstream.connections() - before, some / 100U);
}

TEST_F(ProcessFaults, F63_KilledInTheMiddleOfItsWorkItServesAgainAndForgetsNothing) {
  start();
  keygate.stop();
  start_again();
  std::atomic<bool> is_over{false};
  std::atomic<int> good{0}, wrong{0};
  std::vector<std::thread> clients;
  for (int number = 0; number < 4; ++number) {
    clients.emplace_back([&] {
      while (!is_over) {
        try {
          RawClient client(keygate.port());
          while (!is_over) {
            const bool is_right = client.ask(request_to("/v1/x", k1.bearer())).status == 200 &&
                                  client.ask(request_to("/v1/x", kr.bearer())).status == 401;
            ++(is_right ? good : wrong);
          }
        } catch (const std::exception&) {
          std::this_thread::yield();  // it is gone, or not there yet
        }
      }
    });
  }
  EXPECT_TRUE(eventually([&] { return good > 20; }));
  const Key late = keygate.create_key();  // an instant before
  const Key gone = keygate.create_key();
  keygate.revoke_key(gone.id);
  process_->signal(SIGKILL);
  process_->wait();
  const int before = good;
  start_again();
  EXPECT_TRUE(eventually([&] { return good > before + 20; })) << process_->errors();
  is_over = true;
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(ask(request_to("/v1/x", late.bearer())).status, 200);
  expect_problem(ask(request_to("/v1/x", gone.bearer())), 401, "revoked_key");
  expect_clean_end();
}

// Each key is asked for once by the new process, or not at all: Redis has it.
TEST(ProcessRestart, F63_ANewProcessLearnsFromRedisWhatTheOldOneKnew) {
  Fleet fleet({.threads = {1, 1}});
  const std::vector<Key> keys = fleet.make_keys(20);
  for (const Key& key : keys) EXPECT_EQ(outcome_at(fleet.proxy(0), key), "200 ok");
  fleet.service.kill();  // the second has never seen them, and nobody else is left to tell it
  for (const Key& key : keys) EXPECT_EQ(outcome_at(fleet.proxy(1), key), "200 ok");
}

TEST_F(ProcessFaults, F64_AStartWithoutRedisAndKeyServiceServesWhatItCanAndSaysWhatItCannot) {
  const std::string redis = std::to_string(free_port()), service = std::to_string(free_port());
  start_without_keys({.resolution = "{redis: {url: \"redis://127.0.0.1:" + redis +
                                    "\"}, service: {url: \"http://127.0.0.1:" + service + "/v1/keys/verify\"}}"});
  EXPECT_EQ(keygate.readiness(), 200);
  expect_granted(request_to("/public/x"));
  const Response response = ask(request_to("/v1/x", "Authorization: Bearer kg_abcdefghijklmnopqrstuvwxyz0123\r\n"));
  expect_problem(response, 503, "key_service_unavailable");
  EXPECT_NE(response.fields["retry-after"], "");
}

TEST_F(ProcessFaults, F64_AStartWithAPortInUseOrATlsKeyThatCannotBeReadIsRefused) {
  start();
  EXPECT_THAT(keygate.run_to_failure().errors, HasSubstr("127.0.0.1:" + std::to_string(keygate.port())));
  keygate.stop();
  std::string settings = read_file(keygate.config_file());
  const std::size_t begin = settings.find("listen:"), end = settings.find('\n', begin);
  settings.replace(begin, end - begin,
                   "listeners:\n  - {address: \"127.0.0.1:" + std::to_string(keygate.port()) +
                       "\", tls: {certificate_file: none.crt, private_key_file: none.key}}");
  keygate.directory().write("keygate.yaml", settings);
  const Finished finished = keygate.run_to_failure();
  EXPECT_NE(finished.status.code, 0);
  EXPECT_THAT(finished.errors, HasSubstr("none.crt"));
}

}  // namespace
}  // namespace keygate::test
