// Who did what to which key, and what came of it: the line in the log that each call leaves, but for what proxies ask
// all the time. Nothing in it is secret, and nothing is as the caller wrote it unless it is an identity. Pure.
#pragma once

#include "app/key_api.hpp"

#include <optional>
#include <string>

namespace keygate::app {

// `answer`: what the operation answered, or the problem for which it was not done. nullopt: there is no line.
std::optional<std::string> audit_line(const Operation& operation, const Call& call, const Answer& answer);

}  // namespace keygate::app
