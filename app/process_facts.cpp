#include "app/process_facts.hpp"

#include <dirent.h>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

namespace keygate::app {
namespace {

std::string content_of(const char* path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The fields of /proc/self/stat behind the name, which may hold blanks: the first of them is number 3 of proc(5).
std::vector<std::string> stat_fields() {
  const std::string text = content_of("/proc/self/stat");
  const auto end_of_name = text.rfind(')');
  if (end_of_name == std::string::npos) return {};
  std::istringstream rest(text.substr(end_of_name + 1));
  return {std::istream_iterator<std::string>(rest), {}};
}

double boot_time() {
  std::istringstream lines(content_of("/proc/stat"));
  for (std::string word; lines >> word;) {
    double seconds = 0;
    if (word == "btime" && lines >> seconds) return seconds;
  }
  return 0;
}

std::uint64_t count_descriptors() {
  DIR* const folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  std::uint64_t count = 0;
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return count > 3 ? count - 3 : 0;  // ".", "..", and the one that was opened to look
}

}  // namespace

ProcessFacts process_facts() {
  ProcessFacts facts;
  const std::vector<std::string> fields = stat_fields();
  const auto field = [&fields](std::size_t number) {
    return number - 3 < fields.size() ? std::stod(fields[number - 3]) : 0.0;
  };
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  facts.cpu_seconds = (field(14) + field(15)) / ticks;
  facts.threads = static_cast<std::uint64_t>(field(20));
  static const double booted_at = boot_time();
  facts.start_time_seconds = booted_at + field(22) / ticks;
  facts.virtual_bytes = static_cast<std::uint64_t>(field(23));
  facts.resident_bytes = static_cast<std::uint64_t>(field(24)) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  facts.open_descriptors = count_descriptors();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) facts.max_descriptors = limit.rlim_cur;
  return facts;
}

}  // namespace keygate::app
