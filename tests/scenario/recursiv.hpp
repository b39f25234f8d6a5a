// config/examples/recursiv as its README runs it: the key server with Redis, a service that knows sessions, and Keygate
// before a recording API and its staging.
#pragma once

#include "tests/support/raw_client.hpp"
#include "tests/support/recording_upstream.hpp"
#include "tests/support/scenario.hpp"
#include "tests/support/session_service.hpp"
#include "tests/support/shipped_example.hpp"
#include "tests/support/shipped_key_service.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace keygate::test {

inline const std::string dispatcher_secret = "9b1f5e0c6a7d4f2e8c3b9b1f5e0c6a7d4f2e8c3b";

class Recursiv : public testing::Test {
 protected:
  void SetUp() override { example.start(); }

  void TearDown() override {
    example.stop();
    for (const std::string& text : {example.output() + example.errors(), api.everything(), staging.everything()}) {
      EXPECT_FALSE(keys.is_key_in(text));
      EXPECT_EQ(text.find(dispatcher_secret), std::string::npos);
    }
  }

  std::vector<std::string> environment() const {
    std::vector<std::string> all = keys.environment();
    all.insert(all.end(),
               {"RECURSIV_API_URL=" + address_of(api.port()), "RECURSIV_STAGING_URL=" + address_of(staging.port()),
                "RECURSIV_SESSION_URL=" + sessions.url(), "DISPATCHER_API_KEY=" + dispatcher_secret});
    return all;
  }
  Response ask_with(const std::string& fields, std::string_view target, std::string_view method = "GET") {
    return ask(example.port(), request_to(target, fields, method));
  }
  Response ask_as(const Key& key, std::string_view target, const std::string& fields = "") {
    return ask_with(fields + key.bearer(), target);
  }
  Request seen_of(const Key& key, std::string_view target, const std::string& fields = "") {
    return seen_with(fields + key.bearer(), target);
  }
  // What the API was asked, where all went well.
  Request seen_with(const std::string& fields, std::string_view target, std::string_view method = "GET") {
    api.forget();
    const Response response = ask_with(fields, target, method);
    EXPECT_EQ(response.status, 200) << target << " " << response.body;
    return api.only_request();
  }

  RecordingUpstream api;
  RecordingUpstream staging;
  ShippedKeyService keys{"recursiv"};
  SessionService sessions{keys.token("proxy")};
  ShippedExample example{"recursiv", environment()};
};

}  // namespace keygate::test
