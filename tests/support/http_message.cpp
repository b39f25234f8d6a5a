#include "tests/support/http_message.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace keygate::test {
namespace {

char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

// Lines end with CRLF and hold neither by itself.
class Lines {
 public:
  explicit Lines(std::string_view bytes) : left_(bytes), total_(bytes.size()) {}

  std::optional<std::string_view> next() {
    const auto end = left_.find('\n');
    const std::string_view line = left_.substr(0, end == std::string_view::npos ? left_.size() : end);
    const auto cr = line.find('\r');
    if (cr != std::string_view::npos && cr + 1 < line.size()) {
      throw Malformed("a bare CR");
    }
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    if (cr == std::string_view::npos) {
      throw Malformed("a bare LF");
    }
    left_.remove_prefix(end + 1);
    return line.substr(0, line.size() - 1);
  }

  std::optional<std::string_view> take(std::size_t size) {
    if (left_.size() < size) {
      return std::nullopt;
    }
    const auto piece = left_.substr(0, size);
    left_.remove_prefix(size);
    return piece;
  }

  std::string_view rest() { return std::exchange(left_, {}); }

  std::size_t taken() const { return total_ - left_.size(); }

 private:
  std::string_view left_;
  std::size_t total_;
};

std::optional<Fields> read_fields(Lines& lines) {
  Fields fields;
  for (;;) {
    const auto line = lines.next();
    if (!line) {
      return std::nullopt;
    }
    if (line->empty()) {
      return fields;
    }
    const auto colon = line->find(':');
    const std::string_view name = line->substr(0, colon);
    if (colon == std::string_view::npos || !is_token(name)) {
      throw Malformed("not a field: " + std::string(*line));
    }
    const std::string_view value = trimmed(line->substr(colon + 1));
    for (const char c : value) {
      if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) {
        throw Malformed("a control in the value of " + std::string(name));
      }
    }
    fields.add({std::string(name), std::string(value)});
  }
}

std::optional<std::size_t> declared_length(const Fields& fields) {
  if (!fields.has("content-length")) {
    return std::nullopt;
  }
  const std::string text = fields["content-length"];
  const bool is_number = !text.empty() && text.size() <= 18 &&
                         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  if (!is_number || (text.size() > 1 && text.front() == '0')) {
    throw Malformed("Content-Length: " + text);
  }
  return std::stoull(text);
}

bool says_chunked(const Fields& fields) {
  if (!fields.has("transfer-encoding")) {
    return false;
  }
  if (!equal_ignoring_case(fields["transfer-encoding"], "chunked")) {
    throw Malformed("Transfer-Encoding: " + fields["transfer-encoding"]);
  }
  if (fields.has("content-length")) {
    throw Malformed("two framing fields");
  }
  return true;
}

struct ChunkedBody {
  std::string bytes;
  Fields trailers;
};

std::optional<ChunkedBody> read_chunks(Lines& lines) {
  ChunkedBody body;
  for (;;) {
    const auto line = lines.next();
    if (!line) {
      return std::nullopt;
    }
    const bool is_hex = !line->empty() && line->size() <= 16 &&
                        std::all_of(line->begin(), line->end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
    if (!is_hex) {
      throw Malformed("not a chunk size: " + std::string(*line));
    }
    const std::size_t size = std::stoull(std::string(*line), nullptr, 16);
    if (size == 0) {
      auto trailers = read_fields(lines);
      if (!trailers) {
        return std::nullopt;
      }
      body.trailers = std::move(*trailers);
      return body;
    }
    const auto piece = lines.take(size);
    if (!piece) {
      return std::nullopt;
    }
    body.bytes += *piece;
    const auto end = lines.take(2);
    if (!end) {
      return std::nullopt;
    }
    if (*end != "\r\n") {
      throw Malformed("chunk data does not end where its size says");
    }
  }
}

std::optional<Request> read_head(Lines& lines) {
  const auto line = lines.next();
  if (!line) {
    return std::nullopt;
  }
  const auto first = line->find(' ');
  const auto last = line->rfind(' ');
  if (first == std::string_view::npos || last == first || line->find(' ', first + 1) != last) {
    throw Malformed("not a request line: " + std::string(*line));
  }
  Request request;
  request.method = line->substr(0, first);
  request.target = line->substr(first + 1, last - first - 1);
  request.version = line->substr(last + 1);
  const bool is_visible =
      std::all_of(request.target.begin(), request.target.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; });
  if (!is_token(request.method) || request.target.empty() || !is_visible || request.version != "HTTP/1.1") {
    throw Malformed("not a request line: " + std::string(*line));
  }
  auto fields = read_fields(lines);
  if (!fields) {
    return std::nullopt;
  }
  request.fields = std::move(*fields);
  if (request.fields.count("host") != 1) {
    throw Malformed("not exactly one Host");
  }
  request.is_chunked = says_chunked(request.fields);
  declared_length(request.fields);
  request.head_size = request.size = lines.taken();
  return request;
}

std::optional<Response> read_one_response(Lines& lines, AnswerTo method, bool is_end) {
  const auto line = lines.next();
  if (!line) {
    return std::nullopt;
  }
  const bool has_form =
      line->size() >= 12 && (line->starts_with("HTTP/1.1 ") || line->starts_with("HTTP/1.0 ")) &&
      std::all_of(line->begin() + 9, line->begin() + 12, [](unsigned char c) { return std::isdigit(c) != 0; }) &&
      (line->size() == 12 || (*line)[12] == ' ');
  if (!has_form) {
    throw Malformed("not a status line: " + std::string(*line));
  }
  Response response;
  response.version = line->substr(0, 8);
  response.status = std::stoi(std::string(line->substr(9, 3)));
  response.reason = line->size() > 13 ? line->substr(13) : "";
  auto fields = read_fields(lines);
  if (!fields) {
    return std::nullopt;
  }
  response.fields = std::move(*fields);
  response.is_chunked = says_chunked(response.fields);
  const auto length = declared_length(response.fields);
  const bool has_no_body =
      method == AnswerTo::head || response.status < 200 || response.status == 204 || response.status == 304;
  if (has_no_body) {
    return response;
  }
  if (response.is_chunked) {
    auto body = read_chunks(lines);
    if (!body) {
      return std::nullopt;
    }
    response.body = std::move(body->bytes);
    response.trailers = std::move(body->trailers);
  } else if (length) {
    const auto body = lines.take(*length);
    if (!body) {
      return std::nullopt;
    }
    response.body = *body;
  } else {
    if (!is_end) {
      return std::nullopt;
    }
    response.ends_with_connection = true;
    response.body = lines.rest();
  }
  return response;
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::size_t Fields::count(std::string_view name) const { return values(name).size(); }

std::vector<std::string> Fields::values(std::string_view name) const {
  std::vector<std::string> found;
  for (const Field& field : all_) {
    if (equal_ignoring_case(field.name, name)) {
      found.push_back(field.value);
    }
  }
  return found;
}

std::string Fields::operator[](std::string_view name) const {
  const auto found = values(name);
  return found.size() == 1 ? found.front() : found.empty() ? "(absent)" : "(repeated)";
}

std::size_t Fields::count_alike(std::string_view name) const {
  const auto fold = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 ? lower(c) : '-'; };
  return static_cast<std::size_t>(std::count_if(all_.begin(), all_.end(), [&](const Field& field) {
    return std::equal(field.name.begin(), field.name.end(), name.begin(), name.end(),
                      [&](char x, char y) { return fold(x) == fold(y); });
  }));
}

bool Fields::lists(std::string_view name, std::string_view token) const {
  for (const std::string& value : values(name)) {
    std::string_view left = value;
    while (!left.empty()) {
      const auto comma = left.find(',');
      if (equal_ignoring_case(trimmed(left.substr(0, comma)), token)) {
        return true;
      }
      left = comma == std::string_view::npos ? std::string_view{} : left.substr(comma + 1);
    }
  }
  return false;
}

std::optional<Request> read_request_head(std::string_view bytes) {
  Lines lines(bytes);
  return read_head(lines);
}

std::optional<Request> read_request(std::string_view bytes) {
  Lines lines(bytes);
  auto request = read_head(lines);
  if (!request) {
    return std::nullopt;
  }
  if (request->is_chunked) {
    auto body = read_chunks(lines);
    if (!body) {
      return std::nullopt;
    }
    if (!body->trailers.all().empty()) {
      throw Malformed("trailers");
    }
    request->body = std::move(body->bytes);
  } else if (const auto length = declared_length(request->fields)) {
    const auto body = lines.take(*length);
    if (!body) {
      return std::nullopt;
    }
    request->body = *body;
  }
  request->size = lines.taken();
  return request;
}

std::optional<Response> read_response(std::string_view bytes, AnswerTo method, bool is_end) {
  Lines lines(bytes);
  std::vector<Response> interim;
  for (;;) {
    auto response = read_one_response(lines, method, is_end);
    if (!response) {
      return std::nullopt;
    }
    if (response->status >= 200 || response->status == 101) {
      response->interim = std::move(interim);
      response->size = lines.taken();
      return response;
    }
    interim.push_back(std::move(*response));
  }
}

}  // namespace keygate::test
