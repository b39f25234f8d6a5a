#include "tests/support/process.hpp"

#include <array>
#include <fcntl.h>
#include <fstream>
#include <signal.h>
#include <sstream>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

extern char** environ;

namespace keygate::test {
namespace {

// Output goes to memory that grows: a child is never stopped by a pipe that nobody reads.
int memory_file(const char* name) {
  const int fd = memfd_create(name, MFD_CLOEXEC);
  if (fd < 0) {
    throw std::system_error(errno, std::generic_category(), "memfd_create");
  }
  return fd;
}

std::string everything_in(int fd) {
  std::string text;
  std::array<char, 64 * 1024> block{};
  for (;;) {
    const ssize_t size = pread(fd, block.data(), block.size(), static_cast<off_t>(text.size()));
    if (size <= 0) {
      return text;
    }
    text.append(block.data(), static_cast<std::size_t>(size));
  }
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) {
    pointers.push_back(word.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> environment_with(const std::vector<std::string>& added) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    bool replaced = false;
    for (const std::string& one : added) {
      replaced = replaced || text.starts_with(one.substr(0, one.find('=') + 1));
    }
    if (!replaced) {
      all.push_back(text);
    }
  }
  all.insert(all.end(), added.begin(), added.end());
  return all;
}

std::size_t status_kilobytes(pid_t pid, const std::string& field) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(field + ":")) {
      std::istringstream words(line.substr(field.size() + 1));
      std::size_t kilobytes = 0;
      words >> kilobytes;
      return kilobytes * 1024;
    }
  }
  throw std::runtime_error("no " + field + " for process " + std::to_string(pid));
}

}  // namespace

Process::Process(const Command& command) : output_(memory_file("stdout")), errors_(memory_file("stderr")) {
  const int input = memory_file("stdin");
  if (write(input, command.input.data(), command.input.size()) != static_cast<ssize_t>(command.input.size())) {
    throw std::runtime_error("cannot prepare standard input");
  }
  lseek(input, 0, SEEK_SET);
  std::vector<std::string> arguments = command.argv;
  std::vector<std::string> variables = environment_with(command.environment);
  const std::vector<char*> argv = pointers_to(arguments);
  const std::vector<char*> envp = pointers_to(variables);

  pid_ = fork();
  if (pid_ == 0) {
    // Only async-signal-safe calls from here: other threads of the test may have held locks.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    dup2(input, STDIN_FILENO);
    dup2(output_, STDOUT_FILENO);
    dup2(errors_, STDERR_FILENO);
    if (!command.directory.empty() && chdir(command.directory.c_str()) != 0) {
      _exit(126);
    }
    execvpe(argv[0], argv.data(), envp.data());
    _exit(127);
  }
  const int failure = errno;
  close(input);
  if (pid_ < 0) {
    throw std::system_error(failure, std::generic_category(), "fork");
  }
}

Process::~Process() {
  if (!exited()) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(output_);
  close(errors_);
}

void Process::signal(int number) const {
  if (!status_) {
    kill(pid_, number);
  }
}

std::optional<ExitStatus> Process::exited() {
  int raw = 0;
  if (!status_ && waitpid(pid_, &raw, WNOHANG) == pid_) {
    status_ = WIFEXITED(raw) ? ExitStatus{WEXITSTATUS(raw), 0} : ExitStatus{-1, WTERMSIG(raw)};
  }
  return status_;
}

std::optional<ExitStatus> Process::wait(std::chrono::milliseconds limit) {
  eventually([&] { return exited().has_value(); }, limit);
  return status_;
}

std::string Process::output() const { return everything_in(output_); }
std::string Process::errors() const { return everything_in(errors_); }

Finished run(const Command& command, std::chrono::milliseconds limit) {
  Process process(command);
  const auto status = process.wait(limit);
  if (!status) {
    throw std::runtime_error(command.argv.at(0) + " did not end in time: " + process.errors());
  }
  return {*status, process.output(), process.errors()};
}

std::size_t resident_bytes(pid_t pid) { return status_kilobytes(pid, "VmRSS"); }
std::size_t peak_resident_bytes(pid_t pid) { return status_kilobytes(pid, "VmHWM"); }

void forget_peak(pid_t pid) {
  std::ofstream file("/proc/" + std::to_string(pid) + "/clear_refs");
  if (!(file << "5" << std::flush)) {
    throw std::runtime_error("cannot reset the peak of process " + std::to_string(pid));
  }
}

}  // namespace keygate::test
