// What did somebody mean who wrote text that is not YAML? Where the parser stopped says little to people who have never
// read its grammar; the lines around that place say which of the usual slips it was.
#pragma once

#include <string>
#include <string_view>

namespace keygate::config {

// Where the parser stopped, lines and columns from 0, and its words for it.
struct YamlStop {
  int line = 0;
  int column = 0;
  std::string message;
};

struct YamlAdvice {
  int line = 0;
  int column = 0;
  std::string message;
  std::string hint;
};

YamlAdvice advice_on(std::string_view text, const YamlStop& stop);

// The library takes the end of the file for the end of a quoted text, and so would swallow whatever comes after a
// forgotten quote. Such a text can only be the last scalar; an offset counts bytes.
bool is_never_closed(std::string_view scalar);

}  // namespace keygate::config
