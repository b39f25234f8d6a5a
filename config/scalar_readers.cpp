#include "config/scalar_readers.hpp"

#include "config/quantity.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace keygate::config {
namespace {

bool all_digits(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

// YAML 1.1 reads 010 as 8, YAML 1.2 as 10; whoever wrote it, we do not guess. Letters are its unit; what has anything
// else in it is no number, and not fit for a hint either, which goes to a terminal as it is.
bool looks_octal(const std::string& text) {
  const bool is_word = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
  return is_word && text.size() > 1 && text[0] == '0' && (all_digits(text.substr(0, 2)) || text[1] == 'o');
}

std::string without_leading_zeros(const std::string& text) {
  const auto first = text.find_first_not_of("0o");
  return first == std::string::npos ? "0" : text.substr(first);
}

void refuse_octal(const Value& value, const std::string& written) {
  value.complain(quoted(written) + " looks like an octal number", "write " + without_leading_zeros(written));
}

std::string in_words(std::chrono::milliseconds duration) {
  struct Unit {
    std::int64_t length;
    const char* name;
  };
  constexpr std::array<Unit, 4> units{{{86'400'000, "d"}, {3'600'000, "h"}, {60'000, "m"}, {1'000, "s"}}};
  const auto count = duration.count();
  if (count == 0) return "0s";
  // 24h says more than 1d to somebody who looks for the bound in hours.
  for (const auto& unit : units) {
    if (count % unit.length == 0 && count > unit.length) return std::to_string(count / unit.length) + unit.name;
  }
  return count % 1'000 == 0 ? std::to_string(count / 1'000) + "s" : std::to_string(count) + "ms";
}

std::string in_words(std::uint64_t bytes) {
  if (bytes != 0 && bytes % (1u << 30) == 0) return std::to_string(bytes >> 30) + "GiB";
  if (bytes != 0 && bytes % (1u << 20) == 0) return std::to_string(bytes >> 20) + "MiB";
  if (bytes != 0 && bytes % (1u << 10) == 0) return std::to_string(bytes >> 10) + "KiB";
  return std::to_string(bytes);
}

std::string joined(const std::vector<std::string>& words) {
  std::string result;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) result += i + 1 == words.size() ? " or " : ", ";
    result += words[i];
  }
  return result;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

Reader<std::string> text_without(std::string form, bool (*is_refused)(char)) {
  return {form,
          [form, is_refused](const Value& value) -> std::optional<std::string> {
            auto scalar = value.scalar(form);
            if (!scalar) return std::nullopt;
            if (std::any_of(scalar->text.begin(), scalar->text.end(), is_refused)) {
              value.complain("a line break or control character stands in it");
              return std::nullopt;
            }
            if (scalar->text.empty()) {
              value.complain("needs " + form + ", but is empty");
              return std::nullopt;
            }
            return std::move(scalar->text);
          },
          false, schema_of_text()};
}

// The digits of a whole number that stands there as one; nullopt: complained.
std::optional<std::string> digits_of(const Value& value, const std::string& form) {
  auto scalar = value.scalar(form);
  if (!scalar) return std::nullopt;
  if (looks_octal(scalar->text)) {
    refuse_octal(value, scalar->text);
    return std::nullopt;
  }
  if (!scalar->is_plain) {
    value.complain("needs " + form + ", not quoted text",
                   all_digits(scalar->text) ? "write " + scalar->text + " without quotes" : "");
    return std::nullopt;
  }
  if (!all_digits(scalar->text)) {
    value.complain("needs " + form + ", not " + quoted(scalar->text));
    return std::nullopt;
  }
  return std::move(scalar->text);
}

std::string duration_hint(const std::string& written) {
  return all_digits(written) ? "add the unit: " + written + "ms, " + written + "s or " + written + "m"
                             : "durations are written 250ms, 5s, 1m, 24h, 90d";
}

std::optional<std::uint64_t> size_from(const Value& value, const Scalar& written, const std::string& form) {
  if (looks_octal(written.text)) {
    refuse_octal(value, written.text);
    return std::nullopt;
  }
  if (!written.is_plain && all_digits(written.text)) {
    value.complain("needs " + form + ", not quoted text", "write " + written.text + " without quotes");
    return std::nullopt;
  }
  const auto bytes = parse_size(written.text);
  if (!bytes)
    value.complain("needs " + form + ", not " + quoted(written.text), "sizes are written 4096, 64KiB, 1MiB, 2GiB");
  return bytes;
}

}  // namespace

Reader<std::string> text(std::string form) { return text_without(std::move(form), is_control); }

Reader<std::string> prose() {
  return text_without("text", [](char c) { return is_control(c) && c != '\n' && c != '\t'; });
}

Reader<bool> boolean() {
  const std::string form = "true or false";
  return {form,
          [form](const Value& value) -> std::optional<bool> {
            const auto scalar = value.scalar(form);
            if (!scalar) return std::nullopt;
            const bool is_true = scalar->text == "true";
            if (!is_true && scalar->text != "false") {
              value.complain("needs " + form + ", not " + quoted(scalar->text));
              return std::nullopt;
            }
            if (!scalar->is_plain) {
              value.complain("needs " + form + ", not quoted text", "write " + scalar->text + " without quotes");
              return std::nullopt;
            }
            return is_true;
          },
          false, schema_of_boolean()};
}

Reader<std::uint64_t> whole_number(std::uint64_t least, std::uint64_t most) {
  const auto form = least == most ? "the number " + std::to_string(least)
                                  : "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
  return {form,
          [form, least, most](const Value& value) -> std::optional<std::uint64_t> {
            const auto digits = digits_of(value, form);
            if (!digits) return std::nullopt;
            std::uint64_t number = 0;
            const auto [rest, fault] = std::from_chars(digits->data(), digits->data() + digits->size(), number);
            if (fault != std::errc{} || number < least || number > most) {
              value.complain("needs " + form + ", not " + quoted(*digits));
              return std::nullopt;
            }
            return number;
          },
          false, schema_of_whole_number(least, most)};
}

Reader<std::chrono::milliseconds> duration(std::chrono::milliseconds least, std::chrono::milliseconds most) {
  const auto form = "a duration from " + in_words(least) + " to " + in_words(most);
  return {form,
          [form, least, most](const Value& value) -> std::optional<std::chrono::milliseconds> {
            const auto scalar = value.scalar(form);
            if (!scalar) return std::nullopt;
            if (looks_octal(scalar->text)) {
              refuse_octal(value, scalar->text);
              return std::nullopt;
            }
            const auto duration = parse_duration(scalar->text);
            if (duration && *duration >= least && *duration <= most) return duration;
            value.complain("needs " + form + ", not " + quoted(scalar->text),
                           duration ? "" : duration_hint(scalar->text));
            return std::nullopt;
          },
          false, schema_of_duration()};
}

Reader<std::uint64_t> size(std::uint64_t least, std::uint64_t most) {
  const auto form = "a size from " + in_words(least) + " to " + in_words(most);
  return {form,
          [form, least, most](const Value& value) -> std::optional<std::uint64_t> {
            const auto scalar = value.scalar(form);
            if (!scalar) return std::nullopt;
            const auto bytes = size_from(value, *scalar, form);
            if (!bytes || (*bytes >= least && *bytes <= most)) return bytes;
            value.complain("needs " + form + ", not " + quoted(scalar->text));
            return std::nullopt;
          },
          false, schema_of_size()};
}

Reader<std::uint64_t> size_or_unlimited(std::uint64_t unlimited_bytes) {
  const std::string form = "a size, or the word unlimited";
  return {form,
          [form, unlimited_bytes](const Value& value) -> std::optional<std::uint64_t> {
            const auto scalar = value.scalar(form);
            if (!scalar) return std::nullopt;
            if (scalar->text == "unlimited") return unlimited_bytes;
            return size_from(value, *scalar, form);
          },
          false, schema_of_size({"unlimited"})};
}

Reader<double> fraction() {
  const std::string form = "a number from 0 to 1";
  return {form,
          [form](const Value& value) -> std::optional<double> {
            const auto scalar = value.scalar(form);
            if (!scalar) return std::nullopt;
            double number = -1;
            const auto* end = scalar->text.data() + scalar->text.size();
            const auto [rest, fault] = std::from_chars(scalar->text.data(), end, number, std::chars_format::fixed);
            if (scalar->is_plain && fault == std::errc{} && rest == end && number >= 0 && number <= 1) return number;
            value.refuse(form);
            return std::nullopt;
          },
          false, schema_of_fraction()};
}

Reader<std::string> file_path() {
  return then(text("a file's path"), [](const Value& value, const std::string& name) -> std::optional<std::string> {
    return value.path_beside_file(name);
  });
}

std::string socket_beside_file(const Value& value, const std::string& path) {
  constexpr std::size_t longest = 107;
  auto whole = value.path_beside_file(path);
  if (whole.size() > longest)
    value.complain(quoted(whole) + " is longer than the 107 bytes that a socket's path may have");
  return whole;
}

Reader<std::monostate> only_null() {
  return {"nothing",
          [](const Value& value) -> std::optional<std::monostate> {
            if (value.is_null()) return std::monostate{};
            value.complain("anything but null is not supported by this version yet");
            return std::nullopt;
          },
          true, schema_of_null()};
}

Reader<std::string> word_of(std::vector<std::string> words) {
  const auto form = joined(words);
  std::string schema = schema_of_words(words);
  return {form,
          [form, words = std::move(words)](const Value& value) -> std::optional<std::string> {
            auto scalar = value.scalar(form);
            if (!scalar) return std::nullopt;
            if (std::find(words.begin(), words.end(), scalar->text) != words.end()) return std::move(scalar->text);
            value.complain("needs " + form + ", not " + quoted(scalar->text), suggestion(scalar->text, words));
            return std::nullopt;
          },
          false, std::move(schema)};
}

}  // namespace keygate::config
