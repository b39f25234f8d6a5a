#include "telemetry/access_log.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <unistd.h>
#include <vector>

namespace keygate::telemetry {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 20s;

class Pipe {
 public:
  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) std::abort();
    read_end_ = ends[0];
    write_end_ = ends[1];
  }
  ~Pipe() {
    close_read();
    close_write();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int write_end() const { return write_end_; }
  void close_read() { close(read_end_); }
  void close_write() { close(write_end_); }

  // All that comes up to `end`, or until every writer has closed.
  std::string read_to(std::string_view end) const {
    std::string text;
    std::array<char, 64 * 1024> buffer{};
    ssize_t n = 0;
    while (!text.ends_with(end) && (n = ::read(read_end_, buffer.data(), buffer.size())) > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(n));
    }
    return text;
  }

  // So that nothing goes into it any more.
  void fill() const {
    const int flags = ::fcntl(write_end_, F_GETFL);
    ::fcntl(write_end_, F_SETFL, flags | O_NONBLOCK);
    const std::string block(4096, '.');
    while (::write(write_end_, block.data(), block.size()) > 0) {
    }
    ::fcntl(write_end_, F_SETFL, flags);
  }

 private:
  static void close(int& end) {
    if (end >= 0) ::close(end);
    end = -1;
  }

  int read_end_ = -1;
  int write_end_ = -1;
};

// Whether `log` has dropped that many before patience runs out.
bool has_dropped(const AccessLog& log, std::uint64_t count) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (log.dropped() < count && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  return log.dropped() >= count;
}

TEST(AccessLog, WritesWhatItIsHandedInOrder) {
  Pipe pipe;
  std::string expected;
  {
    AccessLog log(pipe.write_end());
    for (int i = 0; i < 100; ++i) {
      std::string lines = "line " + std::to_string(i) + "\n";
      expected += lines;
      log.write(lines, 1);
    }
  }
  pipe.close_write();
  EXPECT_EQ(pipe.read_to("nothing else"), expected);
}

TEST(AccessLog, LeavesTheLinesEmptyWithTheirRoom) {
  Pipe pipe;
  AccessLog log(pipe.write_end());
  std::string lines(1'000, 'x');
  lines.back() = '\n';
  const auto capacity = lines.capacity();
  log.write(lines, 1);
  EXPECT_TRUE(lines.empty());
  EXPECT_EQ(lines.capacity(), capacity);
  log.write(lines, 0);
  EXPECT_EQ(log.dropped(), 0U);
}

TEST(AccessLog, WritesMoreThanAPipeHoldsToOneThatIsRead) {
  Pipe pipe;
  AccessLog log(pipe.write_end());
  std::string expected;
  for (int i = 0; i < 1'000; ++i) {
    std::string lines = std::to_string(i) + std::string(1'000, 'x') + "\n";
    expected += lines;
    log.write(lines, 1);
  }
  EXPECT_EQ(pipe.read_to("\n999" + std::string(1'000, 'x') + "\n"), expected);
}

TEST(AccessLog, WritesToAFile) {
  const auto file = std::unique_ptr<std::FILE, int (*)(std::FILE*)>(std::tmpfile(), std::fclose);
  ASSERT_TRUE(file);
  {
    AccessLog log(::fileno(file.get()));
    std::string lines = "one\ntwo\n";
    log.write(lines, 2);
  }
  std::array<char, 64> buffer{};
  EXPECT_EQ(::pread(::fileno(file.get()), buffer.data(), buffer.size(), 0), 8);
  EXPECT_STREQ(buffer.data(), "one\ntwo\n");
}

TEST(AccessLog, DropsAndCountsWhatABlockedPipeDoesNotTakeAndNeverWaits) {
  Pipe pipe;
  pipe.fill();
  const std::size_t line_size = 1U << 20U;
  auto log = std::make_unique<AccessLog>(pipe.write_end());
  // One full queue may be on its way out and another waits: of the rest every line is dropped.
  const std::uint64_t lines = 3 * (AccessLog::max_queued_bytes / line_size);
  for (std::uint64_t i = 0; i < lines; ++i) {
    std::string line(line_size, 'x');
    line.back() = '\n';
    log->write(line, 1);
    EXPECT_TRUE(line.empty());
  }
  EXPECT_GE(log->dropped(), lines / 3);
  EXPECT_LE(log->dropped(), lines * 2 / 3);

  const auto began = std::chrono::steady_clock::now();
  log.reset();
  const auto took = std::chrono::steady_clock::now() - began;
  EXPECT_GE(took, 900ms) << "what is queued has its second";
  EXPECT_LT(took, patience) << "and no more";
}

TEST(AccessLog, DropsAndCountsWhatAFullDiskDoesNotTake) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  {
    AccessLog log(full);
    std::string lines = "one\ntwo\nthree\n";
    log.write(lines, 3);
    EXPECT_TRUE(has_dropped(log, 3));
  }
  ::close(full);
}

TEST(AccessLog, DropsAndCountsWhatAClosedPipeDoesNotTake) {
  std::signal(SIGPIPE, SIG_IGN);
  Pipe pipe;
  pipe.close_read();
  AccessLog log(pipe.write_end());
  for (int i = 1; i <= 3; ++i) {
    std::string lines = "one\ntwo\n";
    log.write(lines, 2);
    EXPECT_TRUE(has_dropped(log, 2U * static_cast<unsigned>(i)));
  }
}

TEST(AccessLog, GoesOnWhenABlockedPipeIsReadAgain) {
  Pipe pipe;
  pipe.fill();
  AccessLog log(pipe.write_end());
  std::string lines = "after\n";
  log.write(lines, 1);
  EXPECT_TRUE(pipe.read_to("after\n").ends_with(".after\n"));
}

TEST(AccessLog, ConcurrentWritersLoseAndTearNothing) {
  Pipe pipe;
  constexpr int writers = 4, lines_each = 500;
  AccessLog log(pipe.write_end());
  std::vector<std::thread> threads;
  for (int w = 0; w < writers; ++w) {
    threads.emplace_back([&log, w] {
      for (int i = 0; i < lines_each; ++i) {
        std::string line = std::to_string(w) + ":" + std::to_string(i) + "\n";
        log.write(line, 1);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(log.dropped(), 0U);
  std::string end = "end\n";
  log.write(end, 1);
  std::string got = pipe.read_to("end\n");
  got.resize(got.size() - 4);
  std::istringstream in(got);
  std::vector<int> next(writers, 0);
  int count = 0;
  for (std::string line; std::getline(in, line); ++count) {
    const auto colon = line.find(':');
    ASSERT_NE(colon, std::string::npos) << line;
    const auto writer = static_cast<std::size_t>(std::stoi(line.substr(0, colon)));
    EXPECT_EQ(std::stoi(line.substr(colon + 1)), next.at(writer)++) << "in order for each writer";
  }
  EXPECT_EQ(count, writers * lines_each);
}

}  // namespace
}  // namespace keygate::telemetry
