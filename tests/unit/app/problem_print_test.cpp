// What a person sees of the faults in a file: the line for editors, the line of the file, the mark. And no secret.
#include "app/problem_print.hpp"

#include "app/prepare.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>

#include <sstream>
#include <string>

namespace keygate::app {
namespace {

using testing::HasSubstr;
using testing::Not;

class PrintedProblems : public testing::Test {
 protected:
  std::string print(const std::string& yaml) {
    folder_.write("keygate.yaml", yaml);
    std::ostringstream out;
    print_problems(out, prepare_file(folder_ / "keygate.yaml", 1, ReadSecrets::no).problems);
    std::string text = out.str();
    const std::string place = std::string(folder_ / "");
    for (auto at = text.find(place); at != std::string::npos; at = text.find(place)) text.erase(at, place.size());
    return text;
  }

  test::TempDir folder_;
};

TEST_F(PrintedProblems, HaveTheLineOfTheFileAndAMarkBelowThem) {
  folder_.write("policy.yaml",
                "scopes: {\"projects:read\": Read}\n"
                "routes:\n"
                "  - name: a\n"
                "    match: {path: /v1/{rest...}}\n");
  EXPECT_EQ(
      print("upstream: 127.0.0.1:3000\n"
            "policy: policy.yaml\n"
            "resolution: {store: {path: keys.db}}\n"
            "limits: {header_timeout: 10}\n"),
      "keygate.yaml:1:11: upstream: \"127.0.0.1:3000\" is not an http:// address; write http://host:port, such as "
      "http://127.0.0.1:3000\n"
      "    1 | upstream: 127.0.0.1:3000\n"
      "      |           ^~~~~~~~~~~~~~\n"
      "keygate.yaml:4:26: limits.header_timeout: needs a duration from 10ms to 60m, not \"10\"; add the unit: 10ms, "
      "10s or 10m\n"
      "    4 | limits: {header_timeout: 10}\n"
      "      |                          ^~\n"
      "policy.yaml:4:23: a brace stands within text that is in brackets itself; quote it, as in {path: "
      "\"/v1/{id}\"}\n"
      "    4 |     match: {path: /v1/{rest...}}\n"
      "      |                       ^\n");
}

TEST_F(PrintedProblems, NeverShowASecretThatStandsInTheFile) {
  const std::string text = print(
      "upstream: http://127.0.0.1:3000\n"
      "policy: {routes: [{name: all, match: {path: /}, anonymous: true, set_headers: {Authorization: 'Bearer "
      "hunter2'}}]}\n"
      "resolution: {service: {url: 'https://me:hunter2@host/x', token: hunter2}, redis: {url: "
      "'redis://:hunter2@host:x'}}\n"
      "credentials:\n"
      "  admin_secrets:\n"
      "    - {name: a, secret: hunter2, scopes: [x]}\n"
      "    - {name: b, secret_env: hunter2-hunter2, scopes: [x]}\n"
      "    - hunter2\n"
      "    - {name: b, passwort: hunter2}\n"
      "    - {name: b, secret: [hunter2]}\n"
      "    - {name: b, secret: {hunter2: x}}\n");
  EXPECT_THAT(text, HasSubstr("a secret stands in the configuration itself"));
  EXPECT_THAT(text, HasSubstr("    6 |     - {name: a, secret: ***, scopes: [x]}\n"));
  EXPECT_THAT(text, HasSubstr("redis://***@host"));
  EXPECT_THAT(text, Not(HasSubstr("hunter2")));
}

TEST_F(PrintedProblems, NeverShowASecretThatIsWrittenInAPlaceForSomethingElse) {
  const std::string places[] = {
      "upstream: http://me:hunter2@host\n",
      "upstream: me:hunter2@host:3000\n",
      "resolution: redis://:hunter2@host\n",
      "resolution: {redis: \"redis://:hunter2@host\"}\n",
      "resolution: {redis: {url: \"redis://:hunter2@host\", username: [x], namespace: \"a b\"}}\n",
      "resolution: {redis: {url: me:hunter2@host:6379}}\n",
      "resolution: {redis: {url: \"redis://me:hun@ter/hunter2@host:x\"}}\n",
      "resolution: {redis: {url: redis://host:hunter2}}\n",
      "resolution: {redis: {url: \"redis://:${X-hunter2}@host\"}}\n",
      "resolution: {redis: {url: \"redis://:${X:hunter2}@host\"}}\n",
      "resolution: {redis: {password: hunter2}}\n",
      "resolution:\n  redis:\n    password:hunter2\n",
      "resolution:\n  redis:\n    timeout: 5s\n    password=hunter2\n",
      "resolution:\n  redis:\n    ? password\n    : hunter2\n",
      "resolution: {redis: {password_env: hunter2}}\n",
      "resolution: {redis: {password_env: [hunter2]}}\n",
      "resolution: {service: {url: \"https://me:hunter2@host/x\"}}\n",
      "resolution: {service: {url: \"https://host/x?token=hunter2#\"}}\n",
      "resolution: {service: {token: hunter2, token_file: {hunter2: hunter2}}}\n",
      "credentials: {admin_secrets: hunter2}\n",
      "credentials: {admin_secrets: {secret: hunter2}}\n",
      "credentials:\n  admin_secrets:\n    - secret:hunter2\n",
      "credentials:\n  admin_secrets:\n    - name: a\n      secret: |\n        hunter2\n      scops: [x]\n",
      "credentials:\n  admin_secrets:\n    - name: a\n      secret: \"hunter2\n      scops: [x]\n",
      "credentials:\n  admin_secrets:\n    - name: a\n     secret: hunter2\n",
      "credentials:\n  admin_secrets:\n    - {name: a, secret: hunter2, secret: hunter2}\n",
      "policy: {routes: [{name: a, set_headers: {X: \"hunter2 {\"}, match: {path: /}, anonymous: true}]}\n",
      "policy: {routes: [{name: a, set_headers: {X: [hunter2]}, match: {path: /}, anonymous: true}]}\n",
  };
  for (const std::string& place : places) {
    const std::string text = print(place);
    EXPECT_THAT(text, HasSubstr("keygate.yaml:")) << place;
    EXPECT_THAT(text, Not(HasSubstr("hunter2"))) << place;
  }
}

TEST_F(PrintedProblems, OfAFileThatCannotBeReadAgainAreOneLineEach) {
  config::Problem problem;
  problem.where = {std::make_shared<const std::string>("/dev/null"), 3, 4};
  problem.message = "something";
  std::ostringstream out;
  print_problems(out, {problem});
  EXPECT_EQ(out.str(), "/dev/null:3:4: something\n");
}

}  // namespace
}  // namespace keygate::app
