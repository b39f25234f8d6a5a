#include "tests/support/shipped_keys.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

namespace keygate::test {

std::filesystem::path source_folder() { return KEYGATE_SOURCE_DIR; }

std::string example_file(std::string_view example, std::string_view file) {
  return (source_folder() / "config/examples" / example / file).string();
}

Finished ShippedKeys::command(std::vector<std::string> verb) const {
  verb.insert(verb.begin(), keygate_binary());
  verb.insert(verb.end(), {"-c", config_file_});
  return run({verb, environment(), "", ""});
}

Key ShippedKeys::create_key(const std::string& organization, const std::string& scopes,
                            const std::vector<std::string>& more) {
  std::vector<std::string> verb{"keys", "create", "--json", "--organization", organization, "--scopes", scopes};
  verb.insert(verb.end(), more.begin(), more.end());
  const Finished finished = command(verb);
  if (finished.status.code != 0) {
    throw std::runtime_error("no key: " + finished.errors);
  }
  const auto made = boost::json::parse(finished.output).as_object();
  const Key key{text_of(made, "key_id"), text_of(made, "key")};
  remember(key);
  return key;
}

boost::json::object ShippedKeys::listed(const Key& key) const {
  const auto all = boost::json::parse(command({"keys", "list", "--json"}).output);
  for (const auto& one : all.at("keys").as_array()) {
    if (text_of(one.as_object(), "key_id") == key.id) {
      return one.as_object();
    }
  }
  ADD_FAILURE() << key.id << " is not in the list";
  return {};
}

bool ShippedKeys::is_key_in(std::string_view text) const {
  return std::ranges::any_of(known_keys_, [text](const std::string& key) {
    return text.find(std::string_view(key).substr(14)) != std::string_view::npos;
  });
}

}  // namespace keygate::test
