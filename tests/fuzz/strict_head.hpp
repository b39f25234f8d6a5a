// A message head read by nothing but the grammar of RFC 9112, strictly and slowly: what the gate and the parsers behind
// it are held against. Shares no code with them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::fuzz {

struct StrictField {
  std::string_view name;
  std::string_view value;  // without blanks at either end
};

// Views the head.
struct StrictHead {
  std::string_view start;
  std::vector<StrictField> fields;
  std::size_t longest_line = 0;  // of the fields, without line ends
  std::size_t longest_name = 0;

  // The values of the fields of that name (in lower case), in order.
  std::vector<std::string_view> all(std::string_view lower_name) const;
};

// nullopt: not one whole head of a start line, fields and an empty line, each ended by CRLF.
std::optional<StrictHead> strict_head(std::string_view head);

struct StrictRequestLine {
  std::string_view method;
  std::string_view target;
  std::string_view version;  // HTTP/1.0 or HTTP/1.1
};
std::optional<StrictRequestLine> strict_request_line(std::string_view line);

struct StrictStatusLine {
  std::string_view version;
  unsigned status = 0;
  std::string_view reason;
};
std::optional<StrictStatusLine> strict_status_line(std::string_view line);

bool is_strict_token(std::string_view text);
std::string lower(std::string_view text);

// The elements of a comma-separated list in lower case, blanks and empty ones left out.
std::vector<std::string> elements(std::string_view list);

}  // namespace keygate::fuzz
