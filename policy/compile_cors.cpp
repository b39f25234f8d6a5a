#include "config/header_name.hpp"
#include "policy/compiler.hpp"
#include "policy/cors.hpp"

#include <algorithm>
#include <string_view>

namespace keygate::policy {
namespace {

// What is wrong with an origin, and what to write instead.
struct OriginFlaw {
  std::string message, hint;
};

bool is_lower_word(std::string_view text, std::string_view others) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [others](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || others.find(c) != std::string_view::npos;
  });
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return result;
}

// A host with its port, in the one form in which a browser sends it: canonical, the scheme's own port left out.
std::optional<OriginFlaw> authority_flaw(std::string_view origin, std::string_view scheme, std::string_view authority) {
  std::string buffer(authority.size(), '\0');
  const auto host = canonical_host(authority, buffer);
  const auto port = authority.substr(host ? host->size() : authority.size());
  const bool is_port_odd = authority.ends_with(':') || (!port.empty() && !port.starts_with(':'));
  if (!host || is_port_odd || authority.substr(0, host->size()) != *host) {
    return OriginFlaw{quoted(origin) + " has no host in the form that browsers send", "write https://app.example.com"};
  }
  const bool is_default = (scheme == "https" && port == ":443") || (scheme == "http" && port == ":80");
  if (is_default) {
    return OriginFlaw{"browsers leave out the port in " + quoted(origin),
                      "write " + quoted(origin.substr(0, origin.size() - port.size()))};
  }
  if (port.starts_with(":0")) {
    return OriginFlaw{quoted(origin) + " is not an origin", "write https://app.example.com, or with :8443 behind it"};
  }
  return std::nullopt;
}

// RFC 6454 §6.2: scheme://host, with a port that is not the scheme's own.
std::optional<OriginFlaw> origin_flaw(std::string_view origin) {
  if (origin == "null") {
    return OriginFlaw{"\"null\" is the origin of every sandboxed frame and local file, so of anybody",
                      "name the page's own origin"};
  }
  if (origin.find('*') != std::string_view::npos) {
    return OriginFlaw{quoted(origin) + " is a pattern, and origins are exact", "list each origin"};
  }
  const auto colon = origin.find("://");
  if (colon == std::string_view::npos) {
    return OriginFlaw{quoted(origin) + " is not an origin", "write it with its scheme, as in https://app.example.com"};
  }
  if (const auto folded = lower(origin); folded != origin) {
    return OriginFlaw{"browsers send " + quoted(origin) + " in lower case", "write " + quoted(folded)};
  }
  const auto scheme = origin.substr(0, colon);
  const auto authority = origin.substr(colon + 3);
  if (const auto path = authority.find_first_of("/?#"); path != std::string_view::npos) {
    return OriginFlaw{quoted(origin) + " goes on behind the host, and an origin ends there",
                      "write " + quoted(origin.substr(0, colon + 3 + path))};
  }
  if (!is_lower_word(scheme, "+-.")) {
    return OriginFlaw{quoted(origin) + " is not an origin", "write https://app.example.com"};
  }
  return authority_flaw(origin, scheme, authority);
}

std::string joined(const std::vector<config::Text>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word.value;
  return text;
}

void check_names(const std::vector<config::Text>& names, const std::string& path, bool credentials,
                 Findings& findings) {
  for (const auto& name : names) {
    if (name.value == "*" && credentials) {
      findings.error(name.where, path, "with credentials: true, browsers take \"*\" for a name", "list the headers");
    } else if (!config::is_token(name.value)) {
      findings.error(name.where, path, quoted(name.value) + " is not a header name");
    }
  }
}

void compile_methods(const config::CorsDocument& document, const std::string& path, const RouteTable::Entry& criteria,
                     Cors& cors, Findings& findings) {
  const MethodSet& own = criteria.methods;
  for (const auto& word : document.methods) {
    const auto method = parse_method(word.value);
    if (!method || *method == Method::trace || *method == Method::connect) {
      findings.error(word.where, path + ".methods", "unknown method " + quoted(word.value));
    } else if (!own.empty() && !own.has(*method) && !(*method == Method::head && own.has(Method::get))) {
      findings.error(word.where, path + ".methods", "the route does not have the method " + word.value,
                     "list it under match.methods, or leave it out here");
    } else {
      cors.methods.add(*method);
    }
  }
  cors.methods_text = joined(document.methods);
}

void compile_origins(const config::CorsDocument& document, const std::string& path, Cors& cors, Findings& findings) {
  for (const auto& origin : document.origins) {
    if (origin.value == "*") {
      cors.is_any = true;
      if (document.credentials) {
        findings.error(origin.where, path + ".origins", "every page there is could act as whoever is signed in",
                       "list the origins, or leave out credentials");
      } else if (document.origins.size() > 1) {
        findings.error(origin.where, path + ".origins", "\"*\" says it for all of them", "leave out the others");
      }
    } else if (const auto flaw = origin_flaw(origin.value)) {
      findings.error(origin.where, path + ".origins", flaw->message, flaw->hint);
    } else if (cors.find(origin.value) != nullptr) {
      findings.error(origin.where, path + ".origins", quoted(origin.value) + " is listed twice");
    }
    cors.origins.push_back({origin.value, {}, {}});
  }
}

void write_lines(const config::CorsDocument& document, Cors& cors) {
  for (Cors::Origin& origin : cors.origins) {
    std::string allow = "Access-Control-Allow-Origin: " + origin.text + "\r\n";
    if (document.credentials) allow += "Access-Control-Allow-Credentials: true\r\n";
    origin.lines = origin.preflight_lines = allow;
    if (!document.expose.empty()) origin.lines += "Access-Control-Expose-Headers: " + joined(document.expose) + "\r\n";
    if (!cors.is_any) origin.lines += vary_by_origin;
    if (!document.headers.empty()) {
      origin.preflight_lines += "Access-Control-Allow-Headers: " + joined(document.headers) + "\r\n";
    }
    if (document.max_age) {
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*document.max_age).count();
      origin.preflight_lines += "Access-Control-Max-Age: " + std::to_string(seconds) + "\r\n";
    }
  }
}

}  // namespace

void compile_cors(const RouteSource& source, const RouteTable::Entry& criteria, Route& route, Findings& findings) {
  if (!source.document.cors) return;
  const auto& document = *source.document.cors;
  const auto path = source.path + ".cors";
  const auto cors = std::make_shared<Cors>();
  cors->credentials = document.credentials;
  compile_origins(document, path, *cors, findings);
  compile_methods(document, path, criteria, *cors, findings);
  check_names(document.headers, path + ".headers", document.credentials, findings);
  check_names(document.expose, path + ".expose", document.credentials, findings);
  write_lines(document, *cors);
  route.cors = cors;
}

}  // namespace keygate::policy
