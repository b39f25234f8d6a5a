// From the text of one file to what a reader makes of it, and everything that is wrong with it.
#pragma once

#include "config/reader.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace keygate::config {

template <class T>
struct TextRead {
  std::optional<T> value;
  Problems problems;
  FileStates files;  // that were read for it, itself not counted
};

// `name` stands in places, and relative paths in the text are resolved against its folder.
template <class T>
TextRead<T> read_text(std::string_view text, const std::string& name, const EnvironmentLookup& environment,
                      const Reader<T>& reader) {
  Reading reading{std::make_shared<const std::string>(name), environment, {}};
  auto document = read_yaml(text, reading.file);
  reading.problems = std::move(document.problems);
  TextRead<T> outcome;
  if (document.root) outcome.value = reader.read(Value(*document.root, reading));
  outcome.problems = std::move(reading.problems);
  outcome.files = std::move(reading.files);
  return outcome;
}

}  // namespace keygate::config
