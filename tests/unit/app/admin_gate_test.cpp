#include "app/admin_gate.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keygate::app {
namespace {

const std::string secret = "a-token-of-more-than-32-characters-000";
const std::string bearer = "Bearer " + secret;

std::optional<keys::KeyDigest> token() { return keys::Hasher()(keys::SecretView(secret)); }

AdminCall over_tcp(std::string_view host = "127.0.0.1:9902") {
  AdminCall call;
  call.host = host;
  return call;
}

int status_of(const AdminCall& call, const std::optional<keys::KeyDigest>& known = token()) {
  const auto refused = refusal_of(call, known);
  return refused ? refused->status : 200;
}

TEST(AdminGate, TakesNamesOfThisMachineAlone) {
  for (const char* const host :
       {"127.0.0.1", "127.0.0.1:9902", "127.1.2.3:1", "localhost:9902", "LOCALHOST", "[::1]:9902"}) {
    EXPECT_EQ(status_of(over_tcp(host)), 200) << host;
  }
  for (const char* const host : {"", "evil.example", "evil.example:9902", "127.0.0.1.evil.example",
                                 "localhost.evil.example", "10.0.0.1:9902", "[::2]:9902", "0.0.0.0:9902"}) {
    EXPECT_EQ(status_of(over_tcp(host)), 421) << host;
  }
}

TEST(AdminGate, TakesAnyHostOverTheSocket) {
  AdminCall call = over_tcp("whatever");
  call.is_local = true;
  EXPECT_EQ(status_of(call), 200);
}

TEST(AdminGate, RefusesPagesOfOtherSites) {
  AdminCall call = over_tcp();
  call.origin = "http://127.0.0.1:9902";
  call.fetch_site = "same-origin";
  EXPECT_EQ(status_of(call), 200);
  for (const char* const origin : {"null", "http://evil.example", "http://127.0.0.1:3000", "https://127.0.0.1:9902"}) {
    call.origin = origin;
    EXPECT_EQ(status_of(call), 403) << origin;
  }
  call.origin = {};
  for (const char* const site : {"cross-site", "same-site", "nonsense"}) {
    call.fetch_site = site;
    EXPECT_EQ(status_of(call), 403) << site;
  }
}

TEST(AdminGate, RefusesBodiesThatAFormCouldSend) {
  AdminCall call = over_tcp();
  call.has_body = true;
  for (const char* const type : {"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"}) {
    call.content_type = type;
    EXPECT_EQ(status_of(call), 415) << type;
  }
  call.content_type = "application/json; charset=utf-8";
  EXPECT_EQ(status_of(call), 200);
}

TEST(AdminGate, AsksForTheTokenWhereSomethingChanges) {
  AdminCall call = over_tcp();
  call.changes = true;
  EXPECT_EQ(status_of(call), 401);
  call.authorization = "Bearer wrong";
  EXPECT_EQ(status_of(call), 401);
  call.authorization = std::string_view(bearer).substr(0, bearer.size() - 1);
  EXPECT_EQ(status_of(call), 401);
  call.authorization = bearer;
  EXPECT_EQ(status_of(call), 200);
  call.is_local = true;
  call.authorization = {};
  EXPECT_EQ(status_of(call), 401) << "with a token the socket's file is not enough";
}

TEST(AdminGate, WithoutATokenOnlyTheSocketMayChangeSomething) {
  AdminCall call = over_tcp();
  EXPECT_EQ(status_of(call, std::nullopt), 200);
  call.changes = true;
  EXPECT_EQ(status_of(call, std::nullopt), 403);
  call.is_local = true;
  EXPECT_EQ(status_of(call, std::nullopt), 200);
}

}  // namespace
}  // namespace keygate::app
