// Whoever the imported policy lets in, the document lets in: random documents of a small alphabet, held against a
// reading that asks each path and each requirement by itself.
#include "app/policy_draft.hpp"
#include "policy/decide.hpp"
#include "tests/unit/app/reading_policies.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace keygate::app {
namespace {

using Random = std::mt19937;

const std::string& one_of(Random& random, const std::vector<std::string>& choices) {
  return choices[random() % choices.size()];
}

struct Scheme {
  std::string name, carrier;
  bool is_session = false, is_judged = true;
};

const std::vector<Scheme> schemes{
    {"o", "bearer"}, {"b", "bearer"}, {"k", "key"}, {"s", "sid", true}, {"m", "tls", false, false}};

struct Requirement {
  std::vector<std::pair<std::size_t, std::set<std::string>>> parts;  // scheme and scopes; none: nothing is needed
};

struct Op {
  std::string path, method;
  std::vector<Requirement> requirements;  // none: anybody
  bool is_unsaid = false;
};

struct Credential {
  policy::CredentialKind kind = policy::CredentialKind::none;
  std::set<std::string> scopes;
};

struct Doc {
  std::string yaml;
  std::vector<Op> ops;
  std::map<std::string, std::regex> paths;  // and which requests are of each
};

std::string random_path(Random& random) {
  std::string path;
  for (auto depth = 1 + random() % 3; depth > 0; --depth)
    path += '/' + one_of(random, {"a", "b", "{x}", "{x}", "{x}.z", "a.z"});
  int number = 0;
  for (std::size_t at = path.find("{x}"); at != path.npos; at = path.find("{x}", at))
    path.replace(at + 1, 1, "p" + std::to_string(++number));
  return path;
}

Op random_op(Random& random, const std::string& path, const std::string& method, std::string& yaml) {
  Op op{path, method, {}, random() % 8 == 0};
  if (op.is_unsaid) {
    yaml += "{}";
    return op;
  }
  yaml += "{security: [";
  for (auto count = random() % 4; count > 0; --count) {
    Requirement requirement;
    yaml += "{";
    std::set<std::size_t> taken;
    for (auto parts = random() % 5 == 0 ? 0 : 1 + random() % 2; parts > 0; --parts) {
      const std::size_t scheme = random() % schemes.size();
      if (!taken.insert(scheme).second) continue;
      requirement.parts.push_back({scheme, {}});
      yaml += schemes[scheme].name + ": [";
      for (auto scopes = random() % 3; scopes > 0; --scopes) {
        const std::string scope = one_of(random, {"p:r", "q:r", "r:r"});
        if (requirement.parts.back().second.insert(scope).second) yaml += '"' + scope + "\", ";
      }
      yaml += "], ";
    }
    yaml += "}, ";
    op.requirements.push_back(std::move(requirement));
  }
  yaml += "]}";
  return op;
}

std::regex pattern_of(const std::string& path) {
  static const std::regex parameter("\\{[^}]*\\}"), dot("\\.");
  return std::regex(std::regex_replace(std::regex_replace(path, dot, "\\."), parameter, "[^/]+"));
}

Doc random_document(Random& random) {
  Doc doc;
  doc.yaml =
      "openapi: 3.1.0\ncomponents: {securitySchemes: {o: {type: oauth2, flows: {}}, b: {type: http, scheme: bearer}, "
      "k: "
      "{type: apiKey, in: header, name: X-K}, s: {type: apiKey, in: cookie, name: s}, m: {type: mutualTLS}}}\npaths:\n";
  for (auto count = 1 + random() % 6; count > 0; --count) {
    const std::string path = random_path(random);
    if (!doc.paths.emplace(path, pattern_of(path)).second) continue;
    doc.yaml += "  \"" + path + "\": {";
    for (const char* method : {"get", "put", "head"}) {
      if (random() % 2 == 0) continue;
      doc.yaml += std::string(method) + ": ";
      std::string upper = method;
      for (char& c : upper) c = static_cast<char>(c - 'a' + 'A');
      doc.ops.push_back(random_op(random, path, upper, doc.yaml));
      doc.yaml += ", ";
    }
    doc.yaml += "}\n";
  }
  return doc;
}

bool is_concrete(const std::string& path) { return path.find('{') == path.npos; }

bool meets(const Credential& credential, const Requirement& requirement) {
  std::set<std::string> carriers;
  for (const auto& [number, scopes] : requirement.parts) {
    const Scheme& scheme = schemes[number];
    carriers.insert(scheme.carrier);
    const bool is_kind = scheme.is_session == (credential.kind == policy::CredentialKind::session);
    if (credential.kind == policy::CredentialKind::none || !is_kind || !scheme.is_judged) return false;
    if (!std::ranges::includes(credential.scopes, scopes)) return false;
  }
  return carriers.size() < 2;  // nobody presents two credentials here
}

bool admits(const Op& op, const Credential& credential) {
  if (op.is_unsaid) return true;
  if (op.requirements.empty()) return true;
  return std::ranges::any_of(op.requirements, [&](const Requirement& one) { return meets(credential, one); });
}

bool document_admits(const Doc& doc, const std::string& method, const std::string& path, const Credential& credential) {
  // A path that is spelled out is taken before all others, whatever methods it has.
  const bool is_spelled_out = doc.paths.contains(path) && is_concrete(path);
  std::vector<const Op*> candidates;
  for (const Op& op : doc.ops) {
    const bool is_it = is_spelled_out ? op.path == path : std::regex_match(path, doc.paths.at(op.path));
    const bool is_named = op.method == method;
    const bool is_head_by_get = method == "HEAD" && op.method == "GET";
    if (is_it && (is_named || is_head_by_get)) candidates.push_back(&op);
  }
  return std::ranges::any_of(candidates, [&](const Op* op) { return admits(*op, credential); });
}

bool policy_admits(const policy::Policy& policy, const std::string& method, std::string path,
                   const Credential& credential) {
  const auto parsed = policy::RequestTarget::parse(path);
  const auto& target = std::get<policy::RequestTarget>(parsed);
  const auto* const route = policy.table.match({"", *policy::parse_method(method), &target, {}});
  policy::KeyAnswer answer{
      policy::KeyAnswer::State::valid,
      {"key_1", "acme", "user_1", policy::Environment::none, {credential.scopes.begin(), credential.scopes.end()}, {}}};
  const policy::Held held = policy.catalogue.expand(answer.principal.granted);
  policy::Caller caller;
  caller.kind = credential.kind;
  if (credential.kind != policy::CredentialKind::none) {
    caller.found = policy::Caller::Found::answered;
    caller.answer = &answer;
    caller.held = &held;
  }
  return std::holds_alternative<policy::Grant>(policy::decide(policy, route, target, caller, 0));
}

#if defined(__SANITIZE_ADDRESS__)
constexpr int documents = 150;
#else
constexpr int documents = 1'500;
#endif

TEST(Import, WhomThePolicyLetsInTheDocumentLetsIn) {
  Random random(11);
  std::size_t granted = 0, denied_alike = 0, asked = 0;
  for (int round = 0; round < documents; ++round) {
    const Doc doc = random_document(random);
    const auto read = read_openapi(doc.yaml, "api.yaml");
    ASSERT_TRUE(std::holds_alternative<OpenApi>(read)) << config::render(std::get<config::Problem>(read)) << doc.yaml;
    const PolicyDraft draft = draft_policy(std::get<OpenApi>(read));
    if (draft.routes == 0) continue;
    const auto policy = policy_of(settings_of(draft.text));
    ASSERT_NE(policy, nullptr) << draft.text;
    for (int i = 0; i < 40; ++i, ++asked) {
      std::string path;
      for (auto depth = 1 + random() % 3; depth > 0; --depth)
        path += '/' + one_of(random, {"a", "b", "c", "a.z", "c.z"});
      const std::string method = one_of(random, {"GET", "HEAD", "PUT", "POST"});
      Credential credential;
      credential.kind = static_cast<policy::CredentialKind>(random() % 3);
      for (const char* scope : {"p:r", "q:r", "r:r"}) {
        if (credential.kind != policy::CredentialKind::none && random() % 2 == 0) credential.scopes.insert(scope);
      }
      const bool is_granted = policy_admits(*policy, method, path, credential);
      const bool is_admitted = document_admits(doc, method, path, credential);
      granted += is_granted ? 1 : 0;
      denied_alike += !is_granted && !is_admitted ? 1 : 0;
      ASSERT_TRUE(!is_granted || is_admitted) << method << ' ' << path << '\n' << doc.yaml << '\n' << draft.text;
    }
  }
  EXPECT_GT(granted, asked / 50);  // or nothing was tried
  EXPECT_GT(denied_alike, asked / 50);
}

}  // namespace
}  // namespace keygate::app
