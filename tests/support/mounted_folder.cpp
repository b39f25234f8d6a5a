#include "tests/support/mounted_folder.hpp"

#include <fstream>
#include <utility>

namespace keygate::test {

namespace fs = std::filesystem;

MountedFolder::MountedFolder(fs::path path) : path_(std::move(path)) { fs::create_directories(path_); }

void MountedFolder::publish(const std::map<std::string, std::string>& files) {
  const std::string last = "..version_" + std::to_string(version_);
  const std::string next = "..version_" + std::to_string(++version_);
  fs::create_directory(path_ / next);
  for (const auto& [name, content] : files) std::ofstream(path_ / next / name, std::ios::binary) << content;
  fs::create_symlink(next, path_ / "..data_tmp");
  fs::rename(path_ / "..data_tmp", path_ / "..data");
  for (const auto& [name, content] : files) {
    if (!fs::is_symlink(path_ / name)) fs::create_symlink("..data/" + name, path_ / name);
  }
  fs::remove_all(path_ / last);
}

}  // namespace keygate::test
