#include "tests/support/parked.hpp"

#include "tests/support/patience.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

namespace keygate::test {

std::size_t parked_clients(pid_t pid) {
  std::map<int, std::size_t> sizes;  // by the descriptor of the set
  std::set<int> members;
  std::error_code error;
  const std::string folder = "/proc/" + std::to_string(pid) + "/fdinfo";
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    std::ifstream info(entry.path());
    std::string word;
    while (info >> word) {
      int member = -1;
      if (word == "tfd:" && info >> member) {
        ++sizes[std::stoi(entry.path().filename())];
        members.insert(member);
      }
    }
  }
  std::size_t count = 0;
  for (const auto& [set, size] : sizes) {
    count += members.contains(set) ? size : 0;
  }
  return count;
}

bool are_parked(pid_t pid, std::size_t count) {
  return eventually([&] { return parked_clients(pid) == count; });
}

}  // namespace keygate::test
