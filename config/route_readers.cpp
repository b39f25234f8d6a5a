#include "config/route_readers.hpp"

#include "config/collection_readers.hpp"
#include "config/scalar_readers.hpp"

#include <utility>

namespace keygate::config {

Reader<CorsDocument> cors_reader() {
  using C = CorsDocument;
  constexpr std::chrono::hours longest{24};  // what browsers keep an answer for at most
  const auto words = list_or_one(located(text()));
  return object<C>({
      required(key("origins", &C::origins, words, "https://app.example.com; or \"*\", without credentials")),
      key("methods", &C::methods, words, "fewer than the route has"),
      key("headers", &C::headers, words, "request headers that a page may set"),
      key("expose", &C::expose, words, "response headers that a page may read"),
      key("credentials", &C::credentials, boolean(), "whether a page may send cookies and the like"),
      key("max_age", &C::max_age, duration(std::chrono::seconds(0), longest), "how long a browser remembers"),
  });
}

Reader<std::vector<SetHeaderDocument>> set_headers_reader() {
  using Pairs = std::vector<std::pair<Text, Text>>;
  return then(map_of(located(text())), [](const Value&, Pairs pairs) -> std::optional<std::vector<SetHeaderDocument>> {
    std::vector<SetHeaderDocument> headers;
    for (auto& [name, value] : pairs) headers.push_back({std::move(name), std::move(value)});
    return headers;
  });
}

}  // namespace keygate::config
