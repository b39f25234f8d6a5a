// One value of a configuration file with its place: what readers read from and complain to.
// Made by the loader for the root of each file; lives as long as the YAML tree and the Reading beside it.
#pragma once

#include "config/environment.hpp"
#include "config/file_state.hpp"
#include "config/problem.hpp"
#include "config/yaml_reader.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace keygate::config {

// Past this many, one more error helps nobody; a file of nothing but faults must not cost gigabytes.
inline constexpr std::size_t max_errors = 1'000;

// What all values of one file share.
struct Reading {
  std::shared_ptr<const std::string> file;
  EnvironmentLookup environment;
  Problems problems;
  std::size_t errors = 0;
  FileStates files{};  // that were read for it, itself not counted
};

struct Scalar {
  std::string text;  // variables replaced
  bool is_plain = true;
};

class Value {
 public:
  struct Member;

  Value(const YamlNode& node, Reading& reading) : node_(&node), reading_(&reading) {}

  bool is_null() const { return node_->kind == YamlNode::Kind::null; }
  bool is_scalar() const { return node_->kind == YamlNode::Kind::scalar; }
  bool is_list() const { return node_->kind == YamlNode::Kind::list; }
  bool is_map() const { return node_->kind == YamlNode::Kind::map; }

  // Where it stands; of an empty value, where its key stands.
  Position where() const;
  const std::string& path() const { return path_; }
  Reading& reading() const { return *reading_; }

  // nullopt: not a scalar, or a variable in it is not set; the complaint has been made.
  std::optional<Scalar> scalar(const std::string& form) const;

  // Of a list its values, of anything else nothing.
  std::vector<Value> items() const;
  // Of a map its keys and values, of anything else nothing.
  std::vector<Member> members() const;
  std::optional<Value> member(const std::string& key) const;

  void complain(std::string message, std::string hint = {}) const;
  // The same of a part of it, or of one of its keys, that stands elsewhere.
  void complain_at(Position where, std::string message, std::string hint = {}) const;
  void warn(std::string message, std::string hint = {}) const;
  // "needs a whole number from 0 to 5, not "many""
  void refuse(const std::string& form, std::string hint = {}) const;

  // A file named in this one: relative to the folder that this one stands in.
  std::string path_beside_file(const std::string& name) const;

 private:
  Value(const YamlNode& node, Reading& reading, std::string path, const YamlEntry* entry)
      : node_(&node), reading_(&reading), path_(std::move(path)), entry_(entry) {}

  std::string described() const;
  // What a variable holds, or what may be a secret, is in no complaint.
  void conceal_within(std::string& message, std::string& hint) const;
  void report(Severity severity, Position where, std::string message, std::string hint) const;

  const YamlNode* node_;
  Reading* reading_;
  std::string path_;
  const YamlEntry* entry_ = nullptr;  // the key it was written under
};

struct Value::Member {
  Located<std::string> key;
  Value value;
};

}  // namespace keygate::config
