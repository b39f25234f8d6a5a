// The effective configuration in the format that it is written in: every default as it counts, no secret. For the admin
// listener's /api/config and for `keygate config print`. Pure.
#pragma once

#include "config/settings.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace keygate::app {

// What is not asked for (a Redis, a health check) is left out. A secret that was written out is "***", others are named
// by their file or variable; of an address that holds one, that part is "***". Shorthands are told as what they stand
// for. The policy is not in it.
boost::json::object settings_json(const config::Settings& settings);

// Its parts, each under the name that it has in the file.
boost::json::object credentials_json(const config::CredentialSettings& credentials);
boost::json::object resolution_json(const config::ResolutionSettings& resolution);

// "5s", "1m", "24h", "250ms"
std::string duration_text(std::chrono::milliseconds time);

// Under NAME_file or NAME_env where it is, or as NAME that it stands there.
void put_secret(boost::json::object& out, std::string_view name, const std::optional<config::SecretSettings>& secret);
void put_text(boost::json::object& out, std::string_view name, const std::string& text);  // unless it is empty

}  // namespace keygate::app
