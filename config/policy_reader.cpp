#include "config/policy_reader.hpp"

#include "config/collection_readers.hpp"
#include "config/rate_limit_reader.hpp"
#include "config/route_readers.hpp"
#include "config/scalar_readers.hpp"
#include "config/settings_reader.hpp"

namespace keygate::config {
namespace {

using Texts = std::vector<Text>;

Reader<Text> place_text() { return located(text()); }

// `projects:read: Get projects`, or a map that says more.
Reader<ScopeDocument> scope_reader() {
  using S = ScopeDocument;
  const auto map = object<S>({
      key("description", &S::description, prose(), "for people"),
      key("restricted", &S::restricted, boolean(), "granted by name alone, never by a wildcard"),
      key("implies", &S::implies, list_of(place_text()), "scopes that its holder has too"),
  });
  const auto description = prose();
  const std::string form = "a description, or a map";
  return {form,
          [form, map, description](const Value& value) -> std::optional<S> {
            if (value.is_map()) return map.read(value);
            if (!value.is_scalar()) {
              value.refuse(form);
              return std::nullopt;
            }
            S scope;
            scope.description = description.read(value).value_or("");
            return scope;
          },
          false, schema_of_any({description.schema, map.schema})};
}

Reader<std::vector<ScopeDocument>> scopes_reader() {
  using Pairs = std::vector<std::pair<Text, ScopeDocument>>;
  return then(map_of(scope_reader()), [](const Value&, Pairs pairs) -> std::optional<std::vector<ScopeDocument>> {
    std::vector<ScopeDocument> scopes;
    for (auto& [name, scope] : pairs) {
      scope.name = std::move(name);
      scopes.push_back(std::move(scope));
    }
    return scopes;
  });
}

Reader<std::vector<HeaderConditionDocument>> header_conditions() {
  using Pairs = std::vector<std::pair<Text, Text>>;
  return then(map_of(place_text()),
              [](const Value&, Pairs pairs) -> std::optional<std::vector<HeaderConditionDocument>> {
                std::vector<HeaderConditionDocument> conditions;
                for (auto& [name, value] : pairs) conditions.push_back({std::move(name), std::move(value)});
                return conditions;
              });
}

Reader<MatchDocument> match_reader() {
  using M = MatchDocument;
  return object<M>({
      key("hosts", &M::hosts, list_or_one(place_text()), "default any; *. stands for one or more labels"),
      key("methods", &M::methods, list_or_one(place_text()), "default any"),
      required(key("path", &M::path, place_text(), "{x} is one segment, {x...} the rest")),
      key("headers", &M::headers, header_conditions(), "all must equal"),
  });
}

struct ScopeRequirement {
  Texts all;
  Texts any;
};

Reader<ScopeRequirement> scope_requirement() {
  using S = ScopeRequirement;
  const auto map = then(object<S>({
                            key("all", &S::all, list_of(place_text()), "every one is needed"),
                            key("any", &S::any, list_of(place_text()), "one of them is needed"),
                        }),
                        [](const Value& value, S scopes) -> std::optional<S> {
                          if (value.members().empty())
                            value.complain("the map is empty", "write {all: [...]} or {any: [...]}");
                          return scopes;
                        });
  const std::string form = "a scope, {all: [...]} or {any: [...]}";
  return {form,
          [form, map, one = place_text()](const Value& value) -> std::optional<S> {
            if (value.is_map()) return map.read(value);
            if (value.is_list()) {
              value.refuse(form, "a list alone does not say whether all or any of it is needed");
              return std::nullopt;
            }
            auto scope = one.read(value);
            if (!scope) return std::nullopt;
            return S{{std::move(*scope)}, {}};
          },
          false, schema_of_any({place_text().schema, map.schema})};
}

Reader<RequireDocument> require_reader() {
  using R = RequireDocument;
  const auto set_scopes = [](R& require, ScopeRequirement scopes) {
    require.all_scopes = std::move(scopes.all);
    require.any_scopes = std::move(scopes.any);
  };
  return object<R>({
      key_set_by<R>("scopes", scope_requirement(), set_scopes, "what the principal must have been granted"),
      key("credentials", &R::credentials, list_or_one(located(word_of({"api_key", "session", "admin"}))),
          "kinds accepted"),
      key("client_subject", &R::client_subjects, list_or_one(place_text()), "of the certificate that the client shows"),
      key("organization", &R::organization, place_text(), "must be the principal's"),
      key("environment", &R::environment, located(word_of({"live", "test"})), "must be the principal's"),
  });
}

Reader<UpstreamDocument> upstream_choice() {
  using U = UpstreamDocument;
  const auto map = then(object<U>({
                            key("live", &U::live, place_text(), "for live keys"),
                            key("test", &U::test, place_text(), "for test keys"),
                        }),
                        [](const Value& value, U upstream) -> std::optional<U> {
                          if (value.members().empty())
                            value.complain("the map is empty", "write {live: NAME, test: NAME}");
                          return upstream;
                        });
  const std::string form = "an upstream's name, or {live: NAME, test: NAME}";
  return {form,
          [form, map, one = place_text()](const Value& value) -> std::optional<U> {
            if (value.is_map()) return map.read(value);
            if (value.is_list()) {
              value.refuse(form);
              return std::nullopt;
            }
            U upstream;
            upstream.single = one.read(value);
            return upstream;
          },
          false, schema_of_any({place_text().schema, map.schema})};
}

// A key of a route's match or require, written one level too far out.
template <class T>
Key<T> under(const std::string& name, const std::string& parent, const std::string& right = {}) {
  return misplaced<T>(name,
                      "it belongs under " + parent + ": " + parent + ": {" + (right.empty() ? name : right) + ": ...}");
}

Reader<RouteDocument> route_reader() {
  using R = RouteDocument;
  return object<R>({
      required(key("name", &R::name, place_text(), "what logs and metrics call it")),
      required(key("match", &R::match, match_reader(), "which requests it governs")),
      key("require", &R::require, require_reader(), "what a principal needs"),
      key("anonymous", &R::anonymous, boolean(), "no credential is looked for"),
      key("optional", &R::optional, boolean(), "a missing credential passes, an invalid one does not"),
      key("upstream", &R::upstream, upstream_choice(), "where it goes"),
      key("forward_credential", &R::forward_credential, boolean(), "the upstream gets the credential too"),
      key("rate_limit", &R::rate_limits, rate_limits_reader(), "requests in a window; one, or a list of several"),
      key("set_headers", &R::set_headers, set_headers_reader(), "headers for the upstream"),
      key("cors", &R::cors, cors_reader(), "which other origins' pages may ask, and what"),
      key("mode", &R::mode, located(word_of({"enforce", "shadow"})), "shadow: decides, and lets through"),
      key("until", &R::until, place_text(), "the day on which a shadow route refuses again"),
      under<R>("path", "match"),
      under<R>("method", "match", "methods"),
      under<R>("methods", "match"),
      under<R>("host", "match", "hosts"),
      under<R>("hosts", "match"),
      under<R>("headers", "match"),
      under<R>("scope", "require", "scopes"),
      under<R>("scopes", "require"),
      under<R>("credentials", "require"),
      under<R>("organization", "require"),
      under<R>("environment", "require"),
  });
}

using P = PolicyDocument;

Key<P> version_key() { return idle<P>("version", version_reader(), "of this format"); }
Key<P> scopes_key() { return key("scopes", &P::scopes, scopes_reader(), "the catalogue"); }
Key<P> routes_key() { return key("routes", &P::routes, list_of(route_reader()), "in any order"); }
Key<P> include_key() {
  return key("include", &P::include, list_or_one(place_text()), "files with more of it, such as routes.d/*.yaml");
}

}  // namespace

Reader<PolicyDocument> policy_reader(Purpose purpose) {
  const auto set_unmatched = [](P& policy, std::uint64_t) { policy.unmatched_is_404 = true; };
  const auto unmatched = whole_number(404, 404);
  return then(object<P>({
                  version_key(),
                  scopes_key(),
                  routes_key(),
                  key_set_by<P>("unmatched", unmatched, set_unmatched, "404 instead of 403 where no route matches"),
                  include_key(),
              }),
              [purpose](const Value& value, P policy) -> std::optional<P> {
                const bool has_routes = value.member("routes") || value.member("include");
                if (purpose == Purpose::proxy && !has_routes) value.complain("\"routes\" is missing");
                return policy;
              });
}

Reader<PolicyDocument> policy_part_reader() {
  return object<P>({version_key(), scopes_key(), routes_key(), include_key()});
}

}  // namespace keygate::config
