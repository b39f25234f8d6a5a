// From an HTTP request to a call that the store's thread can do, or to what is wrong with it before it is asked.
#pragma once

#include "app/key_api.hpp"

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <memory>
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
};

// The document is for everybody.
inline constexpr std::string_view document_path = "/openapi.json";

// Takes the request's body. `now`: unix seconds.
std::variant<Judged, Refused> judged(boost::beast::http::request<boost::beast::http::string_body>& request,
                                     const std::shared_ptr<const ApiRules>& rules, std::int64_t now);

}  // namespace keygate::app
