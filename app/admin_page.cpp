// The admin page as it was built in (app/admin_page.html), and what may run on it: its own script and style, by hash.
#include "app/admin_answer.hpp"
#include "app/admin_page_text.hpp"

#include <openssl/evp.h>

#include <array>

namespace keygate::app {
namespace {

// What stands between the two, as a browser hashes it.
std::string_view between(std::string_view text, std::string_view begin, std::string_view end) {
  const auto first = text.find(begin) + begin.size();
  return text.substr(first, text.find(end, first) - first);
}

std::string source_of(std::string_view inline_text) {
  std::array<unsigned char, 32> hash{};
  ::EVP_Digest(inline_text.data(), inline_text.size(), hash.data(), nullptr, ::EVP_sha256(), nullptr);
  std::array<unsigned char, 45> base64{};
  ::EVP_EncodeBlock(base64.data(), hash.data(), static_cast<int>(hash.size()));
  std::string text = "'sha256-";
  for (std::size_t i = 0; i + 1 < base64.size(); ++i) text += static_cast<char>(base64[i]);
  return text + "'";
}

std::string make_policy() {
  return "default-src 'none'; script-src " + source_of(between(admin_page(), "<script>", "</script>")) +
         "; style-src " + source_of(between(admin_page(), "<style>", "</style>")) +
         "; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}

}  // namespace

std::string_view admin_page() { return {admin_page_text, sizeof admin_page_text - 1}; }

const std::string& admin_page_policy() {
  static const std::string policy = make_policy();
  return policy;
}

}  // namespace keygate::app
