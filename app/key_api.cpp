#include "app/key_api.hpp"

#include <boost/json/array.hpp>

#include <array>
#include <utility>

namespace keygate::app {

namespace json = boost::json;

namespace {

constexpr std::array table{
    Operation{"POST", "/v1/keys", "createKey", "Make a key. Its text is in this answer and in no other.", false, true,
              "NewKey", "CreatedKey", 201, StoreLane::manage, create_key},
    Operation{"GET", "/v1/keys", "listKeys", "Keys in the order in which they were made, a page at a time.", false,
              true, "", "KeyPage", 200, StoreLane::manage, list_keys},
    Operation{"GET", "/v1/keys/{id}", "showKey", "One key, without its text.", false, true, "", "Key", 200,
              StoreLane::manage, show_key},
    Operation{"POST", "/v1/keys/{id}/rotate", "rotateKey",
              "Make a key like this one, and let this one expire after a grace.", false, true, "Rotation", "RotatedKey",
              201, StoreLane::manage, rotate_key},
    Operation{"DELETE", "/v1/keys/{id}", "revokeKey", "Revoke a key, for good.", false, true, "", "RevokedKey", 200,
              StoreLane::manage, revoke_key},
    Operation{"POST", "/v1/keys/verify", "verifyKey", "Whose key is this, and what may it do?", true, false,
              "Verification", "Verified", 200, StoreLane::verify, verify_key},
    Operation{"POST", "/v1/usage", "noteUsage", "Keys were used: when, and which scopes this required.", true, false,
              "Usage", "Noted", 202, StoreLane::manage, note_usage},
    Operation{"GET", "/v1/usage", "reportUsage", "Which scopes each key has, and which it needs.", false, true, "",
              "UsageReport", 200, StoreLane::manage, report_usage},
};

std::string_view first_segment(std::string_view path) { return path.substr(0, path.find('/', 1)); }

// The segment that stands where {id} is; nullopt: the path is another. A path without {id} has an empty one.
std::optional<std::string_view> id_in(std::string_view path, std::string_view wanted) {
  std::string_view id;
  while (!path.empty() && !wanted.empty()) {
    const std::string_view here = first_segment(path), pattern = first_segment(wanted);
    const bool is_id = pattern == "/{id}";
    if (is_id ? here.size() < 2 : here != pattern) return std::nullopt;
    if (is_id) id = here.substr(1);
    path.remove_prefix(here.size());
    wanted.remove_prefix(pattern.size());
  }
  if (!path.empty() || !wanted.empty()) return std::nullopt;
  return id;
}

ApiProblem problem_of(error_code failed) {
  using keys::store_errc;
  if (failed == store_errc::not_found) return {ApiReason::not_found, "There is no such key.", {}};
  if (failed == store_errc::already_revoked) return {ApiReason::conflict, "The key is revoked, which is for good.", {}};
  if (failed == store_errc::already_expired) return {ApiReason::conflict, "The key has expired.", {}};
  return {ApiReason::store_unavailable, {}, {}};
}

}  // namespace

std::span<const Operation> operations() { return table; }

Found find_operation(std::string_view method, std::string_view path) {
  Found found;
  bool is_literal = false;  // /v1/keys/verify is no key's id
  for (const Operation& operation : table) {
    const auto id = id_in(path, operation.path);
    if (!id || (is_literal && !id->empty())) continue;
    if (id->empty() && !is_literal) {
      found = {};
      is_literal = true;
    }
    if (operation.method == method) {
      found.operation = &operation;
      found.id = *id;
    }
    found.allowed += (found.allowed.empty() ? "" : ", ") + std::string(operation.method);
  }
  return found;
}

Answer perform(const Operation& operation, const Call& call, keys::Store& store, keys::NotedUses& uses) {
  Answer answer;
  try {
    return operation.perform(call, store, uses);
  } catch (ApiProblem& problem) {
    answer.problem = std::move(problem);
  } catch (const boost::system::system_error& failed) {
    answer.problem = problem_of(failed.code());
  }
  return answer;
}

json::object problem_json(const ApiProblem& problem, std::string_view request_id) {
  const ApiRow& known = row(problem.reason);
  const auto text = [](std::string_view view) { return json::string_view(view.data(), view.size()); };
  json::object body;
  body["type"] = "urn:keygate:error:" + std::string(known.code);
  body["title"] = text(known.title);
  body["status"] = known.status;
  body["code"] = text(known.code);
  body["detail"] = problem.detail.empty() ? text(known.detail) : text(problem.detail);
  body["request_id"] = text(request_id);
  if (!problem.invalid_scopes.empty()) {
    json::array scopes;
    for (const std::string& scope : problem.invalid_scopes) scopes.emplace_back(scope);
    body["invalid_scopes"] = std::move(scopes);
  }
  if (known.status == 503) body["retry_after"] = 1;
  return body;
}

}  // namespace keygate::app
