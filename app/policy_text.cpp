#include "app/policy_text.hpp"

#include "app/explain_paper.hpp"

namespace keygate::app {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : harmless(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string list_text(const std::vector<std::string>& items) {
  std::string out = "[";
  for (const std::string& item : items) out += (out.size() > 1 ? ", " : "") + quoted(item);
  return out + "]";
}

std::string requirement(const Demand& demand) {
  std::string text;
  if (!demand.any.empty()) {
    text = "scopes: {any: " + list_text(demand.any) + "}";
  } else if (demand.all.size() == 1) {
    text = "scopes: " + quoted(demand.all.front());
  } else if (!demand.all.empty()) {
    text = "scopes: {all: " + list_text(demand.all) + "}";
  }
  if (text.empty() || demand.by_session) {
    const std::string kinds = !demand.by_session ? "[api_key]" : demand.by_key ? "[api_key, session]" : "[session]";
    text += (text.empty() ? "" : ", ") + ("credentials: " + kinds);
  }
  return text;
}

std::string route_text(const RouteDraft& route) {
  std::string out = "  - name: " + quoted(route.name) + "\n    match: {methods: " + list_text(route.methods) +
                    ", path: " + quoted(route.path) + "}\n";
  if (route.demand.is_open) return out + "    anonymous: true\n";
  out += "    require: {" + requirement(route.demand) + "}\n";
  return out + (route.demand.is_optional ? "    optional: true\n" : "");
}

}  // namespace

std::string policy_text(const PolicyParts& parts) {
  std::string out = "# " + harmless(parts.title.empty() ? "A policy" : parts.title) +
                    ", from its OpenAPI document. The order of routes does not matter; what none of them matches is "
                    "refused.\n";
  if (!parts.notes.empty()) out += "#\n# Not quite as in the document:\n";
  for (const std::string& text : parts.notes) out += "# - " + harmless(text) + "\n";
  out += "version: 1\n";
  if (!parts.scopes.empty()) out += "\nscopes:\n";
  for (const auto& [name, description] : parts.scopes) out += "  " + name + ": " + quoted(description) + "\n";
  out += parts.routes.empty() ? "\nroutes: []\n" : "\nroutes:\n";
  for (const RouteDraft& route : parts.routes) out += route_text(route);
  return out;
}

}  // namespace keygate::app
