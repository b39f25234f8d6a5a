// Has a file changed since it was read? Taken before it is read, so that a change that comes in between is seen later.
// Only regular files are looked into: what a pipe holds can be read once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace keygate::config {

struct FileState {
  std::string path{};
  bool is_readable = false;   // and a regular file; the rest is 0 otherwise
  std::uint64_t size = 0;     // of what was looked at: 16 MiB and a little at most
  std::uint64_t content = 0;  // a hash
};

using FileStates = std::vector<FileState>;

// Of a name with wildcards, where no file is called so: the state of which names fit it.
FileState state_of(const std::string& path);

// One of them that is there and is no regular file, whose reading could wait for ever; null: none is.
const std::string* irregular_among(const FileStates& files);

// Whether what can be read there is the same, wherever it lies by now.
bool has_same_content(const FileState& one, const FileState& other);

}  // namespace keygate::config
