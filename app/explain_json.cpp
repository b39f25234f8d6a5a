#include "app/explain_limits.hpp"
#include "app/explained.hpp"
#include "policy/criteria_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

namespace keygate::app {

namespace json = boost::json;

namespace {

using policy::Criterion;

json::value text_or_null(std::string_view text) { return text.empty() ? json::value(nullptr) : json::value(text); }

json::array words(const std::vector<std::string>& list) {
  json::array out;
  for (const std::string& word : list) out.emplace_back(word);
  return out;
}

json::object with_place(json::object object, const config::Position& where) {
  object["file"] = text_or_null(where.file ? *where.file : std::string());
  object["line"] = where.line;
  return object;
}

json::object criterion_json(Criterion criterion, bool is_met, const std::string& wanted,
                            const config::Position& where) {
  json::object object;
  object["criterion"] = json::value(policy::to_string(criterion));
  object["met"] = is_met;
  object["wanted"] = wanted;
  return with_place(std::move(object), where);
}

json::array criteria_json(const Explained& explained, const policy::Candidate& candidate) {
  const auto& criteria = *candidate.criteria;
  const auto place = [&](Criterion criterion, std::size_t number = 0) {
    return place_of(explained, candidate, criterion, number);
  };
  json::array list;
  list.push_back(criterion_json(Criterion::host, candidate.host, host_text(criteria), place(Criterion::host)));
  list.push_back(criterion_json(Criterion::path, candidate.path, path_text(criteria), place(Criterion::path)));
  list.push_back(criterion_json(Criterion::method, candidate.method, method_text(criteria), place(Criterion::method)));
  for (std::size_t i = 0; i < criteria.headers.size(); ++i) {
    list.push_back(criterion_json(Criterion::headers, candidate.headers[i], header_text(criteria.headers[i]),
                                  place(Criterion::headers, i)));
  }
  return list;
}

json::array candidates_json(const Explained& explained) {
  json::array list;
  for (const auto& candidate : explained.candidates.all) {
    json::object object;
    object["route"] = candidate.route->name;
    object["result"] = candidate.rank == 1 ? "governs" : candidate.missed == 0 ? "matches" : "misses";
    object["missed"] = candidate.missed;
    object["rank"] = candidate.rank == 0 ? json::value(nullptr) : json::value(candidate.rank);
    object["lost_by"] = candidate.lost_by ? json::value(policy::to_string(*candidate.lost_by)) : json::value(nullptr);
    object = with_place(std::move(object), candidate.route->where);
    object["criteria"] = criteria_json(explained, candidate);
    list.push_back(std::move(object));
  }
  return list;
}

std::string_view found_text(policy::Caller::Found found) {
  using Found = policy::Caller::Found;
  switch (found) {
    case Found::not_looked:
      return "not_looked_for";
    case Found::nothing:
      return "none";
    case Found::ambiguous:
      return "ambiguous";
    case Found::malformed:
      return "malformed";
    case Found::over_budget:
    case Found::could_not_find_out:
      return "could_not_find_out";
    case Found::answered:
      return "found";
  }
  return "";
}

json::object credential_json(const proxy::Rehearsal& rehearsal) {
  const policy::Caller& caller = rehearsal.caller();
  json::object object;
  object["found"] = json::value(found_text(caller.found));
  const bool is_one = !rehearsal.presented().secret.reveal().empty();
  if (is_one) {
    object["kind"] =
        text_or_null(caller.kind == policy::CredentialKind::none ? std::string_view{} : policy::to_string(caller.kind));
    object["source"] = json::value(source_text(rehearsal.presented().source));
    object["format_environment"] = text_or_null(policy::to_string(caller.prefix_environment));
  }
  if (caller.answer != nullptr) {
    const policy::Principal& principal = caller.answer->principal;
    object["key_id"] = text_or_null(principal.key_id);
    object["organization_id"] = text_or_null(principal.organization);
    object["user_id"] = text_or_null(principal.user);
    object["environment"] = text_or_null(policy::to_string(principal.environment));
  }
  return object;
}

json::object scopes_json(const Explained& explained) {
  const auto& catalogue = explained.rehearsal.snapshot().policy->catalogue;
  json::object object;
  if (const policy::Route* route = explained.rehearsal.route()) {
    object["needs_all"] = words(names_of(catalogue, route->all_scopes));
    object["needs_any"] = words(names_of(catalogue, route->any_scopes));
  }
  json::array grants;
  for (const auto& share : explained.grants) {
    json::array held;
    for (const std::size_t number : share.scopes) held.emplace_back(catalogue[number].name);
    grants.push_back(json::object{{"grant", share.grant}, {"is_listed", share.is_listed}, {"scopes", std::move(held)}});
  }
  if (const auto* held = explained.rehearsal.caller().held) object["held"] = words(names_of(catalogue, held->set));
  object["grants"] = std::move(grants);
  return object;
}

std::string_view fate_text(proxy::HeaderFate fate) {
  switch (fate) {
    case proxy::HeaderFate::kept:
      return "kept";
    case proxy::HeaderFate::rewritten:
      return "rewritten";
    case proxy::HeaderFate::stripped:
      return "stripped";
  }
  return "";
}

json::value forward_json(const proxy::Rehearsal& rehearsal) {
  if (!rehearsal.headers()) return nullptr;
  const auto& settings = *rehearsal.snapshot().settings;
  json::array sent;
  json::array added;
  for (const auto& header : rehearsal.headers()->sent) {
    sent.push_back(json::object{
        {"name", header.name}, {"result", json::value(fate_text(header.fate))}, {"why", text_or_null(header.why)}});
  }
  for (const auto& header : rehearsal.headers()->added) {
    added.push_back(json::object{{"name", header.name}, {"value", header.value}});
  }
  json::object object;
  object["upstream"] = settings.upstreams[*rehearsal.upstream()].name;
  object["target"] = without_key(rehearsal, rehearsal.headers()->target);
  object["headers_sent"] = std::move(sent);
  object["headers_added"] = std::move(added);
  return object;
}

json::array lines_json(std::string_view lines) {
  json::array list;
  while (!lines.empty()) {
    const auto end = lines.find("\r\n");
    list.emplace_back(json::string_view(lines.data(), end));
    lines.remove_prefix(end + 2);
  }
  return list;
}

json::value preflight_json(const proxy::Rehearsal& rehearsal) {
  if (!rehearsal.preflight()) return nullptr;
  const auto& preflight = *rehearsal.preflight();
  json::object object;
  object["origin"] = json::value(preflight.origin);
  object["method"] = json::value(policy::to_string(preflight.method));
  object["status"] = 204;
  object["headers"] = lines_json(proxy::preflight_lines(*rehearsal.route()->cors, preflight));
  return object;
}

json::array path_changes_json(const proxy::Rehearsal& rehearsal) {
  json::array changes;
  for (const auto change : rehearsal.path_changes()) changes.emplace_back(json::value(policy::key_of(change)));
  return changes;
}

}  // namespace

json::object to_json(const Explained& explained) {
  const proxy::Rehearsal& rehearsal = explained.rehearsal;
  const auto& row = policy::row(rehearsal.reason());
  json::object object;
  object["method"] = explained.method;
  object["url"] = explained.url;
  object["decision"] = explained.is_granted() ? "granted" : "denied";
  object["status"] = row.status;
  object["code"] = json::value(row.code);
  object["detail"] = json::value(row.detail);
  object["flaw"] = text_or_null(rehearsal.flaw());
  object["to_pass"] = words(explained.remedies);
  object["host"] = text_or_null(rehearsal.host());
  object["path"] = text_or_null(rehearsal.target() ? rehearsal.target()->path() : std::string_view{});
  object["path_changes"] = path_changes_json(rehearsal);
  object["route"] = text_or_null(rehearsal.route() != nullptr ? std::string_view(rehearsal.route()->name) : "");
  object["candidates"] = candidates_json(explained);
  object["credential"] = credential_json(rehearsal);
  object["scopes"] = scopes_json(explained);
  object["limits"] = limits_json(rehearsal);
  object["forward"] = forward_json(rehearsal);
  object["shadow_code"] = rehearsal.shadowed() == policy::Reason::ok
                              ? json::value(nullptr)
                              : json::value(policy::row(rehearsal.shadowed()).code);
  object["preflight"] = preflight_json(rehearsal);
  object["cors"] = lines_json(rehearsal.preflight() ? "" : proxy::cors_lines(rehearsal.route(), rehearsal.head()));
  object["notes"] = words(explained.notes);
  return object;
}

}  // namespace keygate::app
