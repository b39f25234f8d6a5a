#include "app/explained.hpp"

#include "policy/remedy.hpp"

#include <utility>

namespace keygate::app {

using policy::Criterion;

Explained explained(const proxy::Rehearsal& rehearsal, std::string method, std::string url,
                    std::vector<std::string> notes) {
  Explained result{rehearsal, std::move(method), {}, {}, {}, {}, std::move(notes)};
  result.url = without_key(rehearsal, std::move(url));
  if (!rehearsal.target()) return result;

  const auto input = rehearsal.match_input();
  const policy::Policy& policy = *rehearsal.snapshot().policy;
  result.candidates = policy::explain_match(policy, input);
  if (const auto* answer = rehearsal.caller().answer) {
    result.grants = policy::explain_grants(policy.catalogue, answer->principal.granted);
  }
  if (rehearsal.reason() != policy::Reason::ok) {
    result.remedies = policy::remedies({policy, input, result.candidates, rehearsal.caller(), rehearsal.reason()});
  }
  return result;
}

std::string without_key(const proxy::Rehearsal& rehearsal, std::string text) {
  const std::string_view key = rehearsal.presented().secret.reveal();
  if (key.empty()) return text;
  for (auto at = text.find(key); at != std::string::npos; at = text.find(key, at)) text.replace(at, key.size(), "***");
  return text;
}

config::Position place_of(const Explained& explained, const policy::Candidate& candidate, Criterion criterion,
                          std::size_t number) {
  const auto& document = explained.rehearsal.snapshot().settings->policy.routes[candidate.route->number];
  const auto& match = document.match;
  switch (criterion) {
    case Criterion::host:
      return match.hosts.empty() ? document.where : match.hosts.front().where;
    case Criterion::path:
      return match.path.where;
    case Criterion::method:
      return match.methods.empty() ? document.where : match.methods.front().where;
    case Criterion::headers:
      return number < match.headers.size() ? match.headers[number].name.where : document.where;
  }
  return document.where;
}

std::string_view source_text(config::CredentialSource::Kind source) {
  using Kind = config::CredentialSource::Kind;
  switch (source) {
    case Kind::bearer:
      return "Authorization: Bearer";
    case Kind::header:
      return "a header";
    case Kind::query:
      return "the query";
    case Kind::cookie:
      return "a cookie";
  }
  return "";
}

}  // namespace keygate::app
