// A listener that answers decisions, and who asks it.
#pragma once

#include "tests/support/scenario.hpp"
#include "tests/support/socket.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace keygate::test {

// Of `listeners:`, a whole line.
inline std::string deciding_listener(std::uint16_t port, const std::string& dialect) {
  return "  - {address: \"127.0.0.1:" + std::to_string(port) + "\", mode: authorize, authorize: {dialect: " + dialect +
         "}}\n";
}

inline std::string named(const std::string& method, const std::string& uri) {
  return "X-Original-Method: " + method + "\r\nX-Original-URI: " + uri + "\r\n";
}

class DecisionService : public Scenario {
 protected:
  void start_deciding(const std::string& dialect, const std::string& trusted = "127.0.0.1",
                      const std::string& more = "") {
    port = free_port();
    start({.more =
               "trusted_proxies: [\"" + trusted + "\"]\n" + more + "listeners:\n" + deciding_listener(port, dialect)});
  }
  Response decide(const std::string& fields, const std::string& method = "GET", const std::string& target = "/ask") {
    return test::ask(port, request_to(target, fields, method), method == "HEAD" ? AnswerTo::head : AnswerTo::get);
  }
  void expect_refusal(const std::string& fields, int status, const std::string& code) {
    Response response = decide(fields);
    expect_problem(response, status, code);
    EXPECT_EQ(response.fields["x-keygate-code"], code);
  }

  std::uint16_t port = 0;
};

}  // namespace keygate::test
