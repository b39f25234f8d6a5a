#include "telemetry/access_log.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <string_view>

namespace keygate::telemetry {
namespace {

constexpr std::size_t max_field = 512;

bool is_plain(char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

// Bytes outside printable ASCII become \u00XX, so a line is always valid JSON and never carries a terminal's escape
// codes.
void append_escaped(std::string& out, std::string_view text) {
  static constexpr char hex[] = "0123456789abcdef";
  text = text.substr(0, max_field);
  while (!text.empty()) {
    const auto plain = static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_plain) - text.begin());
    out.append(text.data(), plain);
    if (plain == text.size()) {
      return;
    }
    const auto byte = static_cast<unsigned char>(text[plain]);
    if (byte == '"' || byte == '\\') {
      out += '\\';
      out += text[plain];
    } else {
      out += "\\u00";
      out += hex[byte >> 4U];
      out += hex[byte & 15U];
    }
    text.remove_prefix(plain + 1);
  }
}

template <class Number>
void append_number(std::string& out, Number number) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void append_padded(std::string& out, int number, int width) {
  std::array<char, 12> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  const auto size = static_cast<int>(end - digits.data());
  out.append(static_cast<std::size_t>(width > size ? width - size : 0), '0');
  out.append(digits.data(), end);
}

// RFC 3339 in UTC with milliseconds. The calendar part of the last second is kept: gmtime costs more than the whole
// line.
void append_time(std::string& out, std::chrono::system_clock::time_point time) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
  const auto second = static_cast<std::time_t>(ms / 1000);
  thread_local std::time_t last = -1;
  thread_local std::string calendar;
  if (second != last) {
    std::tm parts{};
    gmtime_r(&second, &parts);
    calendar.clear();
    append_padded(calendar, parts.tm_year + 1900, 4);
    calendar += '-';
    append_padded(calendar, parts.tm_mon + 1, 2);
    calendar += '-';
    append_padded(calendar, parts.tm_mday, 2);
    calendar += 'T';
    append_padded(calendar, parts.tm_hour, 2);
    calendar += ':';
    append_padded(calendar, parts.tm_min, 2);
    calendar += ':';
    append_padded(calendar, parts.tm_sec, 2);
    last = second;
  }
  out += calendar;
  out += '.';
  append_padded(out, static_cast<int>(ms % 1000), 3);
  out += 'Z';
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) {
    return;
  }
  out += ",\"";
  out += name;
  out += "\":\"";
  append_escaped(out, value);
  out += '"';
}

template <class Number>
void append_member_number(std::string& out, std::string_view name, Number value) {
  out += ",\"";
  out += name;
  out += "\":";
  append_number(out, value);
}

// Milliseconds with three decimals, without floating point.
void append_member_ms(std::string& out, std::string_view name, std::chrono::microseconds value) {
  out += ",\"";
  out += name;
  out += "\":";
  append_number(out, value.count() / 1000);
  out += '.';
  append_padded(out, static_cast<int>(value.count() % 1000), 3);
}

std::string_view colour_of(int status) {
  if (status == 0 || status >= 500) {
    return "\x1b[31m";
  }
  return status >= 400 ? "\x1b[33m" : "\x1b[32m";
}

}  // namespace

void append_json(std::string& out, const Outcome& outcome) {
  out += "{\"time\":\"";
  append_time(out, outcome.started);
  out += '"';
  append_member(out, "request_id", outcome.request_id);
  append_member(out, "client", outcome.client);
  append_member(out, "method", outcome.method);
  append_member(out, "host", outcome.host);
  append_member(out, "path", outcome.path);
  append_member(out, "route", outcome.route);
  append_member(out, "code", outcome.code);
  append_member_number(out, "status", outcome.status);
  append_member(out, "key_id", outcome.key_id);
  append_member(out, "organization_id", outcome.organization_id);
  append_member(out, "environment", outcome.environment);
  append_member(out, "auth_method", outcome.auth_method);
  append_member(out, "scopes", outcome.scopes);
  append_member(out, "conditions", outcome.conditions);
  append_member(out, "source", outcome.source);
  if (outcome.age_ms >= 0) {
    append_member_number(out, "age_ms", outcome.age_ms);
  }
  append_member_number(out, "generation", outcome.generation);
  append_member_number(out, "bytes_in", outcome.bytes_in);
  append_member_number(out, "bytes_out", outcome.bytes_out);
  append_member_ms(out, "duration_ms", outcome.duration);
  append_member_number(out, "auth_us", outcome.auth.count());
  append_member(out, "upstream", outcome.upstream);
  if (outcome.upstream_wait.count() >= 0) {
    append_member_ms(out, "upstream_ms", outcome.upstream_wait);
  }
  out += "}\n";
}

void append_text(std::string& out, const Outcome& outcome, AccessFormat format) {
  const bool is_coloured = format == AccessFormat::colour;
  if (is_coloured) {
    out += colour_of(outcome.status);
  }
  append_padded(out, outcome.status, 3);
  if (is_coloured) {
    out += "\x1b[0m";
  }
  out += ' ';
  append_escaped(out, outcome.method.empty() ? std::string_view("-") : outcome.method);
  out += ' ';
  append_escaped(out, outcome.path.empty() ? std::string_view("-") : outcome.path);
  out += "  ";
  out += outcome.code;
  if (!outcome.route.empty()) {
    out += "  route=";
    append_escaped(out, outcome.route);
  }
  if (!outcome.key_id.empty()) {
    out += "  key=";
    append_escaped(out, outcome.key_id);
  }
  if (!outcome.organization_id.empty()) {
    out += "  org=";
    append_escaped(out, outcome.organization_id);
  }
  if (!outcome.required_scopes.empty()) {
    out += "  needs ";
    append_escaped(out, outcome.required_scopes);
    out += "; key has ";
    append_escaped(out, outcome.scopes.empty() ? std::string_view("none") : outcome.scopes);
  }
  out += "  ";
  append_number(out, outcome.duration.count() / 1000);
  out += '.';
  append_padded(out, static_cast<int>(outcome.duration.count() % 1000), 3);
  out += "ms\n";
}

}  // namespace keygate::telemetry
