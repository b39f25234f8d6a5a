// What are the routes of a draft called? Pure; for policy_draft.
#pragma once

#include "app/policy_text.hpp"

#include <vector>

namespace keygate::app {

// From the operation's id, which `name` holds where the route is of one operation alone, or from method and path; each
// once.
void name_routes(std::vector<RouteDraft>& routes);

}  // namespace keygate::app
