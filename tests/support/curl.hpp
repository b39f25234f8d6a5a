// A real client: curl, with what it was answered.
#pragma once

#include "tests/support/http_message.hpp"

#include <string>
#include <vector>

namespace keygate::test {

struct CurlResult {
  int exit_code = -1;
  int status = 0;                         // of the last response; 0: none
  Fields fields;                          // of the last response
  std::string body;                       // empty where it went into a file by -o
  std::string errors;                     // what curl said
  std::size_t redirects_and_interim = 0;  // responses before the last one
};

// curl with these arguments, the URL among them.
CurlResult curl(const std::vector<std::string>& arguments);

}  // namespace keygate::test
