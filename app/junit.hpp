// Results in the XML that build servers read (JUnit's). Used by `keygate test`.
#pragma once

#include <string>
#include <vector>

namespace keygate::app {

struct JunitCase {
  std::string suite, name;  // the suite's name is the file's
  std::string file;
  int line = 0;
  std::string failure;  // empty: it has passed
};

std::string junit_xml(const std::vector<JunitCase>& cases);

}  // namespace keygate::app
