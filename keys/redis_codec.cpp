#include "keys/redis_codec.hpp"

#include "keys/resp_gate.hpp"

#include <hiredis/hiredis.h>
#include <hiredis/read.h>

#include <new>
#include <utility>

namespace keygate::keys {

namespace {

// Where hiredis' reader puts what it reads: the root of a reply is made here, all else is a place in it.
void* place_for(const redisReadTask* task, RedisReply::Type type) {
  if (task->parent == nullptr) return new RedisReply{type};
  // The gate lets nothing through that is nested deeper than RespGate::max_depth, or has more than max_elements.
  auto& siblings = static_cast<RedisReply*>(task->parent->obj)->elements;
  RedisReply& place = siblings[static_cast<std::size_t>(task->idx)];
  place.type = type;
  return &place;
}

RedisReply::Type type_of(int hiredis) {
  switch (hiredis) {
    case REDIS_REPLY_STATUS:
      return RedisReply::Type::status;
    case REDIS_REPLY_ERROR:
      return RedisReply::Type::error;
    default:
      return RedisReply::Type::string;
  }
}

// hiredis is C: nothing is thrown through it, and null tells it that there is no memory.
template <class Make>
void* made(Make make) noexcept {
  try {
    return make();
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void* create_string(const redisReadTask* task, char* text, std::size_t size) {
  return made([&] {
    void* const place = place_for(task, type_of(task->type));
    static_cast<RedisReply*>(place)->text.assign(text, size);
    return place;
  });
}

// `Count`: int up to hiredis 0.14, size_t since.
template <class Count>
void* create_array(const redisReadTask* task, Count count) {
  return made([&] {
    void* const place = place_for(task, RedisReply::Type::array);
    static_cast<RedisReply*>(place)->elements.resize(static_cast<std::size_t>(count));
    return place;
  });
}

void* create_integer(const redisReadTask* task, long long number) {
  return made([&] {
    void* const place = place_for(task, RedisReply::Type::integer);
    static_cast<RedisReply*>(place)->integer = number;
    return place;
  });
}

void* create_nil(const redisReadTask* task) {
  return made([&] { return place_for(task, RedisReply::Type::nil); });
}

// Of roots only.
void free_reply(void* reply) { delete static_cast<RedisReply*>(reply); }

redisReplyObjectFunctions* functions() {
  static redisReplyObjectFunctions table = [] {
    redisReplyObjectFunctions made_here{};
    made_here.createString = create_string;
    made_here.createArray = create_array;
    made_here.createInteger = create_integer;
    made_here.createNil = create_nil;
    made_here.freeObject = free_reply;
    return made_here;
  }();
  return &table;
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
  std::unique_ptr<redisReader, void (*)(redisReader*)> reader{redisReaderCreateWithFunctions(functions()),
                                                              redisReaderFree};
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
  const std::unique_ptr<RedisReply> reply(static_cast<RedisReply*>(raw));
  return std::move(*reply);
}

}  // namespace keygate::keys
