// A second opinion on HTTP/1.1: a strict parser that shares no code with the proxy. What it cannot read in exactly one
// way, it refuses. Slow and simple on purpose.
#pragma once

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::test {

struct Malformed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Field {
  std::string name;
  std::string value;
  bool operator==(const Field&) const = default;
};

class Fields {
 public:
  void add(Field field) { all_.push_back(std::move(field)); }
  const std::vector<Field>& all() const { return all_; }
  // Case-insensitive, as names are.
  std::size_t count(std::string_view name) const;
  bool has(std::string_view name) const { return count(name) > 0; }
  std::vector<std::string> values(std::string_view name) const;
  // The value of the only field of that name; "(absent)" or "(repeated)" otherwise, so that a comparison says what was
  // wrong.
  std::string operator[](std::string_view name) const;
  // Names that an upstream which folds punctuation takes for `name` (X_Org.Id for X-Org-Id).
  std::size_t count_alike(std::string_view name) const;
  // Whether a value in the comma-separated lists of that name equals `token`, case ignored.
  bool lists(std::string_view name, std::string_view token) const;

 private:
  std::vector<Field> all_;
};

struct Request {
  std::string method, target, version;
  Fields fields;
  bool is_chunked = false;
  std::string body;
  std::size_t head_size = 0;
  std::size_t size = 0;  // of the whole message on the wire
};

struct Response {
  int status = 0;
  std::string version, reason;
  Fields fields;
  std::string body;
  bool is_chunked = false;
  bool ends_with_connection = false;
  Fields trailers;
  std::vector<Response> interim;  // the 1xx before it
  std::size_t size = 0;           // on the wire, interim ones included
};

// The head alone; body empty, size the size of the head. nullopt: not all there yet.
std::optional<Request> read_request_head(std::string_view bytes);
// The first request. A body needs exactly one framing field; trailers and chunk extensions are refused, since a proxy
// that drops them never sends any.
std::optional<Request> read_request(std::string_view bytes);

enum class AnswerTo { get, head };
// The first final response. `is_end`: the connection has ended, so what is delimited by its end is complete.
std::optional<Response> read_response(std::string_view bytes, AnswerTo method, bool is_end);

bool equal_ignoring_case(std::string_view a, std::string_view b);

}  // namespace keygate::test
