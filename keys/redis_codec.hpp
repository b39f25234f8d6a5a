// Commands as bytes, and bytes as replies: hiredis as a codec and no more, behind our own gate. Used by
// redis_connection.
#pragma once

#include "keys/redis_reply.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::keys {

// The words of one command; views that live as long as the call they are passed to.
using RedisWords = std::vector<std::string_view>;

std::string encode_command(const RedisWords& words);

class RedisReader {
 public:
  RedisReader();
  ~RedisReader();
  RedisReader(const RedisReader&) = delete;
  RedisReader& operator=(const RedisReader&) = delete;

  // Takes what has arrived. A sentence on what is wrong with it, or nothing; after a flaw the connection is at its end.
  std::string_view feed(std::string_view bytes);

  // The next reply that is complete.
  std::optional<RedisReply> next();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace keygate::keys
