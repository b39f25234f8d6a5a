#include "app/file_places.hpp"

#include <deque>
#include <filesystem>
#include <system_error>
#include <vector>

namespace keygate::app {
namespace {

namespace fs = std::filesystem;

constexpr int max_symlinks = 40;  // as many as Linux follows

void put_in_front(const fs::path& path, std::deque<std::string>& names) {
  std::vector<std::string> parts;
  for (const fs::path& part : path.relative_path()) {
    parts.push_back(part.string());
  }
  names.insert(names.begin(), parts.begin(), parts.end());
}

}  // namespace

void add_places(const std::string& path, Places& places) {
  std::error_code error;
  const fs::path whole = fs::absolute(path, error);
  if (error) {
    return;
  }
  std::deque<std::string> names;
  put_in_front(whole, names);
  fs::path folder = "/";
  for (int symlinks = 0; !names.empty();) {
    const std::string name = names.front();
    names.pop_front();
    if (name.empty() || name == ".") {
      continue;
    }
    if (name == "..") {
      folder = folder.parent_path();
      continue;
    }
    places[folder.string()].insert(name);
    const fs::path entry = folder / name;
    const fs::file_status status = fs::symlink_status(entry, error);
    if (fs::is_symlink(status)) {
      const fs::path target = fs::read_symlink(entry, error);
      if (error || ++symlinks > max_symlinks) {
        return;
      }
      folder = target.is_absolute() ? fs::path("/") : folder;
      put_in_front(target, names);
    } else if (fs::is_directory(status)) {
      folder = entry;
    } else {
      return;
    }
  }
}

}  // namespace keygate::app
