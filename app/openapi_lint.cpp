#include "app/openapi_lint.hpp"

#include "app/path_shape.hpp"
#include "app/scope_spelling.hpp"
#include "policy/compiler.hpp"
#include "policy/sample_request.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

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

// A path of the operation, with a word for each parameter.
std::string sample_path(const Operation& operation, const std::string& word, config::PathSettings rules) {
  std::string path = operation.base_path + operation.path;
  for (std::size_t open = path.find('{'); open != path.npos; open = path.find('{', open)) {
    const std::size_t close = path.find('}', open);
    if (close == path.npos) break;
    path.replace(open, close - open + 1, word);
    open += word.size();
  }
  return text_of(policy_path(path, rules).shape);
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

std::string named(const Operation& operation) {
  return operation.method + " " + operation.base_path + operation.path + " at " + policy::line_of(operation.where);
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
      if (route->access == Access::required || !is_secured(operation) || !told.insert(route).second) continue;
      found.push_back({Finding::Weight::warning, "open-operation", route->where, route->name,
                       std::string("needs no credential, and ") + named(operation) + " does",
                       "write require in place of anonymous or optional, or open the operation in the document"});
    }
    if (has_route) continue;
    found.push_back({Finding::Weight::warning, "operation-without-route", operation.where, "",
                     "no route has " + operation.method + " " + operation.base_path + operation.path +
                         ": every request for it is refused",
                     "write a route for it, or take it out of the document"});
  }
  const policy::ScopeSet refusing = refusing_scopes(policy, document);
  for (const auto& route : policy.routes) {
    if (used.contains(route.get()) || route->all_scopes.meets(refusing)) continue;
    found.push_back({Finding::Weight::warning, "route-without-operation", route->where, route->name,
                     "no operation of the document comes to it", "describe it in the document, or take it away"});
  }
  policy::sort_by_place(found);
  return found;
}

}  // namespace keygate::app
