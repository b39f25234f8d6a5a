// The tables of keys of a policy (docs/policy.md): shape and types alone, what it means is judged when it is compiled.
// Called by policy_file with the root of a policy file, or the value of `policy`.
#pragma once

#include "config/policy_document.hpp"
#include "config/purpose.hpp"
#include "config/reader.hpp"

namespace keygate::config {

// With the patterns of `include` as they are written.
Reader<PolicyDocument> policy_reader(Purpose purpose);

// Of a file that another includes: routes, scopes, or both.
Reader<PolicyDocument> policy_part_reader();

}  // namespace keygate::config
