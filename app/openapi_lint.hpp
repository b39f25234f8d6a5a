// Where a policy and an OpenAPI document disagree: open-operation, operation-without-route, route-without-operation
// (docs/linting.md). Which route an operation comes to is asked of the policy's own table. Pure; for `keygate lint`.
#pragma once

#include "app/openapi.hpp"
#include "policy/lint.hpp"

namespace keygate::app {

policy::FindingList lint_openapi(const policy::Policy& policy, const OpenApi& document);

}  // namespace keygate::app
