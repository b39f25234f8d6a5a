// Readers of single values: text, booleans, numbers, durations, sizes and words of a fixed choice.
// All are strict: a quoted word is no boolean or number, and a leading zero is a fault, not octal.
#pragma once

#include "config/fault.hpp"
#include "config/reader.hpp"
#include "config/reader_steps.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace keygate::config {

Reader<std::string> text(std::string form = "text");  // one line, not empty
Reader<std::string> prose();                          // may have several lines
Reader<bool> boolean();
Reader<std::uint64_t> whole_number(std::uint64_t least, std::uint64_t most);
Reader<std::chrono::milliseconds> duration(std::chrono::milliseconds least, std::chrono::milliseconds most);
Reader<std::uint64_t> size(std::uint64_t least, std::uint64_t most);
// As size, and the word "unlimited" for the number that stands for it.
Reader<std::uint64_t> size_or_unlimited(std::uint64_t unlimited);
Reader<double> fraction();        // 0 to 1
Reader<std::string> file_path();  // resolved against the file it was written in
// The same for the path of a unix socket that stands in `value`; complains where the system has no room for it.
std::string socket_beside_file(const Value& value, const std::string& path);
// Null and nothing else; anything else needs a later version.
Reader<std::monostate> only_null();

// Text that must be one of these; complains with the nearest.
Reader<std::string> word_of(std::vector<std::string> words);

template <class V>
Reader<V> one_of(std::vector<std::pair<std::string, V>> choices) {
  std::vector<std::string> words;
  for (const auto& choice : choices) words.push_back(choice.first);
  return then(word_of(words), [choices](const Value&, const std::string& word) -> std::optional<V> {
    for (const auto& choice : choices) {
      if (choice.first == word) return choice.second;
    }
    return std::nullopt;
  });
}

// Text that a pure parser makes something of.
template <class V>
Reader<V> parsed(std::string form, Parsed<V> (*parse)(const std::string&)) {
  return then(text(form), [parse](const Value& value, const std::string& written) -> std::optional<V> {
    auto result = parse(written);
    if (auto* made = std::get_if<V>(&result)) return std::move(*made);
    const auto& fault = std::get<Fault>(result);
    value.complain(fault.message, fault.hint);
    return std::nullopt;
  });
}

}  // namespace keygate::config
