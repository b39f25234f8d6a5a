#include "app/key_page.hpp"

namespace keygate::app {
namespace {

constexpr std::size_t size_of_a_key = 600;  // with ids of 128 characters
constexpr std::size_t size_of_a_scope = 8;  // quoted, with a comma
constexpr std::size_t size_of_a_need = 60;  // its name twice, and a time

}  // namespace

std::size_t size_of(const keys::StoredKey& key) {
  std::size_t size = size_of_a_key;
  for (const std::string& scope : key.scopes) size += scope.size() + size_of_a_scope;
  return size;
}

std::size_t size_of(const keys::UsedKey& used) {
  std::size_t size = size_of(used.key);
  for (const std::string& scope : used.key.scopes) size += scope.size() + size_of_a_scope;  // where it is spare
  for (const auto& [scope, at] : used.required) size += 2 * scope.size() + size_of_a_need;
  return size;
}

}  // namespace keygate::app
