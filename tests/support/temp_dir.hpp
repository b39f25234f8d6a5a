// A directory that lives as long as one test.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace keygate::test {

class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::string operator/(std::string_view name) const { return (path_ / name).string(); }

  // Written beside it and renamed: a reader sees the old file or the new one, never half of it.
  std::string write(std::string_view name, std::string_view content) const;

 private:
  std::filesystem::path path_;
};

std::string read_file(const std::filesystem::path& path);

// `size` bytes that do not repeat, the same ones each time; returns their SHA-256 in hex.
std::string write_pattern(const std::filesystem::path& path, std::size_t size);
std::string sha256_of_file(const std::filesystem::path& path);

}  // namespace keygate::test
