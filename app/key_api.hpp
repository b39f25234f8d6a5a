// The key server's HTTP API, one row an operation: what it is called, who may ask, what it does. The server answers
// from this table, and /openapi.json is written from it.
#pragma once

#include "app/key_api_reason.hpp"
#include "app/key_store_thread.hpp"
#include "app/key_tokens.hpp"
#include "config/settings.hpp"
#include "keys/noted_uses.hpp"
#include "keys/store.hpp"
#include "policy/policy.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::app {

// What is in force. Without a configuration (`--store` alone) there is no catalogue and no format: the form of scopes
// is all that is judged.
struct ApiRules {
  std::shared_ptr<const config::Settings> settings;  // may be null
  std::shared_ptr<const policy::Policy> policy;      // its catalogue; may be null
  KeyTokens tokens;

  const policy::Catalogue* catalogue() const { return policy ? &policy->catalogue : nullptr; }
};

// What a proxy says of the customer on whose behalf it asks; each may be empty.
struct OnBehalf {
  std::string organization, scopes, environment;
  std::string user, key;  // for the log
};

struct Call {
  std::shared_ptr<const ApiRules> rules;
  Asker asker = Asker::nobody;
  OnBehalf on_behalf;               // of a manager
  std::string id;                   // of the path's {id}
  std::string organization, after;  // of the query; perhaps empty
  std::string body;
  std::int64_t now = 0;
};

struct ApiProblem {
  ApiReason reason = ApiReason::bad_request;
  std::string detail;  // one public sentence; empty: the table's
  std::vector<std::string> invalid_scopes;
};

struct Answer {
  int status = 200;
  boost::json::object body;
  std::optional<ApiProblem> problem;       // then status and body are its own
  std::optional<keys::KeyDigest> revoked;  // to be told to all proxies; the body then says whether it was: "pushed"
};

struct Operation {
  std::string_view method, path;  // "/v1/keys/{id}"
  std::string_view name;          // operationId
  std::string_view summary;
  bool is_for_proxy, is_for_manager;                               // besides the admin
  std::string_view request, response;                              // names of schemas; an empty request: no body
  int status;                                                      // of success
  StoreLane lane;                                                  // verify: it only reads
  Answer (*perform)(const Call&, keys::Store&, keys::NotedUses&);  // on the lane's thread; throws ApiProblem
};

std::span<const Operation> operations();

// Where a request leads, by its path without the query.
struct Found {
  const Operation* operation = nullptr;  // null: none
  std::string id;
  std::string allowed;  // the path's methods, for a 405; empty: there is no such path
};
Found find_operation(std::string_view method, std::string_view path);

// What `found` does, with whatever is thrown as its answer.
Answer perform(const Operation& operation, const Call& call, keys::Store& store, keys::NotedUses& uses);

// RFC 9457.
boost::json::object problem_json(const ApiProblem& problem, std::string_view request_id);

// An OpenAPI 3.1 document of all this.
boost::json::object openapi_document();

// The operations (key_api_keys.cpp, key_api_uses.cpp).
Answer create_key(const Call& call, keys::Store& store, keys::NotedUses& uses);
Answer list_keys(const Call& call, keys::Store& store, keys::NotedUses& uses);
Answer show_key(const Call& call, keys::Store& store, keys::NotedUses& uses);
Answer rotate_key(const Call& call, keys::Store& store, keys::NotedUses& uses);
Answer revoke_key(const Call& call, keys::Store& store, keys::NotedUses& uses);
Answer verify_key(const Call& call, keys::Store& store, keys::NotedUses& uses);
Answer note_usage(const Call& call, keys::Store& store, keys::NotedUses& uses);
Answer report_usage(const Call& call, keys::Store& store, keys::NotedUses& uses);

}  // namespace keygate::app
