// What the scenario tests stand on: a keygate in front of a recording upstream, with the three keys that every bypass
// is tried with, and the oracle for denials.
#pragma once

#include "tests/support/keygate.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recording_upstream.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace keygate::test {

// What becomes of the client's connection after an answer.
enum class Ending { any, closed, open };

struct Denial {
  int status = 400;
  std::string code = "bad_request";  // several that would do are separated by '|'; empty: any
  Ending ending = Ending::any;
};

// A problem document with everything docs/errors.md promises of one: members, types, headers that belong to the
// status.
void expect_problem(const Response& response, int status, std::string_view codes);

class Scenario : public testing::Test {
 protected:
  // Starts keygate before `upstream` (unless the config names others); makes k1, ka and kr.
  void start(Config config = {});
  void start_without_keys(Config config = {});  // quicker
  void TearDown() override;

  // `request` is refused as `denial` says, nothing of it reaches the upstream, the connection ends as stated, and no
  // sink holds a key. `pipelined`: behind a request that is granted, which must be all that the upstream sees.
  void expect_denied(std::string_view request, const Denial& denial, Delivery delivery = Delivery::whole);
  // On a connection of its own.
  Response ask(std::string_view request, AnswerTo method = AnswerTo::get) const {
    return test::ask(keygate.port(), request, method);
  }
  // `request` is granted and the upstream sees exactly one request, which is returned.
  Request expect_granted(std::string_view request, int status = 200);
  // After stop: no key in what keygate wrote or the upstream was sent.
  void expect_no_key_leaked();

  RecordingUpstream upstream;
  Keygate keygate;
  Key k1;  // org_1, v1:read
  Key ka;  // org_a, admin
  Key kr;  // revoked
  bool may_upstream_see_keys = false;
};

// "METHOD target HTTP/1.1", Host: api.local, `fields` (each ended by CRLF), the blank line.
std::string request_to(std::string_view target, std::string_view fields = "", std::string_view method = "GET");
std::string request_with_body(std::string_view target, std::string_view body, std::string_view fields = "",
                              std::string_view method = "POST");

// Bytes for a failure message: controls and the like escaped, the middle of long ones left out.
std::string shown(std::string_view bytes);

}  // namespace keygate::test
