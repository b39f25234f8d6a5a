// One client's connection as the proxy reads it, without any I/O: which requests it takes, and what goes up of them.
// What another parser is held against.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keygate::fuzz {

struct ReadRequest {
  std::string method, target, version;  // "1.1"
  bool is_upgrade = false;
  std::vector<std::pair<std::string, std::string>> fields{};
  std::string body{};
  bool is_whole = false;
};

// Its bytes and what they say.
struct ReadBytes {
  std::string bytes{};
  std::vector<ReadRequest> requests{};
};

struct GateReading {
  ReadBytes taken;                      // of what came
  ReadBytes sent;                       // of what goes up: to one upstream, on one connection
  bool is_kept = false;                 // the client's connection goes on behind what was taken
  bool is_cut_short = false;            // others stop reading behind what was taken, and we do not
  bool has_leniency = false;            // in what was taken: what others may refuse, and what does not go up
  std::size_t refused = 0, denied = 0;  // 0 or 1 that ended it; accepted heads of which nothing goes up
};

// `piece`: how long the next piece of a chunked body is.
GateReading read_by_gate(std::string_view input, const std::function<std::size_t()>& piece);

// One text for each meaning, which is how readings are compared.
std::string written(const std::vector<ReadRequest>& requests);

}  // namespace keygate::fuzz
