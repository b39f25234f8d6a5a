// From an HTTP request to a call that the store's thread can do, or to what is wrong with it before it is asked.
#pragma once

#include "app/key_api.hpp"

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace keygate::app {

struct Judged {
  const Operation* operation = nullptr;
  std::shared_ptr<const Call> call;
};

struct Refused {
  ApiProblem problem;
  std::string allowed;  // methods, for a 405
  Judged asked;         // as far as it is known: a null operation where the path or the method has none
};

// What is wrong with a head before anything is made of it: two readers might not agree on whom it is for, or on where
// its body ends (RFC 9112, 3.2 and 6.1). The connection is of no use after that.
std::optional<ApiProblem> head_flaw(const boost::beast::http::request<boost::beast::http::string_body>& request);

// The document is for everybody.
inline constexpr std::string_view document_path = "/openapi.json";

// Takes the request's body. `now`: unix seconds.
std::variant<Judged, Refused> judged(boost::beast::http::request<boost::beast::http::string_body>& request,
                                     const std::shared_ptr<const ApiRules>& rules, std::int64_t now);

}  // namespace keygate::app
