// A policy in all its files: the one that a configuration names or holds, and those that it includes. Called by loader.
#pragma once

#include "config/policy_document.hpp"
#include "config/purpose.hpp"
#include "config/reader.hpp"

namespace keygate::config {

inline constexpr std::size_t max_include_depth = 8;
inline constexpr std::size_t max_included_files = 1'000;

// Of the value of `policy`: a map is the policy itself, a scalar the name of its file. One reader reads one policy: it
// remembers which files it has read.
Reader<PolicyDocument> policy_or_file(Purpose purpose);

}  // namespace keygate::config
