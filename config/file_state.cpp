#include "config/file_state.hpp"

#include "config/file_pattern.hpp"
#include "config/source_text.hpp"

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

namespace keygate::config {
namespace {

// FNV-1a: nobody gains by a collision who could not write the file.
constexpr std::uint64_t hash_of_nothing = 0xcbf29ce484222325;

std::uint64_t hash(std::uint64_t so_far, std::string_view bytes) {
  for (const char c : bytes) {
    so_far = (so_far ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return so_far;
}

// A name that comes or goes is a change, and what becomes of the files themselves is not.
FileState state_of_names(const std::string& path) {
  FileState state{.path = path, .is_readable = true, .content = hash_of_nothing};
  std::error_code error;
  const auto names = names_fitting(path, error);
  state.is_readable = !error || error == std::errc::no_such_file_or_directory;
  for (const std::string& name : names) {
    state.content = hash(state.content, name + '/');
    state.size += 1;
  }
  return state;
}

}  // namespace

FileState state_of(const std::string& path) {
  const FileState nothing{.path = path};
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return is_file_pattern(path) ? state_of_names(path) : nothing;
  std::ifstream file;
  file.rdbuf()->pubsetbuf(nullptr, 0);  // it would keep a copy, and it may be a secret
  file.open(path, std::ios::binary);
  if (!file) return nothing;
  FileState state{.path = path, .is_readable = true, .content = hash_of_nothing};
  std::array<char, 16 * 1024> block;
  while (state.size <= max_source_bytes && file) {
    file.read(block.data(), block.size());
    const auto count = static_cast<std::size_t>(file.gcount());
    state.content = hash(state.content, {block.data(), count});
    state.size += count;
  }
  ::explicit_bzero(block.data(), block.size());
  return file.bad() ? nothing : state;
}

const std::string* irregular_among(const FileStates& files) {
  for (const FileState& file : files) {
    std::error_code error;
    const auto status = std::filesystem::status(file.path, error);
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) return &file.path;
  }
  return nullptr;
}

bool has_same_content(const FileState& one, const FileState& other) {
  return one.is_readable == other.is_readable && one.size == other.size && one.content == other.content;
}

}  // namespace keygate::config
