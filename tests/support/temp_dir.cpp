#include "tests/support/temp_dir.hpp"

#include <openssl/evp.h>

#include <array>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <stdlib.h>
#include <system_error>
#include <vector>

namespace keygate::test {
namespace {

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }

  void add(const void* data, std::size_t size) { EVP_DigestUpdate(context_.get(), data, size); }

  std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_DigestFinal_ex(context_.get(), digest.data(), &size);
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (unsigned i = 0; i < size; ++i) {
      text += digits[digest[i] >> 4];
      text += digits[digest[i] & 15];
    }
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

TempDir::TempDir() {
  std::string name = (std::filesystem::temp_directory_path() / "keygate-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) {
    throw std::system_error(errno, std::generic_category(), "mkdtemp");
  }
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TempDir::write(std::string_view name, std::string_view content) const {
  const std::string target = *this / name;
  const std::string beside = target + ".new";
  {
    std::ofstream file(beside, std::ios::binary | std::ios::trunc);
    file.write(content.data(), static_cast<std::streamsize>(content.size()));
    if (!file.flush()) {
      throw std::runtime_error("cannot write " + beside);
    }
  }
  std::filesystem::rename(beside, target);
  return target;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string write_pattern(const std::filesystem::path& path, std::size_t size) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  Sha256 sha;
  std::vector<std::uint32_t> block(16 * 1024);
  std::uint32_t state = 2463534242U;
  for (std::size_t left = size; left > 0;) {
    for (std::uint32_t& word : block) {
      state ^= state << 13;
      state ^= state >> 17;
      state ^= state << 5;
      word = state;
    }
    const std::size_t piece = std::min(left, block.size() * sizeof(std::uint32_t));
    const std::string bytes(static_cast<const char*>(static_cast<const void*>(block.data())), piece);
    file.write(bytes.data(), static_cast<std::streamsize>(piece));
    sha.add(bytes.data(), piece);
    left -= piece;
  }
  if (!file.flush()) {
    throw std::runtime_error("cannot write " + path.string());
  }
  return sha.hex();
}

std::string sha256_of_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  Sha256 sha;
  std::vector<char> block(256 * 1024);
  while (file.read(block.data(), static_cast<std::streamsize>(block.size())) || file.gcount() > 0) {
    sha.add(block.data(), static_cast<std::size_t>(file.gcount()));
  }
  return sha.hex();
}

}  // namespace keygate::test
