#include "proxy/max_forwards.hpp"

#include <algorithm>

namespace keygate::proxy {
namespace {

using boost::beast::http::field;

constexpr std::size_t most_digits = 9;  // leading zeros aside

std::span<char> without_leading_zeros(std::span<char> digits) {
  while (digits.size() > 1 && digits.front() == '0') {
    digits = digits.subspan(1);
  }
  return digits;
}

// `digits` stand for more than 0.
void decrement(std::span<char> digits) {
  std::size_t at = digits.size() - 1;
  while (digits[at] == '0') {
    digits[at--] = '9';
  }
  --digits[at];
}

}  // namespace

std::optional<HeadRefusal> count_forwards(std::span<char> head, std::span<const field> known, RequestHead& out) {
  const auto count = std::count(known.begin(), known.end(), field::max_forwards);
  if (count == 0) {
    return std::nullopt;
  }
  const auto found = std::find(known.begin(), known.end(), field::max_forwards);
  std::string_view& value = out.fields[static_cast<std::size_t>(found - known.begin())].value;
  const bool is_number = !value.empty() && value.find_first_not_of("0123456789") == std::string_view::npos;
  if (count > 1 || !is_number) {
    return HeadRefusal{policy::Reason::bad_request, "a Max-Forwards that is no number, or stands twice"};
  }
  const auto offset = static_cast<std::size_t>(value.data() - head.data());
  std::span<char> digits = without_leading_zeros(head.subspan(offset, value.size()));
  if (digits.size() > most_digits) {
    return HeadRefusal{policy::Reason::bad_request, "a Max-Forwards beyond any number of proxies"};
  }
  if (digits.front() == '0') {
    out.is_asterisk = true;
    return std::nullopt;
  }
  decrement(digits);
  digits = without_leading_zeros(digits);
  value = {digits.data(), digits.size()};
  return std::nullopt;
}

}  // namespace keygate::proxy
