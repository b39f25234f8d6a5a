#include "tests/fuzz/gate_reading.hpp"

#include "proxy/chunk_filter.hpp"
#include "tests/fuzz/open_route.hpp"
#include "tests/fuzz/strict_head.hpp"

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <optional>

namespace keygate::fuzz {
namespace {

using proxy::ChunkFilter;
using proxy::ChunkFraming;
using proxy::RequestHead;

struct Body {
  std::size_t size = 0;  // of the input
  std::string sent{};    // of it, towards the upstream
  std::string data{};    // what `sent` says
  bool is_whole = false, is_flawed = false;
};

std::string filtered(ChunkFilter& chunks, std::string_view text, ChunkFilter::Step& step) {
  std::vector<char> room(text.begin(), text.end());
  step = chunks.feed(room);
  return {room.data(), step.produced};
}

Body chunked_body(std::string_view rest, const std::function<std::size_t()>& piece) {
  Body body;
  ChunkFilter kept(ChunkFraming::keep);
  ChunkFilter bare(ChunkFraming::strip);
  while (body.size < rest.size() && !body.is_whole && !body.is_flawed) {
    const std::string_view next = rest.substr(body.size, std::max<std::size_t>(piece(), 1));
    ChunkFilter::Step step;
    body.sent += filtered(kept, next, step);
    body.is_whole = step.is_done;
    body.is_flawed = step.is_flawed;
    body.size += step.consumed;
    body.data += filtered(bare, next, step);
  }
  return body;
}

Body body_of(const RequestHead& head, std::string_view rest, const std::function<std::size_t()>& piece) {
  if (head.is_chunked) return chunked_body(rest, piece);
  Body body;
  body.size = static_cast<std::size_t>(std::min<std::uint64_t>(rest.size(), head.content_length));
  body.sent = body.data = rest.substr(0, body.size);
  body.is_whole = body.size == head.content_length;
  return body;
}

ReadRequest request_of(const StrictHead& strict, const RequestHead& head, const Body& body) {
  const StrictRequestLine line = strict_request_line(strict.start).value();
  ReadRequest request{std::string(line.method), std::string(line.target), std::string(line.version.substr(5))};
  request.is_upgrade = head.is_upgrade;
  for (const auto& field : strict.fields) request.fields.emplace_back(field.name, field.value);
  request.body = body.data;
  request.is_whole = body.is_whole;
  return request;
}

// What we read, not what stands there: fields that Connection names are emptied, and those alone. Max-Forwards of an
// OPTIONS is counted down where it stands.
void take_our_reading(const RequestHead& head, ReadRequest& request) {
  request.method = head.method_word;
  request.version = head.minor_version == 1 ? "1.1" : "1.0";
  request.fields.resize(head.field_count);
  for (std::size_t i = 0; i < head.field_count; ++i) {
    const bool is_counted_down = head.method_word == "OPTIONS" && lower(head.fields[i].name) == "max-forwards";
    if (head.fields[i].name.empty() || is_counted_down) continue;
    request.fields[i] = {std::string(head.fields[i].name), std::string(head.fields[i].value)};
  }
}

bool lists(const StrictHead& strict, std::string_view name, std::string_view option) {
  const auto values = strict.all(name);
  return std::any_of(values.begin(), values.end(), [option](std::string_view list) {
    const auto options = elements(list);
    return std::find(options.begin(), options.end(), option) != options.end();
  });
}

bool asks_for_any_upgrade(const StrictHead& strict) {
  const auto asked = strict.all("upgrade");
  const bool is_listed = lists(strict, "connection", "upgrade") || lists(strict, "proxy-connection", "upgrade");
  return is_listed && std::any_of(asked.begin(), asked.end(), [](std::string_view name) { return !name.empty(); });
}

// RFC 9110 §5.6.3 has tabs around values too, which some do not know in the fields that matter for framing.
bool has_tab(const StrictHead& strict, std::initializer_list<std::string_view> names) {
  return std::any_of(strict.fields.begin(), strict.fields.end(), [names](const StrictField& field) {
    const char* const begin = field.name.data() + field.name.size();
    const std::string_view line(begin, std::string_view(begin).find('\r'));
    return std::find(names.begin(), names.end(), lower(field.name)) != names.end() &&
           line.find('\t') != std::string_view::npos;
  });
}

class Connection {
 public:
  Connection(std::string_view input, const std::function<std::size_t()>& piece) : rest_(input), piece_(piece) {}

  GateReading read() {
    while (read_one()) {
    }
    return std::move(reading_);
  }

 private:
  // Whether another may follow.
  bool read_one() {
    const std::size_t blank = proxy::leading_blank_size(rest_);
    std::size_t searched = 0;
    const std::size_t size = proxy::head_size(rest_.substr(blank), searched);
    if (size == 0) return false;  // nobody has looked at it yet
    const std::string text(rest_.substr(blank, size));
    std::vector<char> room(text.begin(), text.end());  // the target is settled in place
    if (proxy::read_request_head(room, {}, open_snapshot().reserved, *head_)) return refuse();
    const auto strict = strict_head(text).value();
    const Body body = body_of(*head_, rest_.substr(blank + size), piece_);
    ReadRequest request = request_of(strict, *head_, body);
    take_our_reading(*head_, request);
    request.is_upgrade = asks_for_any_upgrade(strict);
    if (!body.is_flawed) {
      // Extensions and trailers: any visible bytes to us, as they go nowhere.
      const bool is_rewritten = head_->is_chunked && body.sent != rest_.substr(blank + size, body.size);
      reading_.has_leniency =
          reading_.has_leniency || is_rewritten || has_tab(strict, {"content-length", "transfer-encoding"});
      reading_.is_cut_short = reading_.is_cut_short || has_tab(strict, {"connection", "proxy-connection"});
      take(rest_.substr(0, blank + size + body.size), request, lists(strict, "proxy-connection", "close"));
    }
    send(body);
    rest_.remove_prefix(blank + size + body.size);
    if (body.is_flawed) return refuse();
    return body.is_whole && head_->keep_alive && !head_->is_upgrade;
  }

  bool refuse() {
    reading_.refused = 1;
    return false;
  }

  // `is_last`: to those who know Proxy-Connection, which is in no standard.
  void take(std::string_view bytes, const ReadRequest& request, bool is_last) {
    if (reading_.is_cut_short) return;
    reading_.taken.bytes += bytes;
    reading_.taken.requests.push_back(request);
    reading_.is_kept = head_->keep_alive && !is_last;
    reading_.is_cut_short = (request.is_upgrade && !head_->is_upgrade) || is_last;
  }

  void send(const Body& body) {
    const bool is_sent = on_open_route(*head_, false, [&](const auto& facts, const auto& grant) {
      const std::string up = forwarded_head(facts, grant);
      reading_.sent.bytes += up + body.sent;
      reading_.sent.requests.push_back(request_of(strict_head(up).value(), *head_, body));
    });
    reading_.denied += is_sent ? 0 : 1;
  }

  std::string_view rest_;
  const std::function<std::size_t()>& piece_;
  std::unique_ptr<RequestHead> head_ = std::make_unique<RequestHead>();
  GateReading reading_;
};

void append(std::string& text, std::string_view piece) {
  text += std::to_string(piece.size()) + ":" + std::string(piece) + ",";
}

}  // namespace

GateReading read_by_gate(std::string_view input, const std::function<std::size_t()>& piece) {
  return Connection(input, piece).read();
}

std::string written(const std::vector<ReadRequest>& requests) {
  std::string text;
  for (const ReadRequest& request : requests) {
    append(text, request.method);
    append(text, request.target);
    append(text, request.version);
    text += request.is_upgrade ? 'u' : '-';
    text += std::to_string(request.fields.size()) + ";";
    for (const auto& [name, value] : request.fields) {
      append(text, name);
      append(text, value);
    }
    append(text, request.body);
    text += request.is_whole ? "w\n" : "p\n";
  }
  return text;
}

}  // namespace keygate::fuzz
