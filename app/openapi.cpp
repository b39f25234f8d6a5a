#include "app/openapi.hpp"

#include "config/yaml_reader.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <memory>

namespace keygate::app {
namespace {

namespace json = boost::json;

constexpr std::array<std::pair<const char*, const char*>, 7> methods{{{"get", "GET"},
                                                                      {"head", "HEAD"},
                                                                      {"post", "POST"},
                                                                      {"put", "PUT"},
                                                                      {"patch", "PATCH"},
                                                                      {"delete", "DELETE"},
                                                                      {"options", "OPTIONS"}}};

// What YAML calls a number or a boolean stays text: nothing here asks for one.
json::value json_of(const config::YamlNode& node) {
  using Kind = config::YamlNode::Kind;
  if (node.kind == Kind::scalar) return json::string(node.text);
  if (node.kind == Kind::list) {
    json::array list;
    for (const auto& item : node.items) list.push_back(json_of(*item));
    return list;
  }
  if (node.kind == Kind::map) {
    json::object map;
    for (const auto& entry : node.entries) map.emplace(entry.key, json_of(*entry.value));
    return map;
  }
  return nullptr;
}

std::variant<json::value, std::string> parse(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin != text.npos && text[begin] == '{') {
    boost::system::error_code error;
    json::value value = json::parse(json::string_view(text.data(), text.size()), error);
    if (!error) return value;
  }
  const auto document = config::read_yaml(text, std::make_shared<const std::string>("the document"));
  if (config::has_errors(document.problems)) return config::render(document.problems.front());
  if (!document.root) return std::string("the document is empty");
  return json_of(*document.root);
}

const json::value* member(const json::object& object, std::string_view name) {
  return object.if_contains(json::string_view(name.data(), name.size()));
}

const json::object* object_in(const json::object& object, std::string_view name) {
  const json::value* const value = member(object, name);
  return value == nullptr ? nullptr : value->if_object();
}

const json::array* array_in(const json::object& object, std::string_view name) {
  const json::value* const value = member(object, name);
  return value == nullptr ? nullptr : value->if_array();
}

std::string text_in(const json::object& object, std::string_view name) {
  const json::value* const value = member(object, name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::vector<std::string> texts(const json::value& value) {
  std::vector<std::string> found;
  if (value.is_string()) found.emplace_back(value.get_string());
  if (const json::array* const list = value.if_array()) {
    for (const json::value& item : *list) {
      if (item.is_string()) found.emplace_back(item.get_string());
    }
  }
  return found;
}

class Reading {
 public:
  Reading(const json::object& root, const OpenApiOptions& options) : root_(root), options_(options) {}

  OpenApi read() {
    if (const auto* info = object_in(root_, "info")) out_.title = text_in(*info, "title");
    read_server();
    read_schemes();
    if (const auto* paths = object_in(root_, "paths")) {
      for (const auto& path : *paths) read_path(std::string(path.key()), path.value());
    }
    return std::move(out_);
  }

 private:
  // "https://api.example.com/v1": "/v1". One with a variable in its path could be anything.
  void read_server() {
    const auto* servers = array_in(root_, "servers");
    if (servers == nullptr || servers->empty() || !servers->front().is_object()) return;
    const std::string url = text_in(servers->front().get_object(), "url");
    const std::size_t scheme = url.find("://");
    const std::size_t path = url.find('/', scheme == url.npos ? 0 : scheme + 3);
    out_.base_path = path == url.npos ? "" : url.substr(path);
    while (out_.base_path.ends_with('/')) out_.base_path.pop_back();
    if (out_.base_path.find('{') != url.npos) {
      out_.notes.push_back("the server's path " + out_.base_path + " has variables, and is left out: see --base-path");
      out_.base_path.clear();
    }
  }

  void read_schemes() {
    const auto* components = object_in(root_, "components");
    const auto* schemes = components == nullptr ? nullptr : object_in(*components, "securitySchemes");
    if (schemes == nullptr) return;
    for (const auto& scheme : *schemes) {
      const json::object* const facts = resolved(scheme.value());
      if (facts == nullptr) continue;
      is_cookie_[std::string(scheme.key())] = text_in(*facts, "in") == "cookie";
      const auto* flows = object_in(*facts, "flows");
      if (flows == nullptr) continue;
      for (const auto& flow : *flows) {
        const auto* scopes = flow.value().is_object() ? object_in(flow.value().get_object(), "scopes") : nullptr;
        if (scopes == nullptr) continue;
        for (const auto& scope : *scopes) describe(std::string(scope.key()), scope.value());
      }
    }
  }

  void describe(const std::string& name, const json::value& description) {
    const auto is_it = [&](const auto& known) { return known.first == name; };
    if (std::ranges::any_of(out_.scopes, is_it)) return;
    out_.scopes.emplace_back(name, description.is_string() ? std::string(description.get_string()) : std::string());
  }

  // Follows one reference inside the document.
  const json::object* resolved(const json::value& value) const {
    const json::object* const object = value.if_object();
    if (object == nullptr) return nullptr;
    const std::string reference = text_in(*object, "$ref");
    if (reference.empty()) return object;
    if (!reference.starts_with("#/")) return nullptr;
    const json::object* at = &root_;
    for (std::size_t begin = 2; begin < reference.size() && at != nullptr;) {
      const std::size_t end = std::min(reference.find('/', begin), reference.size());
      std::string name = reference.substr(begin, end - begin);
      for (const auto& [code, character] : {std::pair{"~1", "/"}, {"~0", "~"}}) {
        for (std::size_t found = name.find(code); found != name.npos; found = name.find(code, found + 1)) {
          name.replace(found, 2, character);
        }
      }
      at = object_in(*at, name);
      begin = end + 1;
    }
    return at;
  }

  void read_path(const std::string& path, const json::value& value) {
    if (!path.starts_with('/')) return;  // an extension
    const json::object* const item = resolved(value);
    if (item == nullptr) {
      out_.notes.push_back(path + " is described elsewhere (" +
                           (value.is_object() ? text_in(value.get_object(), "$ref") : "no map") + "), and left out");
      return;
    }
    if (member(*item, "servers") != nullptr) out_.notes.push_back(path + " has servers of its own, which are left out");
    for (const auto& [name, method] : methods) {
      const auto* operation = object_in(*item, name);
      if (operation != nullptr) read_operation(method, path, *operation);
    }
    if (member(*item, "trace") != nullptr) out_.notes.push_back("TRACE " + path + " is never forwarded, and left out");
  }

  void read_operation(const char* method, const std::string& path, const json::object& facts) {
    Operation operation;
    operation.method = method;
    operation.path = path;
    operation.id = text_in(facts, "operationId");
    const json::value* security = member(facts, "security");
    if (security == nullptr) security = member(root_, "security");
    const json::array* const requirements = security == nullptr ? nullptr : security->if_array();
    operation.says_nothing = requirements == nullptr;
    if (requirements != nullptr) {
      for (const json::value& requirement : *requirements) read_requirement(requirement, operation);
    }
    for (const std::string& extension : options_.extensions) {
      const json::value* const scopes = member(facts, extension);
      if (scopes == nullptr) continue;
      operation.alternatives = {texts(*scopes)};
      operation.says_nothing = false;
      break;
    }
    out_.operations.push_back(std::move(operation));
  }

  // All schemes of one requirement are to be met: their scopes are needed together.
  void read_requirement(const json::value& requirement, Operation& operation) {
    const json::object* const schemes = requirement.if_object();
    if (schemes == nullptr || schemes->empty()) {
      operation.is_optional = true;
      return;
    }
    std::vector<std::string> needed;
    for (const auto& scheme : *schemes) {
      const auto known = is_cookie_.find(std::string(scheme.key()));
      (known != is_cookie_.end() && known->second ? operation.is_by_session : operation.is_by_key) = true;
      for (std::string& scope : texts(scheme.value())) needed.push_back(std::move(scope));
    }
    operation.alternatives.push_back(std::move(needed));
  }

  const json::object& root_;
  const OpenApiOptions& options_;
  OpenApi out_;
  std::map<std::string, bool> is_cookie_;  // of each scheme
};

}  // namespace

std::variant<OpenApi, std::string> read_openapi(std::string_view text, const OpenApiOptions& options) {
  auto parsed = parse(text);
  if (auto* fault = std::get_if<std::string>(&parsed)) return std::move(*fault);
  const json::object* const root = std::get<json::value>(parsed).if_object();
  const std::string version = root == nullptr ? "" : text_in(*root, "openapi");
  if (!version.starts_with("3.0") && !version.starts_with("3.1")) {
    return std::string(version.empty() ? "it has no \"openapi\": 3.0 or 3.1 is read"
                                       : "it is OpenAPI " + version + ": 3.0 and 3.1 are read");
  }
  return Reading(*root, options).read();
}

}  // namespace keygate::app
