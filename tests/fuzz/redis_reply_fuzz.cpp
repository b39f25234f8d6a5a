// Replies of Redis, read by the gate and hiredis behind it: exactly the ones that the grammar of RESP2 and the caps
// take, the same however the bytes arrive, and each with its last byte. A command reads back as the words it was made
// of. Input: what comes from Redis, where each byte 0xFF stands for 8 KiB of text, so that the caps are within reach.
#include "keys/redis_codec.hpp"
#include "keys/resp_gate.hpp"
#include "tests/fuzz/probe.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace keygate::fuzz {
namespace {

using keys::RedisReader;
using keys::RedisReply;
using keys::RespGate;
using Type = RedisReply::Type;

enum class Outcome : std::uint8_t { whole, more, flawed };

// One reply, from its first byte.
class NaiveReply {
 public:
  explicit NaiveReply(std::string_view text) : text_(text) {}

  Outcome read(RedisReply& into) {
    const Outcome outcome = value(into, 0);
    return at_ > RespGate::max_reply ? Outcome::flawed : outcome;
  }
  std::size_t size() const { return at_; }

 private:
  Outcome value(RedisReply& into, std::size_t depth) {
    if (at_ == text_.size()) return Outcome::more;
    const char type = text_[at_++];
    if (std::string_view("+-:$*").find(type) == std::string_view::npos) return Outcome::flawed;
    std::string line;
    if (const Outcome outcome = take_line(line, type == '+' || type == '-'); outcome != Outcome::whole) return outcome;
    if (type == '+' || type == '-') {
      into.type = type == '+' ? Type::status : Type::error;
      into.text = line;
      return Outcome::whole;
    }
    const auto number = number_of(line);
    if (!number) return Outcome::flawed;
    if (type == ':') {
      into.type = Type::integer;
      into.integer = *number;
      return Outcome::whole;
    }
    if (*number == -1) return Outcome::whole;  // nil
    if (*number < 0) return Outcome::flawed;
    const auto size = static_cast<std::uint64_t>(*number);
    return type == '$' ? string(into, size) : array(into, size, depth);
  }

  Outcome string(RedisReply& into, std::uint64_t size) {
    if (size > RespGate::max_string || at_ + size > RespGate::max_reply) return Outcome::flawed;
    into.type = Type::string;
    into.text = text_.substr(at_, size);
    at_ += into.text.size();
    if (into.text.size() < size) return Outcome::more;
    for (const char expected : {'\r', '\n'}) {
      if (at_ == text_.size()) return Outcome::more;
      if (text_[at_++] != expected) return Outcome::flawed;
    }
    return Outcome::whole;
  }

  Outcome array(RedisReply& into, std::uint64_t count, std::size_t depth) {
    into.type = Type::array;
    if (count > RespGate::max_elements || (count > 0 && depth == RespGate::max_depth)) return Outcome::flawed;
    into.elements.resize(count);
    for (RedisReply& element : into.elements) {
      if (const Outcome outcome = value(element, depth + 1); outcome != Outcome::whole) return outcome;
    }
    return Outcome::whole;
  }

  // Up to CR LF, in which no other CR, LF or NUL stands. A number has at most 20 characters.
  Outcome take_line(std::string& line, bool is_text) {
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '\r') {
        if (at_ == text_.size()) return Outcome::more;
        return text_[at_++] == '\n' ? Outcome::whole : Outcome::flawed;
      }
      line += c;
      if (c == '\n' || c == '\0' || (!is_text && line.size() > 20)) return Outcome::flawed;
    }
    return Outcome::more;
  }

  static std::optional<std::int64_t> number_of(const std::string& line) {
    errno = 0;
    char* end = nullptr;
    const long long number = std::strtoll(line.c_str(), &end, 10);
    // There is one spelling of each.
    return errno == 0 && std::to_string(number) == line ? std::optional<std::int64_t>(number) : std::nullopt;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

struct Naive {
  std::vector<RedisReply> replies;
  std::vector<std::size_t> ends;
  bool is_flawed = false;
};

Naive read_naively(std::string_view text) {
  Naive result;
  std::size_t at = 0;
  while (at < text.size()) {
    NaiveReply reader(text.substr(at));
    RedisReply reply;
    const Outcome outcome = reader.read(reply);
    result.is_flawed = outcome == Outcome::flawed;
    if (outcome != Outcome::whole) break;
    at += reader.size();
    result.replies.push_back(std::move(reply));
    result.ends.push_back(at);
  }
  return result;
}

bool is_same(const RedisReply& a, const RedisReply& b) {
  return a.type == b.type && a.integer == b.integer && a.text == b.text &&
         std::equal(a.elements.begin(), a.elements.end(), b.elements.begin(), b.elements.end(), is_same);
}

struct Read {
  std::vector<RedisReply> replies;
  bool is_flawed = false;
};

// `next` says how long the next piece is.
Read read_in_pieces(std::string_view text, const Naive& naive, const std::function<std::size_t()>& next) {
  RedisReader reader;
  Read result;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t size = std::clamp<std::size_t>(next(), 1, text.size() - at);
    const std::vector<char> piece(text.begin() + static_cast<std::ptrdiff_t>(at),
                                  text.begin() + static_cast<std::ptrdiff_t>(at + size));
    if (!reader.feed({piece.data(), piece.size()}).empty()) {
      result.is_flawed = true;
      return result;
    }
    at += size;
    while (auto reply = reader.next()) result.replies.push_back(std::move(*reply));
    const auto due = std::count_if(naive.ends.begin(), naive.ends.end(), [at](std::size_t end) { return end <= at; });
    hold_equal(result.replies.size(), static_cast<std::size_t>(due), "a reply is there with its last byte");
  }
  return result;
}

void check(std::string_view text, const Naive& naive, const std::function<std::size_t()>& next, bool is_by_byte) {
  const Read read = read_in_pieces(text, naive, next);
  hold_equal(read.is_flawed, naive.is_flawed, "taken is what the grammar and the caps take");
  hold(read.replies.size() <= naive.replies.size(), "there are no more replies than the grammar finds");
  // Of bytes in which there is a flaw nothing is read, not even what stands before it.
  if (!read.is_flawed || is_by_byte) hold_equal(read.replies.size(), naive.replies.size(), "none is lost");
  for (std::size_t i = 0; i < read.replies.size(); ++i) {
    hold(is_same(read.replies[i], naive.replies[i]), "and they say what the grammar finds");
  }
}

void check_faults(const std::vector<RedisReply>& replies) {
  for (const RedisReply& reply : replies) {
    if (reply.is_error()) hold(!to_string(keys::fault_of(reply.text)).empty(), "every error means something");
  }
}

void check_command(std::string_view input) {
  const auto words = split(input, '\n');
  const std::string bytes = keys::encode_command(words);
  if (words.size() > RespGate::max_elements || bytes.size() > RespGate::max_reply) return;
  const Naive naive = read_naively(bytes);
  hold(naive.replies.size() == 1 && naive.ends[0] == bytes.size(), "a command is one array");
  const auto& elements = naive.replies[0].elements;
  hold_equal(elements.size(), words.size(), "of as many words");
  for (std::size_t i = 0; i < words.size(); ++i) {
    hold(elements[i].type == Type::string, "each is a string");
    hold_equal(elements[i].text, words[i], "and the one that was given");
  }
}

std::string expanded(std::string_view input) {
  constexpr std::size_t most = 9;  // one more than the longest string takes
  std::string text;
  std::size_t count = 0;
  for (const char c : input) {
    if (c == '\xFF' && ++count <= most) {
      text.append(8192, 'a');
    } else {
      text += c;
    }
  }
  return text;
}

}  // namespace

void probe(std::string_view input) {
  const std::string text = expanded(input);
  const Naive naive = read_naively(text);
  std::minstd_rand random(static_cast<unsigned>(std::hash<std::string_view>{}(input)));
  const std::size_t longest = text.size() / 8 + 8;
  const auto all_at_once = [&] { return text.size(); };
  const auto by_byte = [] { return std::size_t{1}; };
  const auto somehow = [&] { return 1 + random() % longest; };
  check(text, naive, all_at_once, false);
  check(text, naive, somehow, false);
  if (text.size() <= 512) check(text, naive, by_byte, true);
  check_faults(naive.replies);
  check_command(input);
}

}  // namespace keygate::fuzz
