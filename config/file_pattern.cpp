#include "config/file_pattern.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace keygate::config {
namespace {

namespace fs = std::filesystem;

std::string_view last_part(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// Whether what `path` leads to lies below `folder`, which is there.
bool stays_below(const fs::path& path, const fs::path& folder) {
  std::error_code error;
  const auto real = fs::canonical(path, error);
  const auto real_folder = error ? fs::path() : fs::canonical(folder, error);
  if (error) return true;  // it leads nowhere, which is said when it is read
  return std::mismatch(real_folder.begin(), real_folder.end(), real.begin(), real.end()).first == real_folder.end();
}

}  // namespace

bool is_file_pattern(std::string_view path) { return last_part(path).find_first_of("*?") != std::string_view::npos; }

bool fits_pattern(std::string_view pattern, std::string_view name) {
  if (name.starts_with('.')) return false;
  // The last star is where to go on from when the rest does not fit: it takes one character more.
  std::size_t p = 0, n = 0, star = std::string_view::npos, taken = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++taken;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::vector<std::string> names_fitting(const std::string& path, std::error_code& error) {
  const fs::path folder = fs::path(path).parent_path();
  std::vector<std::string> names;
  for (fs::directory_iterator entry(folder.empty() ? "." : folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (fits_pattern(last_part(path), name)) names.push_back(name);
  }
  if (error) return {};
  std::sort(names.begin(), names.end());
  return names;
}

Parsed<std::vector<std::string>> files_of_pattern(const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  if (folder.string().find_first_of("*?") != std::string::npos) {
    return Fault{quoted(path) + " has a wildcard in the name of a folder", "name the folder, as in routes.d/*.yaml"};
  }
  if (!is_file_pattern(path)) return std::vector<std::string>{path};
  std::vector<std::string> files;
  std::error_code error;
  const auto names = names_fitting(path, error);
  if (error && error != std::errc::no_such_file_or_directory) {
    return Fault{quoted(folder.string()) + " cannot be listed: " + error.message(), ""};
  }
  for (const std::string& name : names) {
    const fs::path file = folder / name;
    if (!stays_below(file, folder.empty() ? "." : folder)) {
      return Fault{quoted(file.string()) + " is a symbolic link out of its folder", "include the file by its name"};
    }
    files.push_back(file.string());
  }
  if (files.empty()) return Fault{"no file fits " + quoted(path), "leave it out where there is none to be"};
  return files;
}

}  // namespace keygate::config
