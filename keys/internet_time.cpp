#include "keys/internet_time.hpp"

#include <algorithm>
#include <chrono>

namespace keygate::keys {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Reads from the front, and remembers where that failed.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  int number(std::size_t digits) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      const char c = next();
      fits_ = fits_ && is_digit(c);
      value = value * 10 + (c - '0');
    }
    return value;
  }

  void expect(char wanted) { fits_ = next() == wanted && fits_; }
  char next() {
    if (rest_.empty()) {
      fits_ = false;
      return '0';
    }
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  void skip_fraction() {
    if (!rest_.starts_with('.')) return;
    rest_.remove_prefix(1);
    const auto digits = static_cast<std::size_t>(std::ranges::find_if_not(rest_, is_digit) - rest_.begin());
    fits_ = fits_ && digits > 0;
    rest_.remove_prefix(digits);
  }

  bool fits() const { return fits_; }
  bool is_at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool fits_ = true;
};

}  // namespace

std::optional<std::int64_t> parse_internet_time(std::string_view text) {
  Scanner scan(text);
  const int year = scan.number(4);
  scan.expect('-');
  const int month = scan.number(2);
  scan.expect('-');
  const int day = scan.number(2);
  scan.expect('T');
  const int hour = scan.number(2);
  scan.expect(':');
  const int minute = scan.number(2);
  scan.expect(':');
  const int second = scan.number(2);
  scan.skip_fraction();
  const char zone = scan.next();
  int offset = 0;  // minutes east
  if (zone == '+' || zone == '-') {
    const int hours = scan.number(2);
    scan.expect(':');
    const int minutes = scan.number(2);
    if (hours > 23 || minutes > 59) return std::nullopt;
    offset = (zone == '-' ? -1 : 1) * (hours * 60 + minutes);
  } else if (zone != 'Z') {
    return std::nullopt;
  }
  if (!scan.fits() || !scan.is_at_end() || year < 1970 || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t minutes = (days * 24 + hour) * 60 + minute - offset;
  if (minutes < 0) return std::nullopt;
  return minutes * 60 + std::min(second, 59);
}

}  // namespace keygate::keys
