// A running key server, asked by `keygate keys --service`: one request, one connection, ten seconds. Blocks.
#pragma once

#include "config/resolution_settings.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace keygate::app {

struct KeyServicePlace {
  config::ServiceUrl url;  // its path is what the API's paths are put behind
  std::string token;
  std::string ca_file;  // empty: what the system trusts
};

// From --service, --token-file and --ca-file as they were given. Refusal where one of them cannot be.
KeyServicePlace find_service(const std::string& url, const std::string& token_file, const std::string& ca_file);

// What the operator should know before the token is sent there; empty: nothing.
std::string clear_text_warning(const KeyServicePlace& place);

// What the service answers where it answers well; a Refusal says what it answers else, or why there is no answer.
boost::json::object ask_service(const KeyServicePlace& place, std::string_view method, const std::string& target,
                                const boost::json::object& body);

}  // namespace keygate::app
