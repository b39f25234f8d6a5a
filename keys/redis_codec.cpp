#include "keys/redis_codec.hpp"

#include "keys/resp_gate.hpp"

#include <hiredis/hiredis.h>
#include <hiredis/read.h>

#include <new>

namespace keygate::keys {

namespace {

struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};

std::string text_of(const redisReply& raw) { return {raw.str, static_cast<std::size_t>(raw.len)}; }

// The gate lets nothing through that is nested deeper than RespGate::max_depth.
RedisReply value_of(const redisReply& raw) {
  switch (raw.type) {
    case REDIS_REPLY_INTEGER:
      return {RedisReply::Type::integer, raw.integer};
    case REDIS_REPLY_STATUS:
      return {RedisReply::Type::status, 0, text_of(raw)};
    case REDIS_REPLY_STRING:
      return {RedisReply::Type::string, 0, text_of(raw)};
    case REDIS_REPLY_ERROR:
      return {RedisReply::Type::error, 0, text_of(raw)};
    case REDIS_REPLY_ARRAY: {
      RedisReply array{RedisReply::Type::array};
      array.elements.reserve(raw.elements);
      for (std::size_t i = 0; i < raw.elements; ++i) array.elements.push_back(value_of(*raw.element[i]));
      return array;
    }
    default:
      return {};
  }
}

}  // namespace

std::string encode_command(const RedisWords& words) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  texts.reserve(words.size());
  sizes.reserve(words.size());
  for (const std::string_view word : words) {
    texts.push_back(word.data() == nullptr ? "" : word.data());
    sizes.push_back(word.size());
  }
  char* formatted = nullptr;
  const auto size = redisFormatCommandArgv(&formatted, static_cast<int>(words.size()), texts.data(), sizes.data());
  if (size < 0) throw std::bad_alloc();
  std::string bytes(formatted, static_cast<std::size_t>(size));
  redisFreeCommand(formatted);
  return bytes;
}

struct RedisReader::Impl {
  RespGate gate;
  std::unique_ptr<redisReader, void (*)(redisReader*)> reader{redisReaderCreate(), redisReaderFree};
};

RedisReader::RedisReader() : impl_(std::make_unique<Impl>()) {
  if (!impl_->reader) throw std::bad_alloc();
}

RedisReader::~RedisReader() = default;

std::string_view RedisReader::feed(std::string_view bytes) {
  if (const auto flaw = impl_->gate.pass(bytes)) return to_string(*flaw);
  if (redisReaderFeed(impl_->reader.get(), bytes.data(), bytes.size()) != REDIS_OK) return "a reply cannot be read";
  return {};
}

std::optional<RedisReply> RedisReader::next() {
  void* raw = nullptr;
  if (redisReaderGetReply(impl_->reader.get(), &raw) != REDIS_OK || raw == nullptr) return std::nullopt;
  const std::unique_ptr<redisReply, FreeReply> reply(static_cast<redisReply*>(raw));
  return value_of(*reply);
}

}  // namespace keygate::keys
