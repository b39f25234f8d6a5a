// An OpenAPI document as a tree with places, JSON or YAML, read so that no two programs could read it in two ways: a
// key twice, a merge key, a number where a word should be is a fault. Pure; for openapi.
#pragma once

#include "config/problem.hpp"
#include "config/yaml_reader.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace keygate::app {

using config::YamlNode;
using config::YamlNodePtr;

// One value of the document, and the way to it.
struct DocumentValue {
  const YamlNode* node = nullptr;
  std::string path;  // paths["/a"].get
};

// Ends the reading; caught in read_openapi.
struct DocumentFault {
  config::Problem problem;
};

class Document {
 public:
  // `name`: what the file is called.
  static std::variant<Document, config::Problem> parse(std::string_view text, const std::string& name);

  DocumentValue root() const { return {root_.get(), ""}; }
  config::Position place(const DocumentValue& value) const;
  [[noreturn]] void refuse(const DocumentValue& value, std::string message, std::string hint = {}) const;

  // Of a map, which it has to be; a merge key is refused.
  std::vector<std::pair<std::string, DocumentValue>> members(const DocumentValue& map) const;
  DocumentValue member(const DocumentValue& map, std::string_view name) const;  // no node: there is none
  std::vector<DocumentValue> items(const DocumentValue& list) const;            // of a list, which it has to be
  // Of a scalar that nobody could take for a number, a boolean or nothing.
  const std::string& word(const DocumentValue& value) const;
  // A word or a list of words, at least one.
  std::vector<std::string> words(const DocumentValue& value) const;
  // Every key is one of `known`, or begins with "x-".
  void require_known_keys(const DocumentValue& map, const std::vector<std::string>& known) const;

 private:
  Document(YamlNodePtr root, std::shared_ptr<const std::string> file)
      : root_(std::move(root)), file_(std::move(file)) {}

  YamlNodePtr root_;
  std::shared_ptr<const std::string> file_;
};

}  // namespace keygate::app
