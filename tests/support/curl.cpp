#include "tests/support/curl.hpp"

#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace keygate::test {

CurlResult curl(const std::vector<std::string>& arguments) {
  const TempDir directory;
  // -q: whoever runs the tests may have a .curlrc.
  std::vector<std::string> argv{"curl", "-q", "-sS", "--max-time", "50", "--noproxy", "*", "-D", directory / "head"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const Finished finished = run({argv, {}, "", ""});

  CurlResult result;
  result.exit_code = finished.status.code;
  result.body = finished.output;
  result.errors = finished.errors;
  std::string heads = read_file(directory / "head");
  while (auto response = read_response(heads, AnswerTo::head, true)) {
    result.status = response->status;
    result.fields = response->fields;
    result.redirects_and_interim += response->interim.size();
    heads.erase(0, response->size);
    if (heads.empty()) {
      break;
    }
    ++result.redirects_and_interim;
  }
  return result;
}

}  // namespace keygate::test
