// The access log: one line a finished exchange, on stdout. Workers format into a buffer of their own; a thread of the
// log's writes. A sink that blocks or fails costs lines, which are counted, and never a request's time.
#pragma once

#include "telemetry/outcome.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace keygate::telemetry {

enum class AccessFormat : unsigned char { json, text, colour };

// One JSON object and a newline; client bytes are escaped, each field cut to 512 bytes (H-13).
void append_json(std::string& out, const Outcome& outcome);

// One line for people: status, method, path, reason and what would have to change.
void append_text(std::string& out, const Outcome& outcome, AccessFormat format);

class AccessLog {
 public:
  static constexpr std::size_t max_queued_bytes = 8U << 20U;

  // Writes to `descriptor`, which it does not close.
  explicit AccessLog(int descriptor);
  ~AccessLog();  // writes what is queued, for at most a second
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  // Hands over `lines` (whole lines, `count` of them) and leaves it empty with its capacity. Any thread; never blocks
  // on the sink. Beyond max_queued_bytes the lines are dropped and counted.
  void write(std::string& lines, std::uint64_t count);

  std::uint64_t dropped() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace keygate::telemetry
