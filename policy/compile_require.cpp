#include "policy/compiler.hpp"

#include <algorithm>

namespace keygate::policy {
namespace {

// Decided before anything else: whether the route says who may pass at all.
void compile_access(const RouteSource& source, Route& route, Findings& findings) {
  const auto& document = source.document;
  if (document.anonymous) {
    route.access = Access::anonymous;
    if (document.require) {
      findings.error(document.where, source.path, "is anonymous and has require: choose one",
                     "to let a request without a credential pass, write optional: true beside require");
    } else if (document.optional) {
      findings.error(document.where, source.path, "is anonymous, so optional means nothing",
                     "leave out one of the two");
    }
    return;
  }
  if (document.optional) route.access = Access::optional;
  if (document.require || !document.is_whole) return;
  if (document.optional) {
    findings.error(document.where, source.path, "is optional but does not say what a credential must be",
                   "write require: beside it, if only with credentials: [api_key]");
  } else {
    findings.error(document.where, source.path, "says neither require nor anonymous",
                   "no route is open by omission: write require:, or anonymous: true");
  }
}

std::string scope_hint(const std::string& word, const Catalogue& catalogue) {
  if (catalogue.size() == 0) return "list it under scopes first";
  if (word.find_first_of(", ") != std::string::npos) return "write {all: [...]} or {any: [...]} for several";
  if (is_grant_name(word) && word.ends_with('*')) return "a route names the scopes that it needs one by one";
  auto near = did_you_mean(word, scope_names(catalogue));
  return near.empty() ? "list it under scopes, or name one of those there" : near;
}

void compile_scope_list(const RouteSource& source, const std::vector<config::Text>& texts, const Catalogue& catalogue,
                        ScopeSet& set, Findings& findings) {
  for (const auto& text : texts) {
    if (const auto number = catalogue.find(text.value)) {
      set.add(*number);
    } else {
      findings.error(text.where, source.path + ".require.scopes", "unknown scope " + quoted(text.value),
                     scope_hint(text.value, catalogue));
    }
  }
}

std::string scopes_text(const Catalogue& catalogue, ScopeSet needed) {
  std::string text;
  for (std::size_t number = 0; number < catalogue.size(); ++number) {
    if (!needed.has(number)) continue;
    if (!text.empty()) text += ' ';
    text += catalogue[number].name;
  }
  return text;
}

void compile_scopes(const RouteSource& source, const config::RequireDocument& require, const Catalogue& catalogue,
                    Route& route, Findings& findings) {
  compile_scope_list(source, require.all_scopes, catalogue, route.all_scopes, findings);
  compile_scope_list(source, require.any_scopes, catalogue, route.any_scopes, findings);
  auto needed = route.all_scopes;
  needed |= route.any_scopes;
  route.scopes_text = scopes_text(catalogue, needed);
  const bool is_bare = require.all_scopes.empty() && require.any_scopes.empty() && require.credentials.empty();
  if (is_bare && source.document.is_whole) {
    findings.error(require.where, source.path + ".require", "requires no scope, so it must list its credentials",
                   "write scopes:, or credentials: [api_key] to let every valid key pass");
  }
}

void compile_credentials(const RouteSource& source, const config::RequireDocument& require,
                         const config::Settings& settings, Route& route, Findings& findings) {
  if (require.credentials.empty()) return;  // api_key alone, as Route has it
  route.accepts_api_key = false;
  for (const auto& kind : require.credentials) {
    const auto path = source.path + ".require.credentials";
    if (kind.value == "api_key") {
      route.accepts_api_key = true;
    } else if (kind.value == "session") {
      route.accepts_session = true;
      if (!settings.resolution.service || !settings.resolution.service->session_url) {
        findings.error(kind.where, path, "nobody knows sessions", "write resolution.service.session_url");
      }
    } else if (kind.value == "admin") {
      route.accepts_admin = true;
      if (settings.credentials.admin_secrets.empty()) {
        findings.error(kind.where, path, "there is no admin secret", "write credentials.admin_secrets");
      }
    } else {
      findings.error(kind.where, path, "unknown kind of credential " + quoted(kind.value),
                     did_you_mean(kind.value, {"api_key", "session", "admin"}));
    }
  }
}

void compile_client_subjects(const RouteSource& source, const config::RequireDocument& require,
                             const config::Settings& settings, Route& route, Findings& findings) {
  const auto path = source.path + ".require.client_subject";
  for (const auto& subject : require.client_subjects) {
    if (subject.value.empty()) {
      findings.error(subject.where, path, "an empty subject is nobody's",
                     "write it as the access log has it: CN=billing,O=Acme");
    }
    route.client_subjects.push_back(subject.value);
  }
  const bool is_asked_for = std::ranges::any_of(settings.listeners, [](const config::ListenerSettings& listener) {
    return !listener.decides && listener.tls && listener.tls->client_certificate != config::ClientCertificate::none;
  });
  if (!require.client_subjects.empty() && !is_asked_for) {
    findings.error(require.client_subjects.front().where, path, "no listener asks clients for a certificate",
                   "write listeners[].tls.client_ca_file");
  }
}

void compile_organization(const RouteSource& source, const config::Text& organization,
                          const PathTemplate& path_template, Route& route, Findings& findings) {
  const auto path = source.path + ".require.organization";
  const std::string_view text = organization.value;
  if (text.size() < 3 || !text.starts_with('{') || !text.ends_with('}')) {
    findings.error(organization.where, path, quoted(text) + " is not a parameter of the path", "write it as \"{org}\"");
    return;
  }
  const auto name = text.substr(1, text.size() - 2);
  route.organization_segment = path_template.parameter(name);
  if (route.organization_segment) return;

  std::vector<std::string> known;
  for (const auto& segment : path_template.segments) {
    if (segment.kind == PathTemplate::Segment::Kind::rest && segment.text == name) {
      findings.error(organization.where, path, quoted(text) + " stands for the rest of the path, not for one segment");
      return;
    }
    if (segment.kind == PathTemplate::Segment::Kind::parameter) known.push_back('{' + segment.text + '}');
  }
  auto hint = did_you_mean(organization.value, known);
  if (hint.empty()) hint = "name it in match.path, as in /v1/" + std::string(text) + "/projects";
  findings.error(organization.where, path, "the path has no parameter " + quoted(text), std::move(hint));
}

void compile_environment(const RouteSource& source, const config::Text& environment, Route& route, Findings& findings) {
  if (environment.value == "live") {
    route.environment = Environment::live;
  } else if (environment.value == "test") {
    route.environment = Environment::test;
  } else {
    findings.error(environment.where, source.path + ".require.environment",
                   "unknown environment " + quoted(environment.value), "write live or test");
  }
}

}  // namespace

void compile_require(const RouteSource& source, const config::Settings& settings, const Catalogue& catalogue,
                     const PathTemplate* path, Route& route, Findings& findings) {
  compile_access(source, route, findings);
  if (!source.document.require) return;
  const auto& require = *source.document.require;
  compile_scopes(source, require, catalogue, route, findings);
  compile_credentials(source, require, settings, route, findings);
  compile_client_subjects(source, require, settings, route, findings);
  if (require.organization && path != nullptr) {
    compile_organization(source, *require.organization, *path, route, findings);
  }
  if (require.environment) compile_environment(source, *require.environment, route, findings);
}

}  // namespace keygate::policy
