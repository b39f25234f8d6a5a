// What goes to a server over HTTP, and what came back. Used by http_client and those who ask through it.
#pragma once

#include "config/resolution_settings.hpp"
#include "keys/wiped_text.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace keygate::keys {

struct HttpRequestParts {
  std::string_view method = "POST";
  std::string_view content_type;  // empty: no body, and no Content-Length
  std::string_view fields;        // header lines, each with its line end
  std::string_view token;         // goes along as Authorization: Bearer; empty: none does
  std::string_view body;
};

// The whole request in HTTP/1.1, which asks for an answer that is not compressed. What goes in has no line ends but
// those of `fields`.
WipedText write_http_request(const config::ServiceUrl& url, const HttpRequestParts& parts);

struct HttpResponse {
  unsigned status = 0;
  std::string content_type;
  std::optional<std::chrono::seconds> retry_after;  // where it was a number
  std::string body;                                 // at most 64 KiB
};

}  // namespace keygate::keys
