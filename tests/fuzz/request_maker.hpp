// Requests to try a parser with: kept ones and made ones, some of them several in a row, most of them then spoilt a
// little. What comes out follows from the seed alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::fuzz {

class RequestMaker {
 public:
  // `kept`: whole requests to begin with, and `bodies`: chunked ones.
  RequestMaker(std::uint64_t seed, std::vector<std::string> kept, std::vector<std::string> bodies);

  std::string next();                    // what one client sends
  std::size_t below(std::size_t limit);  // a number under it

 private:
  template <std::size_t size>
  std::string_view one_of(const std::string_view (&words)[size]) {
    return words[below(size)];
  }
  template <std::size_t size, std::size_t odd_size>
  std::string_view usual(const std::string_view (&words)[size], const std::string_view (&odd)[odd_size]) {
    return is_one_in(24) ? one_of(odd) : one_of(words);
  }
  bool is_one_in(std::size_t count) { return below(count) == 0; }

  std::string made();
  std::string with_body();
  std::string chunks();
  std::string field();
  void spoil(std::string& text);
  void spoil_line(std::string& text);

  std::mt19937_64 random_;
  std::vector<std::string> kept_, bodies_;
};

}  // namespace keygate::fuzz
