// Why a piece of text does not fit: what pure parsers answer instead of a value.
// Whoever called them knows the place and makes a Problem of it.
#pragma once

#include <string>
#include <variant>

namespace keygate::config {

struct Fault {
  std::string message;
  std::string hint;
};

template <class T>
using Parsed = std::variant<T, Fault>;

// The text in double quotes for a message: cut at 60 characters, control characters as "?".
std::string quoted(const std::string& text);

}  // namespace keygate::config
