#include "telemetry/log.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

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

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made = std::make_shared<spdlog::logger>("keygate", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *instance;
}

std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      c = '?';
    }
  }
  return out;
}

}  // namespace

void configure_log(const LogOptions& options) {
  logger().set_level(to_spdlog(options.level));
  if (!options.json) {
    logger().set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    return;
  }
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<JsonMessage>('*').set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":%*})");
  logger().set_formatter(std::move(formatter));
}

void log(Level level, std::string_view message) { logger().log(to_spdlog(level), printable(message)); }

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
  log(level, left_out == 0 ? std::string(message)
                           : std::string(message) + " (" + std::to_string(left_out) + " more like this since the last)");
}

}  // namespace keygate::telemetry
