#include "policy/target.hpp"

#include "policy/percent.hpp"

#include <array>
#include <cstring>
#include <optional>

namespace keygate::policy {
namespace {

enum class Kind : std::uint8_t { plain, slash, percent, semicolon, question, forbidden };

constexpr std::array<Kind, 256> kinds = [] {
  std::array<Kind, 256> table{};
  for (std::size_t byte = 0; byte < table.size(); ++byte) {
    table[byte] = byte >= 0x21 && byte <= 0x7E ? Kind::plain : Kind::forbidden;
  }
  for (const char c : std::string_view("\"<>\\^`{|}#")) table[static_cast<unsigned char>(c)] = Kind::forbidden;
  table['/'] = Kind::slash;
  table['%'] = Kind::percent;
  table[';'] = Kind::semicolon;
  table['?'] = Kind::question;
  return table;
}();

constexpr Kind kind_of(char c) { return kinds[static_cast<unsigned char>(c)]; }

// Bytes that end, split or cut a path in one program or another: escaped they are a trap for whoever decodes next.
constexpr bool is_separator(unsigned byte) {
  return byte < 0x20 || byte == 0x7F || byte == '/' || byte == '\\' || byte == ';' || byte == '?' || byte == '#';
}

// What the bytes after a UTF-8 lead byte must be: how many, and the range of the first, which is where overlong forms,
// surrogates and what lies beyond U+10FFFF are told from the rest (RFC 3629 §4). `follow` 0: no lead byte at all.
struct Utf8Tail {
  unsigned follow = 0;
  unsigned low = 0x80;
  unsigned high = 0xBF;
};

constexpr Utf8Tail utf8_tail(unsigned lead) {
  if (lead >= 0xC2 && lead <= 0xDF) return {.follow = 1};
  if (lead == 0xE0) return {.follow = 2, .low = 0xA0};
  if (lead == 0xED) return {.follow = 2, .high = 0x9F};
  if (lead >= 0xE1 && lead <= 0xEF) return {.follow = 2};
  if (lead == 0xF0) return {.follow = 3, .low = 0x90};
  if (lead >= 0xF1 && lead <= 0xF3) return {.follow = 3};
  if (lead == 0xF4) return {.follow = 3, .high = 0x8F};
  return {};
}

// Reads the path of `raw` from the front and writes its canonical form over what was read; the form is never longer.
class Canonicaliser {
 public:
  Canonicaliser(std::span<char> raw, config::PathSettings rules) : raw_(raw), rules_(rules) {}

  // Up to the first question mark or the end.
  std::optional<TargetFlaw> run();

  std::size_t read() const { return read_; }
  std::size_t written() const { return write_; }

 private:
  std::string_view rest() const { return {raw_.data() + read_, raw_.size() - read_}; }
  void copy(std::size_t count);
  void copy_plain();
  std::optional<TargetFlaw> end_segment(bool is_last);
  std::optional<TargetFlaw> end_dots(bool is_last);
  std::optional<TargetFlaw> semicolon();
  std::optional<TargetFlaw> escape();
  std::optional<TargetFlaw> opaque_slash();
  std::optional<TargetFlaw> utf8(unsigned lead);
  void write_escape(unsigned byte);
  bool is_dots() const;
  // Whether a piece begins behind a slash, rather than behind an escaped one.
  bool begins_segment() const { return raw_[piece_ - 1] == '/'; }

  std::span<char> raw_;
  config::PathSettings rules_;
  std::size_t read_ = 1;  // past the leading slash
  std::size_t write_ = 1;
  std::size_t piece_ = 1;  // where the segment being written begins, or what stands behind the last %2F in it
  std::size_t segments_ = 0;
};

std::optional<TargetFlaw> Canonicaliser::run() {
  while (read_ < raw_.size()) {
    std::optional<TargetFlaw> flaw;
    switch (kind_of(raw_[read_])) {
      case Kind::plain:
        copy_plain();
        break;
      case Kind::slash:
        flaw = end_segment(false);
        break;
      case Kind::percent:
        flaw = escape();
        break;
      case Kind::semicolon:
        flaw = semicolon();
        break;
      case Kind::question:
        return end_segment(true);
      case Kind::forbidden:
        flaw = TargetFlaw::forbidden_byte;
        break;
    }
    if (flaw) return flaw;
  }
  return end_segment(true);
}

void Canonicaliser::copy(std::size_t count) {
  // Nothing has shrunk yet in nearly every request, so nearly every request is only read.
  if (write_ != read_) std::memmove(raw_.data() + write_, raw_.data() + read_, count);
  read_ += count;
  write_ += count;
}

void Canonicaliser::copy_plain() {
  std::size_t count = 1;
  while (read_ + count < raw_.size() && kind_of(raw_[read_ + count]) == Kind::plain) ++count;
  copy(count);
}

bool Canonicaliser::is_dots() const {
  const std::size_t size = write_ - piece_;
  return size != 0 && size <= 2 && raw_[piece_] == '.' && raw_[write_ - 1] == '.';
}

std::optional<TargetFlaw> Canonicaliser::end_segment(bool is_last) {
  if (is_dots()) return end_dots(is_last);
  if (write_ == piece_ && begins_segment()) {
    if (is_last) return std::nullopt;
    if (!rules_.merge_slashes) return TargetFlaw::empty_segment;
    ++read_;  // the slash before it is written already
    return std::nullopt;
  }
  if (++segments_ > RequestTarget::max_segments) return TargetFlaw::too_many_segments;
  if (!is_last) {
    copy(1);
    piece_ = write_;
  }
  return std::nullopt;
}

// RFC 3986 §5.2.4, on what is written already: unreserved escapes are decoded and slashes are merged, so that the
// segment to take away is never an empty one. Dots behind an escaped slash are dots only to who decodes it: a trap.
std::optional<TargetFlaw> Canonicaliser::end_dots(bool is_last) {
  if (!rules_.resolve_dots || !begins_segment()) return TargetFlaw::dot_segment;
  const bool is_up = write_ - piece_ == 2;
  write_ = piece_;
  if (is_up) {
    if (segments_ == 0) return TargetFlaw::above_root;
    --segments_;
    write_ = std::string_view(raw_.data(), piece_ - 1).rfind('/') + 1;
    piece_ = write_;
  }
  if (!is_last) ++read_;  // the slash before it is written already
  return std::nullopt;
}

// An upstream that reads parameters takes /..;x for /.. and /;x for an empty segment: neither is content.
std::optional<TargetFlaw> Canonicaliser::semicolon() {
  if (is_dots()) return TargetFlaw::dot_segment;
  if (!rules_.allow_semicolons) return TargetFlaw::semicolon;
  if (write_ == piece_) return TargetFlaw::empty_segment;
  copy(1);
  return std::nullopt;
}

// Whether "%25" stands before what reads, once the unreserved escapes are decoded, as two hex digits of a byte that the
// next decoder down the line must not find: /%252e is /%2e to it, and so is /%25%32%65.
bool hides_separator(std::string_view after) {
  const auto high = read_hex_digit(after);
  if (!high) return false;
  const auto low = read_hex_digit(after.substr(high->size));
  if (!low) return false;
  const unsigned byte = high->value * 16 + low->value;
  return is_separator(byte) || byte == '.' || byte == '%';
}

std::optional<TargetFlaw> Canonicaliser::escape() {
  const auto byte = escaped_byte(rest());
  if (!byte) return TargetFlaw::bad_escape;
  if (is_separator(*byte)) {
    return *byte == '/' && rules_.opaque_slashes ? opaque_slash() : TargetFlaw::encoded_separator;
  }
  if (*byte >= 0x80) return utf8(*byte);
  if (*byte == '%' && hides_separator(rest().substr(escape_size))) return TargetFlaw::double_encoding;
  read_ += escape_size;
  if (is_unreserved(*byte)) {
    raw_[write_++] = static_cast<char>(*byte);
  } else {
    write_escape(*byte);
  }
  return std::nullopt;
}

// It stays escaped, so that it separates nothing here. Upstreams that decode it must find no dot segment beside it.
std::optional<TargetFlaw> Canonicaliser::opaque_slash() {
  if (is_dots()) return TargetFlaw::dot_segment;
  read_ += escape_size;
  write_escape('/');
  piece_ = write_;
  return std::nullopt;
}

std::optional<TargetFlaw> Canonicaliser::utf8(unsigned lead) {
  auto tail = utf8_tail(lead);
  if (tail.follow == 0) return TargetFlaw::invalid_utf8;
  read_ += escape_size;
  write_escape(lead);
  for (; tail.follow > 0; --tail.follow) {
    const auto byte = escaped_byte(rest());
    if (!byte) return rest().starts_with('%') ? TargetFlaw::bad_escape : TargetFlaw::invalid_utf8;
    if (*byte < tail.low || *byte > tail.high) return TargetFlaw::invalid_utf8;
    read_ += escape_size;
    write_escape(*byte);
    tail.low = 0x80;
    tail.high = 0xBF;
  }
  return std::nullopt;
}

void Canonicaliser::write_escape(unsigned byte) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  raw_[write_++] = '%';
  raw_[write_++] = digits[byte >> 4];
  raw_[write_++] = digits[byte & 0xF];
}

bool is_clean_query(std::string_view query) {
  for (const char c : query) {
    if (kind_of(c) == Kind::forbidden) return false;
  }
  return true;
}

}  // namespace

std::string_view to_string(TargetFlaw flaw) {
  switch (flaw) {
    case TargetFlaw::not_origin_form:
      return "the target does not begin with a slash";
    case TargetFlaw::forbidden_byte:
      return "a byte that no target may contain";
    case TargetFlaw::bad_escape:
      return "a percent sign without two hex digits";
    case TargetFlaw::encoded_separator:
      return "an escaped separator or control character";
    case TargetFlaw::double_encoding:
      return "an escape hidden in another";
    case TargetFlaw::empty_segment:
      return "an empty segment";
    case TargetFlaw::dot_segment:
      return "a dot segment";
    case TargetFlaw::above_root:
      return "a dot segment that leads above the root";
    case TargetFlaw::semicolon:
      return "a semicolon";
    case TargetFlaw::invalid_utf8:
      return "escapes that are not UTF-8";
    case TargetFlaw::too_many_segments:
      return "too many segments";
  }
  return "";
}

std::variant<RequestTarget, TargetFlaw> RequestTarget::parse(std::span<char> raw, config::PathSettings rules) {
  if (raw.empty() || raw[0] != '/') return TargetFlaw::not_origin_form;
  Canonicaliser canonicaliser(raw, rules);
  if (const auto flaw = canonicaliser.run()) return *flaw;
  const std::size_t path_size = canonicaliser.written();
  const std::string_view query(raw.data() + canonicaliser.read(), raw.size() - canonicaliser.read());
  if (!is_clean_query(query)) return TargetFlaw::forbidden_byte;
  if (canonicaliser.read() != path_size) std::memmove(raw.data() + path_size, query.data(), query.size());
  return RequestTarget({raw.data(), path_size + query.size()}, path_size);
}

}  // namespace keygate::policy
