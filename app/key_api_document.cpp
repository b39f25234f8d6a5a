// /openapi.json: written from the table of operations, so that it lists what the server answers and nothing else.
#include "app/key_api.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>

namespace keygate::app {

namespace json = boost::json;

namespace {

// JSON Schema 2020-12. Times in answers are RFC 3339, but for `expires_at` of a verified key, which proxies compare.
constexpr const char* schemas = R"json({
  "NewKey": {"type": "object", "additionalProperties": false, "required": ["scopes"], "properties": {
    "organization_id": {"$ref": "#/components/schemas/Id", "description": "Left out, it is that of X-Org-Id"},
    "scopes": {"type": "array", "minItems": 1, "maxItems": 256, "items": {"$ref": "#/components/schemas/Grant"}},
    "user_id": {"$ref": "#/components/schemas/Id"},
    "name": {"type": "string", "maxLength": 100},
    "environment": {"enum": ["live", "test"]},
    "prefix": {"type": "string", "pattern": "^[A-Za-z0-9_]{1,10}$"},
    "expires_in": {"$ref": "#/components/schemas/Duration"},
    "allowed_cidrs": {"$ref": "#/components/schemas/Blocks"},
    "rate_limit": {"$ref": "#/components/schemas/RateLimit"}}},
  "Rotation": {"type": "object", "additionalProperties": false, "properties": {
    "grace": {"$ref": "#/components/schemas/Duration", "description": "How long the old key still lives; 24h"}}},
  "Key": {"type": "object", "required": ["key_id", "organization_id", "scopes", "state", "created_at"], "properties": {
    "key_id": {"type": "string", "pattern": "^key_"},
    "prefix": {"type": "string", "description": "The first 12 characters"},
    "organization_id": {"$ref": "#/components/schemas/Id"},
    "user_id": {"type": ["string", "null"]},
    "name": {"type": ["string", "null"]},
    "environment": {"enum": ["live", "test", null]},
    "scopes": {"type": "array", "items": {"$ref": "#/components/schemas/Grant"}},
    "state": {"enum": ["valid", "revoked", "expired"]},
    "created_at": {"type": "string", "format": "date-time"},
    "expires_at": {"type": ["string", "null"], "format": "date-time"},
    "revoked_at": {"type": ["string", "null"], "format": "date-time"},
    "last_used_at": {"type": ["string", "null"], "format": "date-time"},
    "rotated_to": {"type": ["string", "null"]},
    "allowed_cidrs": {"oneOf": [{"$ref": "#/components/schemas/Blocks"}, {"type": "null"}]},
    "rate_limit": {"oneOf": [{"$ref": "#/components/schemas/RateLimit"}, {"type": "null"}]}}},
  "CreatedKey": {"allOf": [{"$ref": "#/components/schemas/Key"}], "required": ["key"], "properties": {
    "key": {"type": "string", "description": "The key itself, shown this once"}}},
  "RotatedKey": {"allOf": [{"$ref": "#/components/schemas/CreatedKey"}], "required": ["replaces"], "properties": {
    "replaces": {"$ref": "#/components/schemas/Key"}}},
  "RevokedKey": {"allOf": [{"$ref": "#/components/schemas/Key"}], "required": ["pushed"], "properties": {
    "pushed": {"type": "boolean", "description": "Whether all proxies have been told already"}}},
  "KeyPage": {"type": "object", "required": ["keys", "next"], "properties": {
    "keys": {"type": "array", "items": {"$ref": "#/components/schemas/Key"}},
    "next": {"type": ["string", "null"], "description": "The `after` of the next page; null: this is the last"}}},
  "Verification": {"type": "object", "additionalProperties": false, "required": ["key"], "properties": {
    "key": {"type": "string", "minLength": 1}}},
  "Verified": {"type": "object", "required": ["valid"], "properties": {
    "valid": {"type": "boolean"},
    "code": {"enum": ["unknown", "revoked", "expired", "disabled"], "description": "Where it is not valid"},
    "key_id": {"type": "string"},
    "organization_id": {"$ref": "#/components/schemas/Id"},
    "user_id": {"$ref": "#/components/schemas/Id"},
    "scopes": {"type": "array", "items": {"$ref": "#/components/schemas/Grant"}},
    "environment": {"enum": ["live", "test"]},
    "expires_at": {"type": "integer", "description": "Unix seconds"},
    "allowed_cidrs": {"$ref": "#/components/schemas/Blocks"},
    "rate_limit": {"$ref": "#/components/schemas/RateLimit"},
    "name": {"type": "string"}}},
  "Usage": {"type": "object", "additionalProperties": false, "required": ["uses"], "properties": {
    "uses": {"type": "array", "items": {"type": "object", "additionalProperties": false, "required": ["digest", "at"],
      "properties": {
        "digest": {"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "SHA-256 of the key"},
        "at": {"type": "integer", "minimum": 0, "description": "Unix seconds"},
        "scopes": {"type": "array", "items": {"type": "string"}, "description": "What its requests required"}}}}}},
  "Noted": {"type": "object", "required": ["accepted"], "properties": {"accepted": {"type": "integer"}}},
  "UsageReport": {"type": "object", "required": ["keys", "next"], "properties": {
    "next": {"type": ["string", "null"], "description": "The `after` of the next page; null: this is the last"},
    "keys": {"type": "array", "items": {"allOf": [{"$ref": "#/components/schemas/Key"}],
      "required": ["required", "needed", "spare"], "properties": {
        "required": {"type": "array", "items": {"type": "object", "required": ["scope", "last_at"], "properties": {
          "scope": {"type": "string"}, "last_at": {"type": "string", "format": "date-time"}}}},
        "needed": {"type": "array", "items": {"type": "string"}},
        "spare": {"type": "array", "items": {"type": "string"}}}}}}},
  "Problem": {"type": "object", "required": ["type", "title", "status", "code", "detail", "request_id"], "properties": {
    "type": {"type": "string", "format": "uri"}, "title": {"type": "string"}, "status": {"type": "integer"},
    "code": {"type": "string"}, "detail": {"type": "string"}, "request_id": {"type": "string"},
    "invalid_scopes": {"type": "array", "items": {"type": "string"}}, "retry_after": {"type": "integer"}}},
  "Id": {"type": "string", "pattern": "^[A-Za-z0-9_.:@|+=-]{1,128}$"},
  "Grant": {"type": "string", "description": "A scope, resource:* or *"},
  "Blocks": {"type": "array", "minItems": 1, "maxItems": 64, "items": {"type": "string"},
    "description": "Addresses, or blocks such as 10.0.0.0/8, from which alone the key may be used"},
  "RateLimit": {"type": "object", "additionalProperties": false, "required": ["limit", "window"], "properties": {
    "limit": {"type": "integer", "minimum": 1, "maximum": 1000000, "description": "Requests, on all routes together"},
    "window": {"type": "string", "pattern": "^[0-9]+(s|m|h|d)$", "description": "From 1s to 1d"}}},
  "Duration": {"oneOf": [{"type": "integer", "minimum": 0, "description": "Seconds"},
    {"type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$"}]}
})json";

json::string_view text(std::string_view view) { return {view.data(), view.size()}; }

json::object content(std::string_view type, std::string_view schema) {
  json::object reference{{"$ref", "#/components/schemas/" + std::string(schema)}};
  json::object media{{"schema", std::move(reference)}};
  return {{text(type), std::move(media)}};
}

json::object parameter(std::string_view name, std::string_view in, std::string_view description) {
  json::object schema{{"type", "string"}};
  return {{"name", text(name)},
          {"in", text(in)},
          {"required", in == "path"},
          {"description", text(description)},
          {"schema", std::move(schema)}};
}

bool takes_pages(const Operation& operation) { return operation.name == "listKeys" || operation.name == "reportUsage"; }

json::array parameters_of(const Operation& operation) {
  json::array parameters;
  if (operation.path.find("{id}") != std::string_view::npos) parameters.push_back(parameter("id", "path", "key_…"));
  if (takes_pages(operation)) {
    parameters.push_back(parameter("organization_id", "query", "Only this organization's keys"));
  }
  if (takes_pages(operation)) parameters.push_back(parameter("after", "query", "The `next` of the page before"));
  return parameters;
}

bool takes_scopes(const Operation& operation) { return operation.name == "createKey"; }

// Which of the reasons this operation can have.
bool may_fail_by(const Operation& operation, ApiReason reason) {
  const bool has_id = operation.path.find("{id}") != std::string_view::npos;
  switch (reason) {
    case ApiReason::invalid_scope:
    case ApiReason::invalid_field:
      return takes_scopes(operation);
    case ApiReason::conflict:
      return operation.name == "rotateKey";
    case ApiReason::not_found:
      return has_id || takes_pages(operation);
    case ApiReason::method_not_allowed:
      return false;
    case ApiReason::body_too_large:
      return !operation.request.empty();
    case ApiReason::bad_request:
    case ApiReason::missing_credential:
    case ApiReason::invalid_token:
    case ApiReason::token_not_accepted:
    case ApiReason::wrong_organization:
    case ApiReason::insufficient_scope:
    case ApiReason::header_too_large:
    case ApiReason::store_unavailable:
    case ApiReason::overloaded:
      break;
  }
  return true;
}

json::object responses_of(const Operation& operation) {
  json::object responses;
  json::object success{{"description", "Done"}, {"content", content("application/json", operation.response)}};
  responses[std::to_string(operation.status)] = std::move(success);
  for (const ApiRow& reason : api_reasons()) {
    if (!may_fail_by(operation, reason.reason)) continue;
    json::object& response = responses[std::to_string(reason.status)].is_object()
                                 ? responses[std::to_string(reason.status)].as_object()
                                 : responses[std::to_string(reason.status)].emplace_object();
    const std::string before = response.contains("description") ? response["description"].as_string().c_str() : "";
    response["description"] = (before.empty() ? "" : before + ", ") + std::string(reason.code);
    response["content"] = content("application/problem+json", "Problem");
  }
  return responses;
}

json::object described(const Operation& operation) {
  json::object entry{{"operationId", text(operation.name)}, {"summary", text(operation.summary)}};
  if (auto parameters = parameters_of(operation); !parameters.empty()) entry["parameters"] = std::move(parameters);
  if (!operation.request.empty()) {
    entry["requestBody"] = {{"required", operation.name != "rotateKey"},
                            {"content", content("application/json", operation.request)}};
  }
  entry["responses"] = responses_of(operation);
  return entry;
}

std::string lower_case(std::string_view method) {
  std::string lower(method);
  std::ranges::transform(lower, lower.begin(), [](char c) { return static_cast<char>(c | 0x20); });
  return lower;
}

}  // namespace

json::object openapi_document() {
  json::object paths;
  for (const Operation& operation : operations()) {
    json::value& path = paths[text(operation.path)];
    if (!path.is_object()) path.emplace_object();
    path.as_object()[lower_case(operation.method)] = described(operation);
  }
  json::object bearer{{"type", "http"}, {"scheme", "bearer"}};
  json::object document{{"openapi", "3.1.0"}};
  document["info"] = {{"title", "Keygate key service"}, {"version", "1"}};
  document["paths"] = std::move(paths);
  document["components"] = {{"schemas", json::parse(schemas)}, {"securitySchemes", {{"token", std::move(bearer)}}}};
  document["security"] = json::array{json::object{{"token", json::array{}}}};
  return document;
}

}  // namespace keygate::app
