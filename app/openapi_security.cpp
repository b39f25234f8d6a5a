#include "app/openapi_security.hpp"

#include "config/fault.hpp"

#include <algorithm>
#include <cctype>
#include <set>

namespace keygate::app {
namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// RFC 6901 §4.
std::string unescaped(std::string name) {
  for (const auto& [code, character] : {std::pair{"~1", "/"}, {"~0", "~"}}) {
    for (std::size_t found = name.find(code); found != name.npos; found = name.find(code, found + 1)) {
      name.replace(found, 2, character);
    }
  }
  return name;
}

DocumentValue pointed_at(const Document& document, const DocumentValue& from, const std::string& pointer) {
  DocumentValue at = document.root();
  for (std::size_t begin = 2; begin <= pointer.size();) {
    const std::size_t end = std::min(pointer.find('/', begin), pointer.size());
    at = document.member(at, unescaped(pointer.substr(begin, end - begin)));
    if (at.node == nullptr) document.refuse(from, "refers to " + config::quoted(pointer) + ", which is not there");
    begin = end + 1;
  }
  return at;
}

}  // namespace

DocumentValue resolved(const Document& document, DocumentValue value) {
  std::set<std::string> seen;
  for (;;) {
    if (value.node->kind != config::YamlNode::Kind::map) return value;
    const DocumentValue reference = document.member(value, "$ref");
    if (reference.node == nullptr) return value;
    document.require_known_keys(value, {"$ref", "summary", "description"});
    const std::string& pointer = document.word(reference);
    if (!pointer.starts_with('#')) return {};
    // A name with escapes of URLs could be read in two ways.
    if (!pointer.starts_with("#/") || pointer.find('%') != pointer.npos) {
      document.refuse(reference, "is no reference that is understood here", "write it as #/components/…");
    }
    if (!seen.insert(pointer).second) document.refuse(reference, "refers to itself");
    value = pointed_at(document, reference, pointer);
  }
}

Security::Security(const Document& document) : document_(document) {
  const DocumentValue components = document_.member(document_.root(), "components");
  if (components.node == nullptr) return;
  const DocumentValue schemes = document_.member(components, "securitySchemes");
  if (schemes.node == nullptr) return;
  for (const auto& [name, value] : document_.members(schemes)) read_scheme(name, value);
}

void Security::note(const std::string& text) {
  if (std::ranges::find(notes_, text) == notes_.end()) notes_.push_back(text);
}

void Security::read_scheme(const std::string& name, const DocumentValue& value) {
  const DocumentValue facts = resolved(document_, value);
  if (facts.node == nullptr) {
    schemes_[name] = {"", false, "is described in another file"};
    return;
  }
  schemes_[name] = scheme_of(facts);
}

Security::Scheme Security::scheme_of(const DocumentValue& facts) {
  const auto required = [&](std::string_view name) {
    const DocumentValue value = document_.member(facts, name);
    if (value.node == nullptr) document_.refuse(facts, "has no " + config::quoted(std::string(name)));
    return document_.word(value);
  };
  const std::string type = required("type");
  if (type == "apiKey") {
    const std::string in = required("in");
    const std::string name = required("name");
    if (in == "cookie") return {"cookie " + name, true, ""};
    if (in == "query") return {"query " + name, false, ""};
    if (in == "header") return {lower(name) == "authorization" ? "authorization" : "header " + lower(name), false, ""};
    document_.refuse(document_.member(facts, "in"), "needs to be header, query or cookie");
  }
  if (type == "http") {
    const std::string scheme = lower(required("scheme"));
    if (scheme == "bearer") return {"authorization", false, ""};
    return {"", false, "is HTTP's " + scheme + ", which Keygate cannot judge"};
  }
  if (type == "oauth2") {
    const DocumentValue flows = document_.member(facts, "flows");
    if (flows.node == nullptr) document_.refuse(facts, "has no \"flows\"");
    read_flows(flows);
    return {"authorization", false, ""};
  }
  if (type == "openIdConnect") return {"authorization", false, ""};
  if (type == "mutualTLS") return {"", false, "is a certificate, which Keygate does not decide by"};
  document_.refuse(document_.member(facts, "type"), "is no type of security scheme",
                   "write apiKey, http, oauth2, openIdConnect or mutualTLS");
}

void Security::read_flows(const DocumentValue& flows) {
  for (const auto& [name, flow] : document_.members(flows)) {
    if (name.starts_with("x-")) continue;
    const DocumentValue scopes = document_.member(flow, "scopes");
    if (scopes.node == nullptr) continue;
    for (const auto& [scope, description] : document_.members(scopes)) {
      const auto is_it = [&known = scope](const auto& other) { return other.first == known; };
      if (std::ranges::any_of(scopes_, is_it)) continue;
      scopes_.emplace_back(scope, description.node->text);
    }
  }
}

void Security::read_requirements(const DocumentValue& requirements, Operation& operation) {
  const auto alternatives = document_.items(requirements);
  for (const DocumentValue& requirement : alternatives) read_requirement(requirement, operation);
  const bool is_open = alternatives.empty() || (operation.is_optional && operation.ways.empty());
  operation.who = is_open ? Operation::Who::anybody : Operation::Who::ways;
  if (is_open) operation.is_optional = false;
}

// All schemes of one requirement are to be met. Keygate looks at one credential: they are met by it where they are all
// carried in the same place.
void Security::read_requirement(const DocumentValue& requirement, Operation& operation) {
  const auto members = document_.members(requirement);
  if (members.empty()) {
    operation.is_optional = true;
    return;
  }
  Way way;
  const Scheme* first = nullptr;
  std::string names, why_not;
  for (const auto& [name, scopes] : members) {
    const auto known = schemes_.find(name);
    if (known == schemes_.end()) {
      document_.refuse(scopes, "there is no security scheme " + config::quoted(name),
                       "describe it in components.securitySchemes");
    }
    const Scheme& scheme = known->second;
    names += (names.empty() ? "" : " and ") + name;
    if (scheme.carrier.empty()) why_not = name + " " + scheme.why_not;
    if (first == nullptr) first = &scheme;
    if (first->carrier != scheme.carrier && why_not.empty()) {
      why_not = "they are two credentials, and Keygate judges one";
    }
    for (const DocumentValue& scope : document_.items(scopes)) way.scopes.push_back(document_.word(scope));
  }
  if (!why_not.empty()) {
    note("the alternative " + names + " is left out: " + why_not);
    return;
  }
  way.by_session = first->is_cookie;
  way.by_key = !first->is_cookie;
  operation.ways.push_back(std::move(way));
}

}  // namespace keygate::app
