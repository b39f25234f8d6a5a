#include "config/hidden_parts.hpp"

#include "config/line_parts.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace keygate::config {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

bool holds_a_secret_word(std::string_view text) {
  constexpr std::array<std::string_view, 9> words{"secret",  "token",  "passw",   "pwd",       "authorization",
                                                  "private", "bearer", "signing", "passphrase"};
  const std::string folded = lower(text);
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return folded.find(word) != folded.npos; });
}

// Digits and letters without an end are what keys and tokens look like, whatever they stand under.
bool looks_random(std::string_view text) {
  constexpr std::size_t shortest = 20, fewest_digits = 4;
  const bool is_base64 = text.ends_with('=') && text.find_first_of("/.:$") != 0;
  std::size_t length = 0, digits = 0;
  for (const char c : text) {
    const bool goes_on =
        is_digit(c) || is_letter(c) || c == '_' || c == '-' || c == '=' || c == '+' || (c == '/' && is_base64);
    length = goes_on ? length + 1 : 0;
    digits = goes_on ? digits + (is_digit(c) ? 1 : 0) : 0;
    if (length >= shortest && digits >= fewest_digits) return true;
  }
  return false;
}

// The word before a colon or an equals sign, as in "password:x", where a blank was forgotten.
std::string_view word_in_front(std::string_view text) {
  if (text.starts_with('"') || text.starts_with('\'')) text.remove_prefix(1);
  const auto end = std::find_if(text.begin(), text.end(),
                                [](char c) { return !is_letter(c) && !is_digit(c) && c != '_' && c != '-'; });
  const auto size = static_cast<std::size_t>(end - text.begin());
  return size < text.size() && (text[size] == ':' || text[size] == '=') ? text.substr(0, size) : std::string_view{};
}

bool could_be_a_file(std::string_view text) { return text.find_first_of("/.") != std::string_view::npos; }
bool could_be_a_variable(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_'; });
}

bool is_under_a_secret(const std::vector<std::string>& keys) {
  return std::any_of(keys.begin(), keys.end(),
                     [](const std::string& one) { return one != "admin_secrets" && names_a_secret(one); });
}

// Whether nothing of this value may be seen. `keys`: those that it stands under, the innermost last.
bool is_hidden(const std::vector<std::string>& keys, std::string_view value, const KeyNames& known) {
  if (keys.empty() || is_under_a_secret(keys) || may_be_a_secret(keys.back(), value)) return true;
  const auto above = keys.end() - 1;
  const std::string_view parent = above == keys.begin() ? std::string_view{} : std::string_view(*(above - 1));
  const auto has_free_keys = [](std::string_view name) { return name == "set_headers" || name == "headers"; };
  if (std::any_of(keys.begin(), above, has_free_keys) || *above == "set_headers") return true;
  return !known.contains(*above) && parent != "scopes" && parent != "upstreams" && parent != "forward";
}

// Where the host of a URL ends whose port is no number: a password that nothing follows. npos: all is well.
std::size_t doubtful_port(std::string_view value, std::size_t start) {
  const auto authority = value.substr(start, value.find_first_of("/?\"'", start) - start);
  const auto colon = authority.rfind(':');
  if (colon == authority.npos || authority.ends_with(']')) return value.npos;
  const auto port = authority.substr(colon + 1);
  const bool is_fit = port.starts_with("${") || std::all_of(port.begin(), port.end(), is_digit);
  return is_fit ? value.npos : start + colon;
}

// The parts of a value that may be seen but for these: who signs in to a URL, and what it asks.
void hide_within(std::string_view value, std::size_t offset, std::vector<Span>& hidden) {
  const auto scheme = value.find("://");
  const auto quote = value.starts_with('"') || value.starts_with('\'') ? 1U : 0U;
  const auto start = scheme == value.npos ? quote : scheme + 3;
  std::size_t done = start;
  if (const auto at = value.rfind('@'); at != value.npos && at > start && value.find(':') < at) {
    hidden.push_back({offset + start, offset + at});
    done = at;
  } else if (const auto colon = doubtful_port(value, start); scheme != value.npos && colon != value.npos) {
    const auto end = std::min(value.find_first_of("/?\"'", colon), value.size());
    hidden.push_back({offset + colon + 1, offset + end});
    done = end;
  }
  const auto query = value.find('?', done);
  if (query == value.npos || value.find('=', query) == value.npos) return;
  const auto end = value.size() - (value.ends_with('"') || value.ends_with('\'') ? 1 : 0);
  if (query + 1 < end) hidden.push_back({offset + query + 1, offset + end});
}

// Whether text that goes on from the value at this line's end is to be hidden as well.
bool ends_in_hidden(const LineParts& parts, const KeyNames& known) {
  if (parts.values.empty() || parts.opens) return false;
  const auto& last = parts.values.back();
  return last.text.starts_with('|') || last.text.starts_with('>') || last.is_unclosed ||
         is_hidden(last.keys, last.text, known);
}

std::vector<std::string_view> lines_of(std::string_view text) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  std::vector<std::string_view> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    at = end + 1;
  }
  return lines;
}

// "? KEY" and ": VALUE" on lines of their own.
bool is_long_form(std::string_view line) {
  line.remove_prefix(indent_of(line).content);
  return line.starts_with("? ") || line.starts_with(": ");
}

bool begins_block_text(const LineParts& parts) {
  if (parts.values.empty() || parts.end.brackets > 0) return false;
  const std::string_view last = parts.values.back().text;
  return last.starts_with('|') || last.starts_with('>');
}

}  // namespace

bool names_a_secret(std::string_view key) {
  return !key.ends_with("_file") && !key.ends_with("_env") && holds_a_secret_word(key);
}

bool may_be_a_secret(std::string_view key, std::string_view value) {
  if (names_a_secret(key) || looks_random(value)) return true;
  // Where a blank was forgotten. Scopes look like that, and some of them are about secrets.
  constexpr std::array<std::string_view, 6> of_scopes{"scopes", "all", "any", "implies", "require", "grants"};
  const bool is_scope = std::find(of_scopes.begin(), of_scopes.end(), key) != of_scopes.end();
  if (!is_scope && names_a_secret(word_in_front(value))) return true;
  // What a variable falls back on where it is not set.
  if (value.find(":-") != value.npos && holds_a_secret_word(value)) return true;
  if (key.ends_with("_file")) return !could_be_a_file(value);
  return key.ends_with("_env") && !could_be_a_variable(value);
}

SourceLines::SourceLines(std::string_view text, KeyNames known) : lines_(lines_of(text)), known_(std::move(known)) {
  LineState state;
  std::optional<std::size_t> block_text;  // how far in the line stands that begins it
  for (const std::string_view line : lines_) {
    const Indent indent = indent_of(line);
    if (block_text && (indent.content == line.size() || indent.dash > *block_text)) {
      kinds_.push_back(Kind::text);
      continue;
    }
    block_text.reset();
    kinds_.push_back(state.quote != '\0' ? Kind::text : state.brackets > 0 ? Kind::flow : Kind::block);
    const LineParts parts = parts_of(line, {}, state);
    state = parts.end;
    if (begins_block_text(parts)) block_text = indent.dash;
  }
}

// By its indentation; nullopt: it may go on with something hidden.
std::optional<std::vector<std::string>> SourceLines::keys_above(std::size_t number) const {
  std::vector<std::vector<std::string>> chain;
  Indent at = indent_of(lines_[number]);
  for (std::size_t above = number; above-- > 0 && (at.dash > 0 || at.has_dash);) {
    const Indent other = indent_of(lines_[above]);
    if (kinds_[above] == Kind::text || other.is_blank || other.dash > at.dash) continue;
    if (other.dash == at.dash && (!at.has_dash || other.has_dash)) continue;
    if (other.has_dash && other.content >= at.dash && other.dash < at.dash) {  // a sibling, as in "- name: x"
      at = other;
      continue;
    }
    const LineParts parts = parts_of(lines_[above], {});
    if (ends_in_hidden(parts, known_)) return std::nullopt;
    chain.push_back(parts.open_keys);
    at = other;
  }
  std::vector<std::string> keys;
  for (auto part = chain.rbegin(); part != chain.rend(); ++part) keys.insert(keys.end(), part->begin(), part->end());
  return keys;
}

std::optional<std::vector<Span>> SourceLines::hidden_in(std::size_t number) const {
  if (kinds_[number] == Kind::text || is_long_form(lines_[number])) return std::nullopt;
  const auto keys = keys_above(number);
  if (!keys) return std::nullopt;
  const bool is_flow = kinds_[number] == Kind::flow;
  const LineParts parts = parts_of(lines_[number], *keys, {is_flow ? 1U : 0U, '\0'});
  std::vector<Span> hidden;
  for (const auto& value : parts.values) {
    // Within brackets, how far in a line begins says little of what it belongs to.
    const bool is_anyones = is_flow && value.keys.size() <= keys->size();
    if (is_anyones || is_hidden(value.keys, value.text, known_)) {
      hidden.push_back({value.begin, value.begin + value.text.size()});
    } else {
      hide_within(value.text, value.begin, hidden);
    }
  }
  for (const auto& key : parts.keys) {
    const auto is_secret = [](const std::string& one) { return one != "admin_secrets" && holds_a_secret_word(one); };
    if (std::any_of(key.keys.begin(), key.keys.end(), is_secret))
      hidden.push_back({key.begin, key.begin + key.text.size()});
  }
  std::sort(hidden.begin(), hidden.end(), [](const Span& a, const Span& b) { return a.begin < b.begin; });
  if (parts.comment < lines_[number].size()) hidden.push_back({parts.comment, lines_[number].size()});
  return hidden;
}

}  // namespace keygate::config
