#include "tests/fuzz/naive_json.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace keygate::fuzz {
namespace {

void append_utf8(std::string& text, unsigned code) {
  const auto put = [&text](unsigned byte) { text += static_cast<char>(byte); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xC0U | code >> 6U);
  } else {
    if (code < 0x10000) {
      put(0xE0U | code >> 12U);
    } else {
      put(0xF0U | code >> 18U);
      put(0x80U | (code >> 12U & 0x3FU));
    }
    put(0x80U | (code >> 6U & 0x3FU));
  }
  put(0x80U | (code & 0x3FU));
}

// RFC 3629: no overlong form, no surrogate, nothing over U+10FFFF. The size of the character that `text` begins with.
std::size_t utf8_size(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto continues = [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i <= last; ++i) {
      if ((byte(i) & 0xC0U) != 0x80U) return false;
    }
    return true;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF && continues(1, 1)) return 2;
  if (first >= 0xE0 && first <= 0xEF && continues(1, 2)) {
    const bool is_overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool is_surrogate = first == 0xED && byte(1) > 0x9F;
    return is_overlong || is_surrogate ? 0 : 3;
  }
  if (first >= 0xF0 && first <= 0xF4 && continues(1, 3)) {
    const bool is_overlong = first == 0xF0 && byte(1) < 0x90;
    const bool is_beyond = first == 0xF4 && byte(1) > 0x8F;
    return is_overlong || is_beyond ? 0 : 4;
  }
  return 0;
}

class Reader {
 public:
  Reader(std::string_view text, std::size_t max_depth) : rest_(text), max_depth_(max_depth) {}

  std::optional<Json> document() {
    Json value;
    if (!read(value, 0)) return std::nullopt;
    skip_blanks();
    return rest_.empty() ? std::optional(std::move(value)) : std::nullopt;
  }

 private:
  void skip_blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }

  bool take(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  bool take_behind_blanks(std::string_view word) {
    skip_blanks();
    return take(word);
  }

  bool read(Json& into, std::size_t depth) {
    skip_blanks();
    if (take("null")) return true;
    if (rest_.starts_with('t') || rest_.starts_with('f')) {
      into.kind = Json::Kind::boolean;
      into.is_true = take("true");
      return into.is_true || take("false");
    }
    if (rest_.starts_with('"')) {
      into.kind = Json::Kind::string;
      return read_string(into.text);
    }
    if (take("[")) return depth < max_depth_ && read_array(into, depth + 1);
    if (take("{")) return depth < max_depth_ && read_object(into, depth + 1);
    return read_number(into);
  }

  bool read_array(Json& into, std::size_t depth) {
    into.kind = Json::Kind::array;
    if (take_behind_blanks("]")) return true;
    do {
      if (!read(into.items.emplace_back(), depth)) return false;
    } while (take_behind_blanks(","));
    return take("]");
  }

  bool read_object(Json& into, std::size_t depth) {
    into.kind = Json::Kind::object;
    if (take_behind_blanks("}")) return true;
    do {
      std::string name;
      skip_blanks();
      if (!read_string(name) || into.member(name) != nullptr || !take_behind_blanks(":")) return false;
      Json value;
      if (!read(value, depth)) return false;
      into.members.emplace_back(std::move(name), std::move(value));
    } while (take_behind_blanks(","));
    return take("}");
  }

  bool read_number(Json& into) {
    into.kind = Json::Kind::number;
    const std::string_view all = rest_;
    take("-");
    if (!take("0") && !take_digits()) return false;
    if (take(".") && !take_digits()) return false;
    if (take("e") || take("E")) {
      if (!take("+")) take("-");
      if (!take_digits()) return false;
    }
    into.text = all.substr(0, all.size() - rest_.size());
    return true;
  }

  bool take_digits() {
    const auto size = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    rest_.remove_prefix(size);
    return size > 0;
  }

  bool read_string(std::string& into) {
    if (!take("\"")) return false;
    while (!take("\"")) {
      if (rest_.empty() || static_cast<unsigned char>(rest_[0]) < 0x20) return false;
      if (take("\\")) {
        if (!read_escape(into)) return false;
        continue;
      }
      const std::size_t size = utf8_size(rest_);
      if (size == 0) return false;
      into += rest_.substr(0, size);
      rest_.remove_prefix(size);
    }
    return true;
  }

  bool read_escape(std::string& into) {
    constexpr std::string_view letters = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    if (take("u")) return read_code(into);
    const auto letter = rest_.empty() ? std::string_view::npos : letters.find(rest_[0]);
    if (letter == std::string_view::npos) return false;
    into += meanings[letter];
    rest_.remove_prefix(1);
    return true;
  }

  bool read_code(std::string& into) {
    auto code = four_digits();
    if (!code || (*code >= 0xDC00 && *code <= 0xDFFF)) return false;
    if (*code >= 0xD800 && *code <= 0xDBFF) {
      const auto low = take("\\u") ? four_digits() : std::nullopt;
      if (!low || *low < 0xDC00 || *low > 0xDFFF) return false;
      code = 0x10000U + ((*code - 0xD800U) << 10U) + (*low - 0xDC00U);
    }
    append_utf8(into, *code);
    return true;
  }

  std::optional<unsigned> four_digits() {
    const std::string digits(rest_.substr(0, 4));
    if (digits.size() < 4 || digits.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos)
      return std::nullopt;
    rest_.remove_prefix(4);
    return static_cast<unsigned>(std::strtoul(digits.c_str(), nullptr, 16));
  }

  std::string_view rest_;
  std::size_t max_depth_;
};

}  // namespace

const Json* Json::member(std::string_view name) const {
  const auto found =
      std::find_if(members.begin(), members.end(), [name](const auto& one) { return one.first == name; });
  return found == members.end() ? nullptr : &found->second;
}

std::optional<std::int64_t> Json::integer() const {
  if (kind != Kind::number || text.find_first_of(".eE") != std::string::npos) return std::nullopt;
  errno = 0;
  const long long value = std::strtoll(text.c_str(), nullptr, 10);
  return errno == 0 ? std::optional<std::int64_t>(value) : std::nullopt;
}

std::optional<Json> naive_json(std::string_view text, std::size_t max_depth) {
  return Reader(text, max_depth).document();
}

}  // namespace keygate::fuzz
