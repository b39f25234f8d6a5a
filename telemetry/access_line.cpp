#include "telemetry/access_log.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <span>
#include <string_view>

namespace keygate::telemetry {
namespace {

constexpr std::size_t max_field = 512;
constexpr std::size_t max_digits = 20;
constexpr std::ptrdiff_t block_size = 16;
constexpr std::ptrdiff_t word_size = 8;
constexpr std::size_t texts = 21;    // of an Outcome
constexpr std::size_t rest = 1'024;  // names and numbers of a line
// What a line of either form takes at most: each text with every byte escaped.
constexpr std::size_t max_line = rest + 6 * texts * max_field;

// A byte that stands for itself in JSON and does nothing to a terminal. Anything else becomes \u00XX, so a line is
// always valid JSON and never carries escape codes.
constexpr std::array<bool, 256> is_plain_byte = [] {
  std::array<bool, 256> table{};
  for (unsigned c = 0x20; c < 0x7f; ++c) table[c] = c != '"' && c != '\\';
  return table;
}();

// A block of eight, as a word.
bool is_plain_word(const char* from) {
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t highs = 0x8080808080808080;
  std::uint64_t word = 0;
  std::memcpy(&word, from, sizeof word);
  const auto has_zero = [](std::uint64_t x) { return (x - ones) & ~x; };
  const std::uint64_t controls = (word - ones * 0x20) & ~word;
  const std::uint64_t high_or_del = word | (word + ones);
  return ((controls | high_or_del | has_zero(word ^ ones * '"') | has_zero(word ^ ones * '\\')) & highs) == 0;
}

// Without an early way out, so that the compiler makes it a handful of vector instructions.
bool is_plain_block(const char* block) {
  unsigned char special = 0;
  for (std::ptrdiff_t i = 0; i < block_size; ++i) {
    const auto c = static_cast<unsigned char>(block[i]);
    special |= static_cast<unsigned char>((c < 0x20) | (c > 0x7e) | (c == '"') | (c == '\\'));
  }
  return special == 0;
}

// Writes into room that was measured beforehand: a line is written for each request, and growing a string piece by
// piece cost more than deciding on the request.
class LineWriter {
 public:
  explicit LineWriter(std::span<char> room) : at_(room.data()), last_(room.data() + room.size() - rest) {}

  LineWriter& operator<<(char c) {
    *at_++ = c;
    return *this;
  }

  LineWriter& operator<<(std::string_view text) {
    at_ = std::copy(text.begin(), text.end(), at_);
    return *this;
  }

  template <std::integral Number>
  LineWriter& operator<<(Number number) {
    at_ = std::to_chars(at_, at_ + max_digits, number).ptr;
    return *this;
  }

  void escaped(std::string_view text) {
    text = text.substr(0, max_field);
    if (at_ > last_ || static_cast<std::size_t>(last_ - at_) < 6 * text.size()) return;  // an Outcome has grown
    const char* from = text.data();
    const char* const end = from + text.size();
    char* at = at_;
    while (end - from >= block_size && is_plain_block(from)) {
      at = std::copy_n(from, block_size, at);
      from += block_size;
    }
    if (end - from >= word_size && is_plain_word(from)) {
      at = std::copy_n(from, word_size, at);
      from += word_size;
    }
    // The rest of a text in one more word, which overlaps what stands before.
    if (from != text.data() && from != end && end - from < word_size && is_plain_word(end - word_size)) {
      at += end - from;
      std::copy_n(end - word_size, word_size, at - word_size);
      from = end;
    }
    for (; from != end; ++from) {
      *at = *from;
      const bool is_plain = is_plain_byte[static_cast<unsigned char>(*from)];
      at = is_plain ? at + 1 : escape(static_cast<unsigned char>(*from), at);
    }
    at_ = at;
  }

  // For people: quotes and backslashes stand for themselves.
  void legible(std::string_view text) {
    text = text.substr(0, max_field);
    if (at_ > last_ || static_cast<std::size_t>(last_ - at_) < 6 * text.size()) return;
    for (const char c : text) {
      const bool is_shown = is_plain_byte[static_cast<unsigned char>(c)] || c == '"' || c == '\\';
      *at_ = c;
      at_ = is_shown ? at_ + 1 : escape(static_cast<unsigned char>(c), at_);
    }
  }

  void padded(unsigned number, unsigned width) {
    for (unsigned i = width; i-- > 0; number /= 10) at_[i] = static_cast<char>('0' + number % 10);
    at_ += width;
  }

  // Milliseconds with three decimals, without floating point.
  void milliseconds(std::chrono::microseconds value) {
    *this << value.count() / 1000 << '.';
    padded(static_cast<unsigned>(value.count() % 1000), 3);
  }

  char* at() const { return at_; }

 private:
  static char* escape(unsigned char c, char* at) {
    static constexpr char hex[] = "0123456789abcdef";
    if (c == '"' || c == '\\') {
      *at++ = '\\';
      *at++ = static_cast<char>(c);
      return at;
    }
    at = std::copy_n("\\u00", 4, at);
    *at++ = hex[c >> 4U];
    *at++ = hex[c & 15U];
    return at;
  }

  char* at_;
  char* last_;  // where a text has to end
};

// RFC 3339 in UTC with milliseconds. The calendar part of the last second is kept: gmtime costs more than the whole
// line.
void write_time(LineWriter& line, std::chrono::system_clock::time_point time) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
  const auto second = static_cast<std::time_t>(ms / 1000);
  thread_local std::time_t last = -1;
  thread_local std::array<char, sizeof "YYYY-MM-DDThh:mm:ss"> calendar;
  if (second != last) {
    std::tm parts{};
    gmtime_r(&second, &parts);
    std::strftime(calendar.data(), calendar.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    last = second;
  }
  line << std::string_view(calendar.data(), calendar.size() - 1) << '.';
  line.padded(static_cast<unsigned>(ms % 1000), 3);
  line << 'Z';
}

// `name` with all that stands around it, as in `,"host":"`.
void write_member(LineWriter& line, std::string_view name, std::string_view value) {
  if (!value.empty()) {
    line << name;
    line.escaped(value);
    line << '"';
  }
}

// Adds what `write` writes to the end of `out`. Written on the stack and copied: a string would fill the room with
// zeros first.
template <class Write>
void append_line(std::string& out, Write write) {
  std::array<char, max_line> room;
  LineWriter line(room);
  write(line);
  out.append(room.data(), line.at());
}

void write_part(LineWriter& line, std::string_view name, std::string_view value) {
  if (!value.empty()) {
    line << name;
    line.escaped(value);
  }
}

std::string_view colour_of(int status) {
  if (status == 0 || status >= 500) {
    return "\x1b[31m";
  }
  return status >= 400 ? "\x1b[33m" : "\x1b[32m";
}

}  // namespace

void append_json(std::string& out, const Outcome& outcome) {
  append_line(out, [&outcome](LineWriter& line) {
    line << R"({"time":")";
    write_time(line, outcome.started);
    line << '"';
    write_member(line, R"(,"request_id":")", outcome.request_id);
    write_member(line, R"(,"trace_id":")", outcome.trace_id);
    write_member(line, R"(,"client":")", outcome.client);
    write_member(line, R"(,"client_subject":")", outcome.client_subject);
    write_member(line, R"(,"method":")", outcome.method);
    write_member(line, R"(,"host":")", outcome.host);
    write_member(line, R"(,"path":")", outcome.path);
    write_member(line, R"(,"route":")", outcome.route);
    write_member(line, R"(,"code":")", outcome.code);
    write_member(line, R"(,"shadow_code":")", outcome.shadow_code);
    line << R"(,"status":)" << outcome.status;
    write_member(line, R"(,"key_id":")", outcome.key_id);
    write_member(line, R"(,"organization_id":")", outcome.organization_id);
    write_member(line, R"(,"environment":")", outcome.environment);
    write_member(line, R"(,"auth_method":")", outcome.auth_method);
    write_member(line, R"(,"scopes":")", outcome.scopes);
    write_member(line, R"(,"grants":")", outcome.grants);
    write_member(line, R"(,"conditions":")", outcome.conditions);
    write_member(line, R"(,"source":")", outcome.source);
    if (outcome.age_ms >= 0) line << R"(,"age_ms":)" << outcome.age_ms;
    if (outcome.is_degraded) line << R"(,"degraded":true)";
    line << R"(,"generation":)" << outcome.generation;
    line << R"(,"bytes_in":)" << outcome.bytes_in;
    line << R"(,"bytes_out":)" << outcome.bytes_out;
    line << R"(,"duration_ms":)";
    line.milliseconds(outcome.duration);
    line << R"(,"auth_us":)" << std::chrono::duration_cast<std::chrono::microseconds>(outcome.auth).count();
    write_member(line, R"(,"upstream":")", outcome.upstream);
    if (outcome.upstream_wait.count() >= 0) {
      line << R"(,"upstream_ms":)";
      line.milliseconds(outcome.upstream_wait);
    }
    line << "}\n";
  });
}

void append_text(std::string& out, const Outcome& outcome, AccessFormat format) {
  const bool is_coloured = format == AccessFormat::colour;
  append_line(out, [&outcome, is_coloured](LineWriter& line) {
    if (is_coloured) line << colour_of(outcome.status);
    line.padded(static_cast<unsigned>(outcome.status), 3);
    if (is_coloured) line << "\x1b[0m";
    line << ' ';
    line.escaped(outcome.method.empty() ? std::string_view("-") : outcome.method);
    line << ' ';
    line.escaped(outcome.path.empty() ? std::string_view("-") : outcome.path);
    line << "  " << outcome.code;
    write_part(line, "  shadow=", outcome.shadow_code);
    if (is_coloured) line << "\x1b[2m";
    write_part(line, "  route=", outcome.route);
    write_part(line, "  key=", outcome.key_id);
    write_part(line, "  org=", outcome.organization_id);
    if (is_coloured) line << "\x1b[0m";
    if (!outcome.remedy.empty()) {
      if (is_coloured) line << "\x1b[1m";
      line << "  ";
      line.legible(outcome.remedy);
      if (is_coloured) line << "\x1b[0m";
    } else if (!outcome.required_scopes.empty()) {
      write_part(line, "  needs ", outcome.required_scopes);
      write_part(line, "; key has ", outcome.scopes.empty() ? std::string_view("none") : outcome.scopes);
    }
    line << "  ";
    line.milliseconds(outcome.duration);
    line << "ms\n";
  });
}

}  // namespace keygate::telemetry
