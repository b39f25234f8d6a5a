#include "telemetry/log.hpp"

#include "telemetry/audit_log.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <string>

namespace keygate::telemetry {
namespace {

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warn:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

// %* in the JSON pattern: the message as a JSON string, so that nothing in it can end the line or forge another.
class JsonMessage : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    const std::string quoted =
        boost::json::serialize(boost::json::value(boost::json::string(message.payload.data(), message.payload.size())));
    out.append(quoted.data(), quoted.data() + quoted.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<JsonMessage>(); }
};

constexpr spdlog::level::level_enum audit_level = spdlog::level::critical;  // which no threshold keeps back

// %@ in both patterns: the level, as Keygate calls it.
class LevelName : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    const auto name = spdlog::level::to_string_view(message.level);
    const std::string_view shown =
        message.level == audit_level ? std::string_view("audit") : std::string_view(name.data(), name.size());
    out.append(shown.data(), shown.data() + shown.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<LevelName>(); }
};

std::unique_ptr<spdlog::pattern_formatter> formatter_of(const char* pattern) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<JsonMessage>('*').add_flag<LevelName>('@').set_pattern(pattern);
  return formatter;
}

constexpr const char* text_pattern = "%Y-%m-%dT%H:%M:%S.%eZ %@ %v";
constexpr const char* json_pattern = R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%@","message":%*})";

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made = std::make_shared<spdlog::logger>("keygate", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_formatter(formatter_of(text_pattern));
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *instance;
}

// How many bytes at the start of `text` are one character that may be shown; 0: a control, or no UTF-8 (RFC 3629),
// which would make the line no JSON.
std::size_t shown_size(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return byte(0) < 0x20 || byte(0) == 0x7f ? 0 : 1;
  const std::size_t size = byte(0) < 0xe0 ? 2 : byte(0) < 0xf0 ? 3 : 4;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return 0;
  }
  const bool is_control = byte(0) == 0xc2 && byte(1) < 0xa0;
  const bool is_overlong = (byte(0) == 0xe0 && byte(1) < 0xa0) || (byte(0) == 0xf0 && byte(1) < 0x90);
  const bool is_no_character = (byte(0) == 0xed && byte(1) > 0x9f) || (byte(0) == 0xf4 && byte(1) > 0x8f);
  return is_control || is_overlong || is_no_character ? 0 : size;
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t size = shown_size(text);
    out += size == 0 ? std::string_view("?") : text.substr(0, size);
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

}  // namespace

void configure_log(const LogOptions& options) {
  logger().set_level(to_spdlog(options.level));
  logger().set_formatter(formatter_of(options.json ? json_pattern : text_pattern));
}

void log(Level level, std::string_view message) { logger().log(to_spdlog(level), printable(message)); }

void audit(std::string_view message) { logger().log(audit_level, printable(message)); }

void log_seldom(Level level, std::string_view topic, std::string_view message) {
  struct Last {
    std::chrono::steady_clock::time_point at;
    unsigned left_out = 0;
  };
  static std::mutex mutex;
  static std::map<std::string, Last, std::less<>> topics;
  const auto now = std::chrono::steady_clock::now();
  unsigned left_out = 0;
  {
    const std::lock_guard lock(mutex);
    auto [it, is_new] = topics.try_emplace(std::string(topic), Last{now, 0});
    if (!is_new && now - it->second.at < std::chrono::seconds(10)) {
      ++it->second.left_out;
      return;
    }
    left_out = it->second.left_out;
    it->second = Last{now, 0};
  }
  log(level, left_out == 0
                 ? std::string(message)
                 : std::string(message) + " (" + std::to_string(left_out) + " more like this since the last)");
}

}  // namespace keygate::telemetry
