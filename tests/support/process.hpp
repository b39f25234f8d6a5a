// A child process whose output can be read while it runs. Ended by its pid when the owner goes, and by the kernel
// should the test itself die first.
#pragma once

#include "tests/support/patience.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace keygate::test {

struct Command {
  std::vector<std::string> argv{};         // argv[0] is looked up in PATH
  std::vector<std::string> environment{};  // NAME=value, added to ours
  std::string directory{};                 // empty: ours
  std::string input{};                     // stdin; empty: nothing to read
};

struct ExitStatus {
  int code = -1;   // -1: ended by a signal
  int signal = 0;  // 0: exited by itself
  bool operator==(const ExitStatus&) const = default;
};

class Process {
 public:
  explicit Process(const Command& command);
  ~Process();  // SIGKILL if it still runs
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  std::optional<ExitStatus> exited();
  // nullopt: still running after `limit`.
  std::optional<ExitStatus> wait(std::chrono::milliseconds limit = patience);

  std::string output() const;  // stdout so far
  std::string errors() const;  // stderr so far

 private:
  pid_t pid_ = -1;
  int output_ = -1;
  int errors_ = -1;
  std::optional<ExitStatus> status_;
};

struct Finished {
  ExitStatus status;
  std::string output;
  std::string errors;
};

// Runs to the end; throws std::runtime_error when it does not end in time.
Finished run(const Command& command, std::chrono::milliseconds limit = std::chrono::seconds(60));

// Resident memory now, and the most there ever was (VmRSS, VmHWM), in bytes.
std::size_t resident_bytes(pid_t pid);
std::size_t peak_resident_bytes(pid_t pid);
// The most there ever was is counted from now on: a start costs more than what follows.
void forget_peak(pid_t pid);

}  // namespace keygate::test
