// What a fuzz target is: one function of bytes, in which promises are held. A promise that does not hold is said on
// stderr and ends the process, by which libFuzzer and the replay know (docs/fuzzing.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::fuzz {

// Each `*_fuzz.cpp` defines it. `input` stands in memory of exactly its size.
void probe(std::string_view input);

// The text in double quotes, with what cannot be printed as \xNN.
std::string quoted(std::string_view text);

// At least one piece, perhaps empty.
std::vector<std::string_view> split(std::string_view text, char separator);

[[noreturn]] void broken(std::string_view promise, const std::string& how = {});

inline void hold(bool holds, std::string_view promise) {
  if (!holds) broken(promise);
}

inline void hold_equal(std::string_view is, std::string_view expected, std::string_view promise) {
  if (is != expected) broken(promise, quoted(is) + " where " + quoted(expected) + " is due");
}

inline void hold_equal(std::uint64_t is, std::uint64_t expected, std::string_view promise) {
  if (is != expected) broken(promise, std::to_string(is) + " where " + std::to_string(expected) + " is due");
}

}  // namespace keygate::fuzz
