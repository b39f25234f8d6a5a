#include "app/dev_plan.hpp"

#include "keys/key_format.hpp"

#include <algorithm>

namespace keygate::app {
namespace {

// A path that the template covers: `{organization}` as the key's, other parameters by example, the rest left out.
std::string example_path(const config::RouteDocument& route) {
  const std::string& written = route.match.path.value;
  const std::string bound = route.require && route.require->organization ? route.require->organization->value : "";
  std::string path;
  for (std::size_t at = 0; at < written.size();) {
    if (written[at] != '{') {
      path += written[at++];
      continue;
    }
    const std::size_t end = written.find('}', at);
    const std::string parameter = written.substr(at, end == std::string::npos ? end : end - at + 1);
    if (parameter.find("...") == std::string::npos) {
      path += parameter == bound ? std::string(development_organization) : "example";
    }
    at = end == std::string::npos ? written.size() : end + 1;
  }
  return path;
}

// One word for a shell, whatever a policy holds: the lines are made to be pasted.
std::string quoted(const std::string& text) {
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

bool needs_key(const config::RouteDocument& route) {
  if (!route.require || route.optional) {
    return false;
  }
  const auto& kinds = route.require->credentials;
  return kinds.empty() ||
         std::any_of(kinds.begin(), kinds.end(), [](const auto& kind) { return kind.value == "api_key"; });
}

}  // namespace

std::string development_key() {
  std::string key = "kg_dev_" + std::string("0nlyForDevelopmentOnThisMachine0123");
  key.resize(keys::key_size - 6, '0');
  return key + keys::checksum_of(key);
}

std::string_view starter_policy() {
  return R"(version: 1
scopes:
  hello:read: Say hello
  hello:write: Change what hello says
routes:
  - name: read-hello
    match: {methods: [GET], path: /hello}
    require: {scopes: hello:read}
  - name: write-hello
    match: {methods: [POST, PUT, DELETE], path: /hello}
    require: {scopes: hello:write}
  - name: anything-else
    match: {path: "/{path...}"}
    require: {credentials: [api_key]}
)";
}

TryLines try_lines(const config::PolicyDocument& policy, const std::string& address) {
  for (const config::RouteDocument& route : policy.routes) {
    if (!needs_key(route)) {
      continue;
    }
    std::string options = "-i ";
    if (!route.match.methods.empty() && route.match.methods.front().value != "GET") {
      const std::string& method = route.match.methods.front().value;
      options += method == "HEAD" ? "-I " : "-X " + method + " ";
    }
    if (!route.match.hosts.empty()) {
      std::string host = route.match.hosts.front().value;
      options += "-H " + quoted("Host: " + (host.starts_with("*.") ? "example" + host.substr(1) : host)) + " ";
    }
    for (const auto& condition : route.match.headers) {
      options += "-H " + quoted(condition.name.value + ": " + condition.value.value) + " ";
    }
    const std::string url = quoted("http://" + address + example_path(route));
    return {"curl " + options + url, "curl " + options + "-H " + quoted("x-api-key: " + development_key()) + " " + url};
  }
  return {};
}

}  // namespace keygate::app
