#include "app/junit.hpp"

#include <algorithm>

namespace keygate::app {
namespace {

// What XML 1.0 has no place for, escaped or not, is a '?'.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    }
  }
  return out;
}

std::string attribute(const char* name, const std::string& value) {
  return std::string(" ") + name + "=\"" + escaped(value) + "\"";
}

std::string counts(std::size_t tests, std::size_t failures) {
  return attribute("tests", std::to_string(tests)) + attribute("failures", std::to_string(failures));
}

std::size_t failures_in(const JunitCase* begin, const JunitCase* end) {
  return static_cast<std::size_t>(std::count_if(begin, end, [](const JunitCase& one) { return !one.failure.empty(); }));
}

}  // namespace

std::string junit_xml(const std::vector<JunitCase>& cases) {
  const JunitCase* const end = cases.data() + cases.size();
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites" +
                    counts(cases.size(), failures_in(cases.data(), end)) + ">\n";
  for (const JunitCase* begin = cases.data(); begin != end;) {
    const JunitCase* const next =
        std::find_if(begin, end, [&](const JunitCase& one) { return one.suite != begin->suite; });
    out += " <testsuite" + attribute("name", begin->suite) +
           counts(static_cast<std::size_t>(next - begin), failures_in(begin, next)) + ">\n";
    for (; begin != next; ++begin) {
      out += "  <testcase" + attribute("classname", begin->suite) + attribute("name", begin->name) +
             attribute("file", begin->file) + attribute("line", std::to_string(begin->line));
      out += begin->failure.empty() ? "/>\n" : "><failure" + attribute("message", begin->failure) + "/></testcase>\n";
    }
    out += " </testsuite>\n";
  }
  return out + "</testsuites>\n";
}

}  // namespace keygate::app
