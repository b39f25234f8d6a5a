// The tables of keys of a policy (docs/policy.md): shape and types alone, what it means is judged when it is compiled.
// Called by the loader with the root of a policy file, or the value of `policy`.
#pragma once

#include "config/policy_document.hpp"
#include "config/purpose.hpp"
#include "config/reader.hpp"

namespace keygate::config {

Reader<PolicyDocument> policy_reader(Purpose purpose);

}  // namespace keygate::config
