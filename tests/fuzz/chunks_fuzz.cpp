// The chunk filter: it takes exactly the bodies that the grammar takes, whatever pieces they come in; what comes out is
// the same body in the plainest chunks, as Beast reads it too.
#include "proxy/chunk_filter.hpp"
#include "tests/fuzz/probe.hpp"
#include "tests/fuzz/strict_head.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <algorithm>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace keygate::fuzz {
namespace {

using proxy::ChunkFilter;
using proxy::ChunkFraming;

struct Body {
  std::string data;
  std::size_t size = 0;  // of the chunked form, up to its end
};

std::optional<std::string_view> take_line(std::string_view text, std::size_t& at) {
  const auto end = text.find("\r\n", at);
  if (end == std::string_view::npos) return std::nullopt;
  const auto line = text.substr(at, end - at);
  at = end + 2;
  return line;
}

bool has_control(std::string_view text, bool allows_high) {
  return std::any_of(text.begin(), text.end(), [allows_high](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && byte != '\t') || byte == 0x7F || (!allows_high && byte >= 0x80);
  });
}

bool is_trailer(std::string_view line) {
  const auto colon = line.find(':');
  return colon != std::string_view::npos && is_strict_token(line.substr(0, colon)) &&
         !has_control(line.substr(colon + 1), true);
}

// RFC 9112 §7.1 with the limits of chunk_filter.hpp, line by line. nullopt: no whole body.
std::optional<Body> naive_body(std::string_view text) {
  Body body;
  std::size_t at = 0;
  std::size_t extensions = 0;
  while (true) {
    const std::size_t begin = at;
    const auto line = take_line(text, at);
    if (!line || at - begin > ChunkFilter::max_size_line) return std::nullopt;
    const auto digits = std::min(line->find_first_not_of("0123456789abcdefABCDEF"), line->size());
    const auto extension = line->substr(digits);
    if (digits == 0 || digits > 15) return std::nullopt;
    if (!extension.empty() && (extension[0] != ';' || has_control(extension, false))) return std::nullopt;
    extensions += extension.empty() ? 0 : extension.size() - 1;
    if (extensions > ChunkFilter::max_extensions) return std::nullopt;
    const auto size = std::stoull(std::string(line->substr(0, digits)), nullptr, 16);
    if (size == 0) break;
    if (size > text.size() - at || text.substr(at + size, 2) != "\r\n") return std::nullopt;
    body.data += text.substr(at, size);
    at += size + 2;
  }
  const std::size_t trailers = at;
  for (std::size_t fields = 0;; ++fields) {
    const auto line = take_line(text, at);
    if (!line || at - trailers > ChunkFilter::max_trailers) return std::nullopt;
    if (line->empty()) break;
    if (fields == ChunkFilter::max_trailer_fields || !is_trailer(*line)) return std::nullopt;
  }
  body.size = at;
  return body;
}

enum class Verdict : std::uint8_t { more, done, flawed };

struct Filtered {
  Verdict verdict = Verdict::more;
  std::string output;  // of the steps before a flaw
  std::size_t consumed = 0;
  std::size_t data = 0;
};

// `next` says how long the next piece is, of the bytes that are left.
Filtered filter(ChunkFraming framing, std::string_view text, const std::function<std::size_t(std::size_t)>& next) {
  ChunkFilter chunks(framing);
  Filtered result;
  while (!text.empty()) {
    const std::size_t size = std::clamp<std::size_t>(next(text.size()), 1, text.size());
    std::vector<char> piece(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(size));
    text.remove_prefix(size);
    const ChunkFilter::Step step = chunks.feed(piece);
    if (step.is_flawed) {
      hold(!step.is_done && step.produced == 0 && step.data == 0, "nothing of a flawed step is sent");
      result.verdict = Verdict::flawed;
      return result;
    }
    hold(step.data <= step.produced && step.produced <= step.consumed && step.consumed <= size, "a step does not grow");
    hold(step.is_done || step.consumed == size, "all is taken until the body ends");
    result.output.append(piece.data(), step.produced);
    result.consumed += step.consumed;
    result.data += step.data;
    if (step.is_done) {
      result.verdict = Verdict::done;
      result.output += chunks.tail();
      return result;
    }
  }
  return result;
}

void hold_same(const Filtered& pieces, const Filtered& whole) {
  hold(pieces.verdict == whole.verdict, "the verdict is the same in pieces");
  if (whole.verdict == Verdict::flawed) return;
  hold_equal(pieces.output, whole.output, "the output is the same in pieces");
  hold_equal(pieces.consumed, whole.consumed, "the end is the same in pieces");
  hold_equal(pieces.data, whole.data, "so is the size of the data");
}

std::string as_beast_reads(const std::string& chunks) {
  namespace http = boost::beast::http;
  http::request_parser<http::string_body> parser;
  parser.eager(true);
  const std::string message = "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks;
  boost::system::error_code error;
  std::size_t used = 0;
  while (used < message.size() && !parser.is_done()) {
    const std::size_t took = parser.put(boost::asio::const_buffer(message.data() + used, message.size() - used), error);
    if (error || took == 0) broken("Beast takes the chunks that come out", error.message());
    used += took;
  }
  hold(parser.is_done() && used == message.size(), "Beast ends the body where we do");
  return parser.get().body();
}

}  // namespace

void probe(std::string_view input) {
  const auto all_at_once = [](std::size_t left) { return left; };
  const auto by_byte = [](std::size_t) { return std::size_t{1}; };
  std::minstd_rand random(static_cast<unsigned>(std::hash<std::string_view>{}(input)));
  const auto somehow = [&random](std::size_t) { return std::size_t{1 + random() % 24}; };

  const Filtered kept = filter(ChunkFraming::keep, input, all_at_once);
  const Filtered bare = filter(ChunkFraming::strip, input, all_at_once);
  const Filtered trailed = filter(ChunkFraming::keep_trailers, input, all_at_once);
  hold_same(filter(ChunkFraming::keep_trailers, input, by_byte), trailed);
  hold_same(filter(ChunkFraming::keep, input, by_byte), kept);
  hold_same(filter(ChunkFraming::strip, input, by_byte), bare);
  for (int round = 0; round < 3; ++round) {
    hold_same(filter(ChunkFraming::keep, input, somehow), kept);
    hold_same(filter(ChunkFraming::strip, input, somehow), bare);
    hold_same(filter(ChunkFraming::keep_trailers, input, somehow), trailed);
  }

  const auto body = naive_body(input);
  hold_equal(kept.verdict == Verdict::done, body.has_value(), "a body is whole where the grammar says so");
  hold(bare.verdict == kept.verdict && trailed.verdict == kept.verdict,
       "what comes out makes no difference to what is taken");
  if (!body) return;
  hold_equal(kept.consumed, body->size, "it ends where the grammar says so");
  hold_equal(bare.output, body->data, "its data come out bare");
  hold_equal(kept.data, body->data.size(), "its data are counted");
  const auto out = naive_body(kept.output);
  hold(out && out->size == kept.output.size(), "what comes out is a whole chunked body and nothing else");
  hold_equal(out->data, body->data, "and its data are the same");
  hold_equal(filter(ChunkFraming::keep, kept.output, all_at_once).output, kept.output, "and nothing is left to drop");
  hold_equal(as_beast_reads(kept.output), body->data, "and Beast reads the same of it");
  hold_equal(filter(ChunkFraming::keep, trailed.output, all_at_once).output, kept.output,
             "trailers are all it has more");
  hold_equal(filter(ChunkFraming::keep_trailers, trailed.output, all_at_once).output, trailed.output,
             "and none of them is left to drop");
  const std::string low = lower(trailed.output.substr(kept.output.size() - 2));
  for (const char* name : {"content-length:", "transfer-encoding:", "host:", "connection:", "set-cookie:"}) {
    hold(!low.starts_with(name) && low.find(std::string("\n") + name) == std::string::npos,
         "no trailer frames or routes");
  }
}

}  // namespace keygate::fuzz
