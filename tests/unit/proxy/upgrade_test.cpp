#include "proxy/upgrade.hpp"

#include "tests/unit/proxy/heads.hpp"
#include "tests/unit/proxy/responses.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace keygate::proxy {
namespace {

using testing::get_with;
using testing::HeadText;
using testing::response_with;
using testing::ResponseText;

// The key and its answer that RFC 6455 §1.3 has as an example.
const std::string sample_key = "dGhlIHNhbXBsZSBub25jZQ==";
const std::string sample_accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const std::string switching = "HTTP/1.1 101 Switching Protocols";

std::string handshake(const std::string& key = sample_key, const std::string& version = "13") {
  return "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: " + key +
         "\r\nSec-WebSocket-Version: " + version + "\r\n";
}

TEST(Upgrade, AcceptIsTheOneOfTheStandard) {
  const auto accept = accept_of(sample_key);
  EXPECT_EQ(std::string(accept.data(), accept.size()), sample_accept);
}

struct Row {
  std::string name;
  std::string request;
  std::string code;
  bool is_upgrade = false;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

class Handshake : public ::testing::TestWithParam<Row> {};

TEST_P(Handshake, IsJudged) {
  const HeadText text(GetParam().request);
  EXPECT_EQ(text.code(), GetParam().code);
  if (GetParam().code == "ok") {
    EXPECT_EQ(text.head().is_upgrade, GetParam().is_upgrade);
  }
}

std::vector<Row> handshakes() {
  const std::string key = "Sec-WebSocket-Key: " + sample_key + "\r\n";
  const std::string version = "Sec-WebSocket-Version: 13\r\n";
  const std::string asks = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
  return {
      {"A13_Whole", get_with(handshake()), "ok", true},
      {"A13_InAnyCaseAndInALongerList",
       get_with("connection: keep-alive, UPGRADE\r\nupgrade: h2c, WebSocket\r\n" + key + version), "ok", true},
      {"A13_InTwoConnectionLines",
       get_with("Connection: keep-alive\r\nConnection: upgrade\r\nUpgrade: websocket\r\n" + key + version), "ok", true},
      {"A13_LengthZeroIsNoBody", get_with(handshake() + "Content-Length: 0\r\n"), "ok", true},
      // Not an upgrade: dropped, and served as what it is without it.
      {"A13U03_Post", post + handshake() + "\r\n", "ok", false},
      {"A13_Head", "HEAD / HTTP/1.1\r\nHost: a\r\n" + handshake() + "\r\n", "ok", false},
      {"A13_Http10", "GET / HTTP/1.0\r\nHost: a\r\n" + handshake() + "\r\n", "ok", false},
      {"A13_ConnectionDoesNotSaySo", get_with("Upgrade: websocket\r\n" + key + version), "ok", false},
      {"A13_ConnectionAlone", get_with("Connection: upgrade\r\n" + key + version), "ok", false},
      {"U04_H2c", get_with("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\n"), "ok",
       false},
      {"U04_AProtocolThatOnlyBeginsAlike", get_with("Connection: Upgrade\r\nUpgrade: websocket/13\r\n"), "ok", false},
      // A handshake that is none.
      {"A13_NoKey", get_with(asks + version), "bad_request"},
      {"A13_TwoKeys", get_with(asks + key + key + version), "bad_request"},
      {"A13_KeyOf15Bytes", get_with(handshake("AAAAAAAAAAAAAAAAAAAA")), "bad_request"},
      {"A13_KeyOf17Bytes", get_with(handshake("AAAAAAAAAAAAAAAAAAAAAAA=")), "bad_request"},
      {"A13_KeyOf18Bytes", get_with(handshake("AAAAAAAAAAAAAAAAAAAAAAAA")), "bad_request"},
      {"A13_KeyWithAnotherAlphabet", get_with(handshake("dGhlIHNhbXBsZSBub25j-_==")), "bad_request"},
      {"A13_EmptyKey", get_with(handshake("")), "bad_request"},
      {"A13_KeyThatConnectionNames",
       get_with("Connection: Upgrade, Sec-WebSocket-Key\r\nUpgrade: websocket\r\n" + key + version), "bad_request"},
      {"A13_NoVersion", get_with(asks + key), "bad_request"},
      {"A13_TwoVersions", get_with(asks + key + version + version), "bad_request"},
      {"A13_VersionsInAList", get_with(handshake(sample_key, "13, 8")), "bad_request"},
      {"A13_VersionWithAZero", get_with(handshake(sample_key, "013")), "bad_request"},
      {"A13_VersionBeyond255", get_with(handshake(sample_key, "256")), "bad_request"},
      {"A13_VersionThatIsNoNumber", get_with(handshake(sample_key, "x")), "bad_request"},
      {"A13_ABody", get_with(handshake() + "Content-Length: 1\r\n"), "bad_request"},
      {"A13_Chunks", get_with(handshake() + "Transfer-Encoding: chunked\r\n"), "bad_request"},
      {"A13_TwoUpgrades", get_with(handshake() + "Upgrade: websocket\r\n"), "bad_request"},
      {"A13U02_Version9", get_with(handshake(sample_key, "9")), "upgrade_required"},
      {"A13U02_Version255", get_with(handshake(sample_key, "255")), "upgrade_required"},
      {"A13U02_Version0", get_with(handshake(sample_key, "0")), "upgrade_required"},
  };
}

INSTANTIATE_TEST_SUITE_P(Upgrade, Handshake, ::testing::ValuesIn(handshakes()),
                         [](const auto& row) { return row.param.name; });

// What judge_switch says of an answer to the sample's handshake; "valid" where it is.
std::string switch_of(const std::string& fields, const std::string& line = switching) {
  const HeadText asked(get_with(handshake()));
  const ResponseText answer(response_with(fields, line));
  EXPECT_FALSE(answer.flaw()) << *answer.flaw();
  return std::string(judge_switch(asked.head(), answer.head()).value_or("valid"));
}

TEST(Upgrade, U05_OnlyTheSwitchThatWasOfferedIsValid) {
  const std::string accept = "Sec-WebSocket-Accept: " + sample_accept + "\r\n";
  const std::string agrees = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
  EXPECT_EQ(switch_of(agrees + accept), "valid");
  EXPECT_EQ(switch_of("connection: keep-alive, upgrade\r\nupgrade: WebSocket\r\nsec-websocket-accept: " +
                      sample_accept + "\r\n"),
            "valid");
  for (const std::string& fields : {agrees, agrees + accept + accept, agrees + "Sec-WebSocket-Accept: \r\n",
                                    agrees + "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n",
                                    agrees + "Sec-WebSocket-Accept: " + sample_key + "\r\n"}) {
    EXPECT_EQ(switch_of(fields), "101 with a wrong Sec-WebSocket-Accept") << fields;
  }
  for (const std::string& fields :
       {accept, "Connection: Upgrade\r\n" + accept, "Upgrade: websocket\r\n" + accept,
        "Connection: Upgrade\r\nUpgrade: h2c\r\n" + accept, agrees + "Upgrade: websocket\r\n" + accept,
        "Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n" + accept,
        "Connection: close\r\nUpgrade: websocket\r\n" + accept}) {
    EXPECT_EQ(switch_of(fields), "101 to another protocol than was offered") << fields;
  }
  EXPECT_EQ(switch_of(agrees + accept, "HTTP/1.0 101 Switching Protocols"), "101 of HTTP/1.0");
}

}  // namespace
}  // namespace keygate::proxy
