#include "keys/redis_reply.hpp"

#include <algorithm>
#include <array>

namespace keygate::keys {

namespace {

std::string_view code_of(std::string_view error) { return error.substr(0, error.find(' ')); }

struct Code {
  std::string_view word;
  RedisFault fault;
};

constexpr std::array<Code, 14> codes{{
    {"LOADING", RedisFault::not_ready},
    {"BUSY", RedisFault::not_ready},
    {"MASTERDOWN", RedisFault::not_ready},
    {"CLUSTERDOWN", RedisFault::not_ready},
    {"TRYAGAIN", RedisFault::not_ready},
    {"READONLY", RedisFault::read_only},
    {"NOAUTH", RedisFault::denied},
    {"WRONGPASS", RedisFault::denied},
    {"NOPERM", RedisFault::denied},
    {"OOM", RedisFault::refused},
    {"MISCONF", RedisFault::refused},
    {"WRONGTYPE", RedisFault::refused},
    {"MOVED", RedisFault::redirected},
    {"ASK", RedisFault::redirected},
}};

}  // namespace

bool RedisReply::is_error(std::string_view code) const { return is_error() && code_of(text) == code; }

RedisFault fault_of(std::string_view error) {
  const std::string_view word = code_of(error);
  if (error.find("max number of clients") != std::string_view::npos) return RedisFault::not_ready;
  const auto known = std::ranges::find(codes, word, &Code::word);
  if (known != codes.end()) return known->fault;
  // Redis 6 has what a script ran into within an error of the script: "ERR Error running script (…): -READONLY You …".
  const auto within = std::ranges::find_if(codes, [error](const Code& code) {
    return error.find(" -" + std::string(code.word) + " ") != std::string_view::npos;
  });
  return within == codes.end() ? RedisFault::other : within->fault;
}

std::string_view to_string(RedisFault fault) {
  switch (fault) {
    case RedisFault::not_ready:
      return "not_ready";
    case RedisFault::read_only:
      return "read_only";
    case RedisFault::denied:
      return "denied";
    case RedisFault::refused:
      return "refused";
    case RedisFault::redirected:
      return "redirected";
    case RedisFault::other:
      return "other";
  }
  return "other";
}

}  // namespace keygate::keys
