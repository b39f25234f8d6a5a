#include "keys/http_message.hpp"

namespace keygate::keys {

WipedText write_http_request(const config::ServiceUrl& url, const HttpRequestParts& parts) {
  WipedText text;
  text += parts.method;
  text += ' ';
  text += url.target;
  text += " HTTP/1.1\r\nHost: ";
  text += url.authority;
  text += "\r\nUser-Agent: keygate\r\nAccept: application/json\r\nAccept-Encoding: identity\r\n";
  if (!parts.token.empty()) {
    text += "Authorization: Bearer ";
    text += parts.token;
    text += "\r\n";
  }
  text += parts.fields;
  if (!parts.content_type.empty()) {
    text += "Content-Type: ";
    text += parts.content_type;
    text += "\r\nContent-Length: ";
    text += std::to_string(parts.body.size());
    text += "\r\n";
  }
  text += "\r\n";
  text += parts.body;
  return text;
}

}  // namespace keygate::keys
