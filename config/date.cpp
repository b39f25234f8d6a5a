#include "config/date.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string_view>

namespace keygate::config {
namespace {

// Digits alone: from_chars would take a minus.
int number(std::string_view digits) {
  int value = -1;
  const bool is_all = std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (is_all) std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

}  // namespace

Parsed<std::int64_t> parse_date(const std::string& text) {
  const std::string_view view = text;
  if (view.size() == 10 && view[4] == '-' && view[7] == '-') {
    const int year = number(view.substr(0, 4));
    const int month = number(view.substr(5, 2));
    const int day = number(view.substr(8, 2));
    const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (year >= 1970 && month > 0 && day > 0 && date.ok()) {
      return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::sys_days(date).time_since_epoch()).count();
    }
  }
  return Fault{quoted(text) + " is no date", "write year, month and day, as in 2026-12-31"};
}

}  // namespace keygate::config
