// Gives every file of the folders named to the fuzz target that this is linked with: what libFuzzer does with its
// corpus, for builds without it. Fails where there is nothing to replay.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int count, char** arguments) {
  std::set<std::filesystem::path> paths;  // in order, so that a failure comes at the same place again
  for (int i = 1; i < count; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(arguments[i])) paths.insert(entry.path());
  }
  for (const auto& path : paths) {
    std::fprintf(stderr, "%s\n", path.c_str());  // before it runs: where it traps, this is the last line
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    // Exactly as long as the input, so that AddressSanitizer sees what is read beyond it.
    const std::vector<std::uint8_t> exact(bytes.begin(), bytes.end());
    LLVMFuzzerTestOneInput(exact.data(), exact.size());
  }
  std::fprintf(stderr, "%zu inputs\n", paths.size());
  return paths.empty() ? 1 : 0;
}
