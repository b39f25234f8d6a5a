// The operational log: what the operator should know of the process itself, on stderr. Requests go to the access log.
// Safe from any thread; never called once a request in the good case.
#pragma once

#include <string_view>

namespace keygate::telemetry {

enum class Level : unsigned char { debug, info, warn, error };

struct LogOptions {
  Level level = Level::info;
  bool json = true;
};

// Sets form and threshold for the whole process; before it is called, text at info. Call from one thread at a time.
void configure_log(const LogOptions& options);

void log(Level level, std::string_view message);

// The same line at most once in ten seconds per `topic`, with the number that were left out in between.
void log_seldom(Level level, std::string_view topic, std::string_view message);

}  // namespace keygate::telemetry
