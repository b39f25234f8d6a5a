// Where does each value of a configuration come from: from which line, or is it a default? For `keygate config print`;
// reads the YAML once more, and knows nothing of what it means but the two shorthands.
#pragma once

#include "config/yaml_reader.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::config {

// One value as it was written, or not. Lives as long as it is held; its place is in the file that was read.
class Written {
 public:
  // `text` has been loaded without a fault. In its root `listen` and `upstream` stand as what they are short for.
  static Written read(std::string_view text, const std::string& file);

  // The value under that key, or at that place of a list. Of a scalar where a map or a list is meant (one word for a
  // list of one): that scalar.
  Written member(std::string_view key) const;
  Written item(std::size_t index) const;

  // nullopt: it is a default.
  std::optional<Position> where() const;
  // The names of the ${VARIABLES} in it.
  std::vector<std::string> variables() const;
  // Its text as it stands there, where it is a scalar.
  std::optional<std::string> text() const;

 private:
  Written(std::shared_ptr<const std::string> file, YamlNodePtr node) : file_(std::move(file)), node_(std::move(node)) {}

  std::shared_ptr<const std::string> file_;
  YamlNodePtr node_;  // null: not written
};

}  // namespace keygate::config
