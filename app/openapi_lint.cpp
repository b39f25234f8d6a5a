#include "app/openapi_lint.hpp"

#include "app/path_shape.hpp"
#include "app/scope_spelling.hpp"
#include "policy/compiler.hpp"
#include "policy/sample_request.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>
#include <variant>

namespace keygate::app {
namespace {

using policy::Access;
using policy::Finding;
using policy::Route;
using policy::SampleRequest;

// The hosts and headers that a request may need to come to one route or another.
std::vector<SampleRequest> contexts_of(const policy::Policy& policy, const policy::SampleWord& word) {
  std::vector<SampleRequest> contexts;
  std::set<std::tuple<std::string, std::string>> seen;
  for (const auto& entry : policy.criteria) {
    for (SampleRequest& sample : policy::sample_requests(entry, word)) {
      std::string headers;
      for (const auto& header : sample.headers) {
        headers += std::string(header.name) + ':' + std::string(header.value) + '\n';
      }
      if (seen.emplace(sample.host, std::move(headers)).second) contexts.push_back(std::move(sample));
    }
  }
  return contexts;
}

// A path of the operation as it is written, with a word for each parameter.
std::string filled_path(const Operation& operation, const std::string& word) {
  std::string path = operation.base_path + operation.path;
  for (std::size_t open = path.find('{'); open != path.npos; open = path.find('{', open)) {
    const std::size_t close = path.find('}', open);
    if (close == path.npos) break;
    path.replace(open, close - open + 1, word);
    open += word.size();
  }
  return path;
}

// The same as a route can have it.
std::string sample_path(const Operation& operation, const std::string& word, config::PathSettings rules) {
  return text_of(policy_path(filled_path(operation, word), rules).shape);
}

bool is_refused(std::string path, config::PathSettings rules) {
  return std::holds_alternative<policy::TargetFlaw>(policy::RequestTarget::parse(path, rules));
}

// Restricted scopes that the document does not name: a route that needs one is there to refuse.
policy::ScopeSet refusing_scopes(const policy::Policy& policy, const OpenApi& document) {
  ScopeSpelling spelling;
  std::set<std::string> named;
  name_scopes(spelling, document);
  for (const auto& scope : document.scopes) named.insert(spelling.name_of(scope.first));
  for (const Operation& operation : document.operations) {
    for (const Way& way : operation.ways) named.merge(std::set<std::string>(way.scopes.begin(), way.scopes.end()));
  }
  policy::ScopeSet refusing;
  for (std::size_t number = 0; number < policy.catalogue.size(); ++number) {
    const auto& scope = policy.catalogue[number];
    if (scope.restricted && !named.contains(scope.name)) refusing.add(number);
  }
  return refusing;
}

bool is_secured(const Operation& operation) { return operation.who == Operation::Who::ways && !operation.is_optional; }

// The operations that a request may be of.
class Operations {
 public:
  Operations(const OpenApi& document, config::PathSettings rules) : rules_(rules) {
    for (const Operation& operation : document.operations) {
      if (const auto method = policy::parse_method(operation.method)) {
        all_.push_back({&operation, *method, policy_path(operation.base_path + operation.path, rules).shape});
      }
    }
  }

  // Of which it may be whom this route governs, whatever stands for the operation's parameters: with words of the
  // route in place of some, a request is still one of the operation. A secured one first; null: none.
  const Operation* of(const policy::Policy& policy, const Route& route, const policy::SampleWord& word) const {
    const auto& entry = policy.criteria[route.number];
    const Operation* found = nullptr;
    for (const SampleRequest& sample : policy::sample_requests(entry, word)) {
      const PathShape shape = policy_path(sample.path, rules_).shape;
      for (const auto& [operation, method, path] : all_) {
        if (path != shape && !covers(path, shape)) continue;
        if (policy::governing(policy, sample, method) != &route) continue;
        if (is_secured(*operation)) return operation;
        found = operation;
      }
    }
    return found;
  }

 private:
  struct One {
    const Operation* operation;
    policy::Method method;
    PathShape shape;
  };
  const config::PathSettings rules_;
  std::vector<One> all_;
};

std::string named(const Operation& operation) {
  return operation.method + " " + operation.base_path + operation.path + " at " + policy::line_of(operation.where);
}

bool is_open(const Route& route, const Operation& operation) {
  return route.access != Access::required && is_secured(operation);
}

Finding open_operation(const Route& route, const Operation& operation) {
  return {Finding::Weight::warning,
          "open-operation",
          route.where,
          route.name,
          std::string("needs no credential, and ") + named(operation) + " does",
          "write require in place of anonymous or optional, or open the operation in the document"};
}

}  // namespace

policy::FindingList lint_openapi(const policy::Policy& policy, const OpenApi& document) {
  policy::FindingList found;
  const policy::SampleWord word(policy);
  const auto contexts = contexts_of(policy, word);
  std::set<const Route*> used, told;
  for (const Operation& operation : document.operations) {
    const auto method = policy::parse_method(operation.method);
    if (!method) continue;
    const std::string path = sample_path(operation, word.text(), policy.paths);
    bool has_route = false;
    for (const SampleRequest& context : contexts) {
      const Route* const route = policy::governing(policy, {context.host, path, context.headers}, *method);
      if (route == nullptr) continue;
      has_route = true;
      used.insert(route);
      if (is_open(*route, operation) && told.insert(route).second) found.push_back(open_operation(*route, operation));
    }
    if (has_route) continue;
    if (is_refused(filled_path(operation, word.text()), policy.paths)) {
      found.push_back(
          {Finding::Weight::note, "operation-refused", operation.where, "",
           "no request can have the path " + operation.base_path + operation.path + ": it is ambiguous_path",
           "see paths: in docs/configuration.md, or take it out of the document"});
      continue;
    }
    found.push_back({Finding::Weight::warning, "operation-without-route", operation.where, "",
                     "no route has " + operation.method + " " + operation.base_path + operation.path +
                         ": every request for it is refused",
                     "write a route for it, or take it out of the document"});
  }
  const policy::ScopeSet refusing = refusing_scopes(policy, document);
  const Operations operations(document, policy.paths);
  for (const auto& route : policy.routes) {
    if (used.contains(route.get())) continue;
    if (const Operation* const operation = operations.of(policy, *route, word)) {
      if (is_open(*route, *operation)) found.push_back(open_operation(*route, *operation));
      continue;
    }
    if (route->all_scopes.meets(refusing)) continue;
    found.push_back({Finding::Weight::warning, "route-without-operation", route->where, route->name,
                     "no operation of the document comes to it", "describe it in the document, or take it away"});
  }
  policy::sort_by_place(found);
  return found;
}

}  // namespace keygate::app
