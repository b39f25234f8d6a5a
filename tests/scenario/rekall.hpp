// config/examples/rekall as its README runs it: the key server with Redis, and Keygate beside its store, in front of a
// recording production and sandbox.
#pragma once

#include "tests/support/raw_client.hpp"
#include "tests/support/recording_upstream.hpp"
#include "tests/support/scenario.hpp"
#include "tests/support/shipped_example.hpp"
#include "tests/support/shipped_key_service.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keygate::test {

inline const std::string read_only = "memories:read,entities:read,relationships:read";

// What a proxy said of it: "ok", or the code of its refusal.
inline std::string code_in(const Response& response) {
  return response.status < 400 ? "ok" : text_of(boost::json::parse(response.body).as_object(), "code");
}

class Rekall : public testing::Test {
 protected:
  void SetUp() override { example.start(); }

  void TearDown() override {
    example.stop();
    for (const ShippedKeys* const maker :
         {static_cast<const ShippedKeys*>(&example), static_cast<const ShippedKeys*>(&key_service)}) {
      EXPECT_FALSE(maker->is_key_in(example.output() + example.errors()));
      EXPECT_FALSE(maker->is_key_in(production.everything()));
      EXPECT_FALSE(sandbox && maker->is_key_in(sandbox->everything()));
    }
  }

  std::vector<std::string> environment() const {
    std::vector<std::string> all = key_service.environment();
    all.push_back("REKALL_PRODUCTION_URL=" + address_of(production.port()));
    all.push_back("REKALL_SANDBOX_URL=" + address_of(sandbox->port()));
    return all;
  }
  std::string code_of(const Key& key, std::string_view target = "/v1/memories") {
    return code_in(ask(example.port(), request_to(target, key.bearer())));
  }

  RecordingUpstream production;
  std::unique_ptr<RecordingUpstream> sandbox = std::make_unique<RecordingUpstream>();
  ShippedKeyService key_service{"rekall"};
  ShippedExample example{"rekall", environment()};
};

}  // namespace keygate::test
