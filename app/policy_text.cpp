#include "app/policy_text.hpp"

#include "app/explain_paper.hpp"

namespace keygate::app {
namespace {

using Access = Demand::Access;

// A dollar would begin a variable.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : harmless(text)) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '$') out += '$';
    out += c;
  }
  return out + '"';
}

// Without a colon inside, a word could be null or true for YAML.
std::string key(const std::string& scope) { return scope.find(':') == scope.npos ? quoted(scope) : scope; }

std::string list_text(const std::vector<std::string>& items) {
  std::string out = "[";
  for (const std::string& item : items) out += (out.size() > 1 ? ", " : "") + quoted(item);
  return out + "]";
}

std::string requirement(const Demand& demand) {
  const auto& [all, any] = demand.scopes;
  std::string text;
  if (!any.empty()) {
    text = "scopes: {" + (all.empty() ? "" : "all: " + list_text(all) + ", ") + "any: " + list_text(any) + "}";
  } else if (all.size() == 1) {
    text = "scopes: " + quoted(all.front());
  } else if (!all.empty()) {
    text = "scopes: {all: " + list_text(all) + "}";
  }
  if (text.empty() || demand.by_session) {
    const std::string kinds = !demand.by_session ? "[api_key]" : demand.by_key ? "[api_key, session]" : "[session]";
    text += (text.empty() ? "" : ", ") + ("credentials: " + kinds);
  }
  return text;
}

std::string route_text(const RouteDraft& route, const std::string& nobody) {
  std::string out = "  - name: " + quoted(route.name) + "\n    match: {methods: " + list_text(route.methods) +
                    ", path: " + quoted(route.path) + "}\n";
  switch (route.demand.access) {
    case Access::nobody:
      return out + "    require: {scopes: " + quoted(nobody) + "}\n";
    case Access::open:
      return out + "    anonymous: true\n";
    case Access::required:
      return out + "    require: {" + requirement(route.demand) + "}\n";
    case Access::optional:
      return out + "    require: {" + requirement(route.demand) + "}\n    optional: true\n";
  }
  return out;
}

}  // namespace

std::string policy_text(const PolicyParts& parts) {
  std::string out = "# " + harmless(parts.title.empty() ? "A policy" : parts.title) +
                    ", from its OpenAPI document. The order of routes does not matter; what none of them matches is "
                    "refused.\n";
  if (!parts.notes.empty()) out += "#\n# Not quite as in the document:\n";
  for (const std::string& text : parts.notes) out += "# - " + harmless(text) + "\n";
  out += "version: 1\n";
  if (!parts.scopes.empty() || !parts.nobody.empty()) out += "\nscopes:\n";
  for (const auto& [name, description] : parts.scopes) out += "  " + key(name) + ": " + quoted(description) + "\n";
  if (!parts.nobody.empty()) {
    out += "  " + key(parts.nobody) +
           ": {description: \"To be granted to nobody: guards what the document does not have\", restricted: true}\n";
  }
  out += parts.routes.empty() ? "\nroutes: []\n" : "\nroutes:\n";
  for (const RouteDraft& route : parts.routes) out += route_text(route, parts.nobody);
  return out;
}

}  // namespace keygate::app
