#include "app/openapi.hpp"

#include "app/openapi_security.hpp"
#include "app/openapi_tree.hpp"
#include "config/fault.hpp"
#include "policy/path_template.hpp"

#include <algorithm>
#include <array>

namespace keygate::app {
namespace {

constexpr std::array<std::pair<const char*, const char*>, 7> methods{{{"get", "GET"},
                                                                      {"head", "HEAD"},
                                                                      {"post", "POST"},
                                                                      {"put", "PUT"},
                                                                      {"patch", "PATCH"},
                                                                      {"delete", "DELETE"},
                                                                      {"options", "OPTIONS"}}};

const std::vector<std::string> root_keys{"openapi",  "info",       "jsonSchemaDialect", "servers", "paths",
                                         "webhooks", "components", "security",          "tags",    "externalDocs"};
const std::vector<std::string> item_keys{"$ref",    "summary", "description", "get",   "put",     "post",      "delete",
                                         "options", "head",    "patch",       "trace", "servers", "parameters"};
const std::vector<std::string> operation_keys{"tags",        "summary",    "description", "externalDocs",
                                              "operationId", "parameters", "requestBody", "responses",
                                              "callbacks",   "deprecated", "security",    "servers"};

class Reading {
 public:
  Reading(const Document& document, const OpenApiOptions& options) : document_(document), options_(options) {}

  OpenApi read() {
    const DocumentValue root = document_.root();
    read_version(root);
    document_.require_known_keys(root, root_keys);
    if (const DocumentValue info = document_.member(root, "info"); info.node != nullptr) {
      const DocumentValue title = document_.member(info, "title");
      if (title.node != nullptr) out_.title = title.node->text;
    }
    security_.emplace(document_);
    default_security_ = document_.member(root, "security");
    const std::string base = base_of(root, "");
    const std::vector<std::string> others = std::exchange(other_bases_, {});
    if (const DocumentValue paths = document_.member(root, "paths"); paths.node != nullptr) {
      for (const auto& [path, item] : document_.members(paths)) read_path(path, item, base, others);
    }
    out_.scopes = security_->take_scopes();
    auto notes = security_->take_notes();
    out_.notes.insert(out_.notes.end(), notes.begin(), notes.end());
    return std::move(out_);
  }

 private:
  void read_version(const DocumentValue& root) {
    const DocumentValue version = document_.member(root, "openapi");
    if (version.node == nullptr) document_.refuse(root, "has no \"openapi\"", "3.0 and 3.1 are read");
    const std::string& text = version.node->text;
    const bool is_known = text.starts_with("3.0") || text.starts_with("3.1");
    if (!is_known || (text.size() > 3 && text[3] != '.')) {
      document_.refuse(version, "is OpenAPI " + text, "3.0 and 3.1 are read");
    }
  }

  // The path of the first of its servers; `otherwise`, where it names none.
  std::string base_of(const DocumentValue& value, const std::string& otherwise) {
    if (options_.base_path) return *options_.base_path;
    const DocumentValue servers = document_.member(value, "servers");
    if (servers.node == nullptr) return otherwise;
    std::vector<std::string> bases;
    for (const DocumentValue& server : document_.items(servers)) bases.push_back(base_of_server(server));
    if (bases.empty()) return otherwise;
    const auto differs = [&](const std::string& base) { return base != bases.front(); };
    if (std::ranges::any_of(bases, differs)) {
      note("its servers have different paths: the first one's, " + config::quoted(bases.front() + "/") +
           ", is taken, and nobody may at the others'; see --base-path");
    }
    for (const std::string& other : bases) {
      if (differs(other)) other_bases_.push_back(other);
    }
    return bases.front();
  }

  // "https://api.example.com/v1/" is "/v1". A variable has its default value.
  std::string base_of_server(const DocumentValue& server) {
    const DocumentValue value = document_.member(server, "url");
    if (value.node == nullptr) document_.refuse(server, "has no \"url\"");
    std::string url = value.node->text;
    for (std::size_t open = url.find('{'); open != url.npos; open = url.find('{', open)) {
      const std::size_t close = url.find('}', open);
      if (close == url.npos) document_.refuse(value, "has a brace without its twin");
      const std::string name = url.substr(open + 1, close - open - 1);
      const std::string text = default_of(server, name, value);
      url.replace(open, close - open + 1, text);
      open += text.size();
    }
    if (url.find_first_of("?#") != url.npos) document_.refuse(value, "has a query or a fragment", "or say --base-path");
    const std::size_t scheme = url.find("://");
    const std::size_t path = url.find('/', scheme == url.npos ? 0 : scheme + 3);
    if (scheme == url.npos && !url.empty() && url != "." && !url.starts_with('/')) {
      document_.refuse(value, "is no URL, and does not begin with a slash", "or say --base-path");
    }
    const auto base = base_path_of(path == url.npos ? "" : url.substr(path));
    if (!base) document_.refuse(value, "has a path that no request can have", "or say --base-path");
    return *base;
  }

  std::string default_of(const DocumentValue& server, const std::string& name, const DocumentValue& url) {
    const DocumentValue variables = document_.member(server, "variables");
    const DocumentValue variable = variables.node == nullptr ? variables : document_.member(variables, name);
    const DocumentValue value = variable.node == nullptr ? variable : document_.member(variable, "default");
    if (value.node == nullptr) document_.refuse(url, "has the variable " + config::quoted(name) + " without a default");
    return value.node->text;
  }

  void note(std::string text) {
    if (std::ranges::find(out_.notes, text) == out_.notes.end()) out_.notes.push_back(std::move(text));
  }

  // What stands at another server than the first comes to nobody, and to no more general path.
  void shut(const std::string& path, const std::vector<std::string>& bases, const std::string& open) {
    for (const std::string& base : bases) {
      if (base != open) out_.paths.push_back({path, base, true});
    }
  }

  void read_path(const std::string& path, const DocumentValue& value, const std::string& base,
                 const std::vector<std::string>& others) {
    if (path.starts_with("x-")) return;
    if (!path.starts_with('/')) document_.refuse(value, "is no path: it does not begin with a slash");
    if (path.find_first_of("?#") != path.npos) {
      document_.refuse(value, "is no path: what follows the question mark or hash is no part of one");
    }
    if (path.find("//") != path.npos) document_.refuse(value, "has an empty segment, and so no request has it");
    const DocumentValue item = resolved(document_, value);
    if (item.node == nullptr) {
      out_.paths.push_back({path, base, true});
      note(path + " is described in another file: nobody may use it");
      return;
    }
    document_.require_known_keys(item, item_keys);
    for (const std::string& extension : options_.extensions) {
      const DocumentValue scopes = document_.member(item, extension);
      if (scopes.node != nullptr)
        document_.refuse(scopes, "stands beside operations, and counts for none", "write it into each");
    }
    const bool has_own = document_.member(item, "servers").node != nullptr;
    const std::string item_base = base_of(item, base);
    const std::vector<std::string> own = std::exchange(other_bases_, {});
    shut(path, has_own ? own : others, item_base);
    out_.paths.push_back({path, item_base, false});
    for (const auto& [name, method] : methods) {
      const DocumentValue operation = document_.member(item, name);
      if (operation.node != nullptr) read_operation(method, path, operation, item_base);
    }
    if (document_.member(item, "trace").node != nullptr) note("TRACE " + path + " is never forwarded, and left out");
  }

  void read_operation(const char* method, const std::string& path, const DocumentValue& facts,
                      const std::string& base) {
    document_.require_known_keys(facts, operation_keys);
    Operation operation;
    operation.method = method;
    operation.path = path;
    operation.base_path = base_of(facts, base);
    shut(path, std::exchange(other_bases_, {}), operation.base_path);
    operation.where = document_.place(facts);
    if (const DocumentValue id = document_.member(facts, "operationId"); id.node != nullptr)
      operation.id = id.node->text;
    DocumentValue security = document_.member(facts, "security");
    if (security.node == nullptr) security = default_security_;
    if (security.node == nullptr) {
      operation.who = Operation::Who::unsaid;
    } else {
      security_->read_requirements(security, operation);
    }
    for (const std::string& extension : options_.extensions) {
      const DocumentValue scopes = document_.member(facts, extension);
      if (scopes.node != nullptr) add_scopes(operation, document_.words(scopes));
    }
    if (operation.base_path != base) out_.paths.push_back({path, operation.base_path, false});
    out_.operations.push_back(std::move(operation));
  }

  // Whoever names scopes wants a credential, whatever `security` says.
  static void add_scopes(Operation& operation, const std::vector<std::string>& scopes) {
    if (operation.who != Operation::Who::ways) operation.ways.push_back({true, false, {}});
    operation.who = Operation::Who::ways;
    operation.is_optional = false;
    for (Way& way : operation.ways) way.scopes.insert(way.scopes.end(), scopes.begin(), scopes.end());
  }

  const Document& document_;
  const OpenApiOptions& options_;
  std::optional<Security> security_;
  DocumentValue default_security_;
  std::vector<std::string> other_bases_;  // of the servers that base_of has just read, but for the first's
  OpenApi out_;
};

}  // namespace

std::variant<OpenApi, config::Problem> read_openapi(std::string_view text, const std::string& file,
                                                    const OpenApiOptions& options) {
  auto parsed = Document::parse(text, file);
  if (auto* problem = std::get_if<config::Problem>(&parsed)) return std::move(*problem);
  try {
    return Reading(std::get<Document>(parsed), options).read();
  } catch (DocumentFault& fault) {
    return std::move(fault.problem);
  }
}

std::optional<std::string> base_path_of(std::string text) {
  while (text.ends_with('/')) text.pop_back();
  if (text.empty()) return text;
  const bool is_plain = text.find_first_of("{}") == text.npos;
  const auto parsed = policy::parse_path_template(text);
  if (!is_plain || !std::holds_alternative<policy::PathTemplate>(parsed)) return std::nullopt;
  return text;
}

}  // namespace keygate::app
