#include "proxy/authorize.hpp"

#include "policy/target.hpp"
#include "tests/unit/proxy/heads.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

namespace keygate::proxy::testing {
namespace {

using config::DecisionDialect;

// What a decision service makes of a head: "METHOD target host", or the code that it is refused with.
std::string original(DecisionDialect dialect, std::string text, std::size_t most = 8192) {
  auto head = std::make_unique<RequestHead>();
  if (const auto refusal = read_request_head(text, HeadLimits{}, default_reserved(), *head)) {
    return "at the gate: " + std::string(refusal->what);
  }
  if (const auto refusal = take_original(dialect, text, most, *head)) {
    return std::string(policy::row(refusal->reason).code);
  }
  auto parsed = policy::RequestTarget::parse(head->target);
  if (std::holds_alternative<policy::TargetFlaw>(parsed)) {
    return "flawed target";
  }
  const std::string upgrade = head->is_upgrade ? " upgrade" : "";
  return std::string(head->method_word) + " " + std::string(head->target.data(), head->target.size()) + " " +
         std::string(head->host) + upgrade + (head->is_asterisk ? " asterisk" : "");
}

std::string asked(const std::string& fields) {
  return "GET /ask HTTP/1.1\r\nHost: proxy.example\r\n" + fields + "\r\n";
}

const std::string by_nginx = "X-Original-Method: DELETE\r\nX-Original-URI: /admin?a=1\r\n";
const std::string by_traefik =
    "X-Forwarded-Method: DELETE\r\nX-Forwarded-Uri: /admin?a=1\r\nX-Forwarded-Host: api.example\r\n";

TEST(OriginalRequest, IsWhatTheDialectNames) {
  EXPECT_EQ(original(DecisionDialect::nginx, asked(by_nginx)), "DELETE /admin?a=1 proxy.example");
  EXPECT_EQ(original(DecisionDialect::forwarded, asked(by_traefik)), "DELETE /admin?a=1 api.example");
  EXPECT_EQ(original(DecisionDialect::envoy, "PUT /x HTTP/1.1\r\nHost: api.example\r\n\r\n"), "PUT /x api.example");
}

TEST(OriginalRequest, P21_OtherDialectsHeadersNameNothing) {
  const std::string same = "X-Forwarded-Method: DELETE\r\nX-Forwarded-Uri: /admin?a=1\r\n";
  EXPECT_EQ(original(DecisionDialect::nginx, asked(by_nginx + same)), "DELETE /admin?a=1 proxy.example");
  EXPECT_EQ(original(DecisionDialect::nginx, asked(same)), "bad_request");
  EXPECT_EQ(original(DecisionDialect::nginx, asked(by_traefik)), "bad_request");
  EXPECT_EQ(original(DecisionDialect::forwarded, asked(by_nginx)), "bad_request");
  EXPECT_EQ(original(DecisionDialect::forwarded, asked(by_traefik + by_nginx + "X-Rewrite-URL: /open\r\n")),
            "DELETE /admin?a=1 api.example");
  EXPECT_EQ(original(DecisionDialect::envoy, asked("X-Envoy-Original-Path: /open\r\nX-Original-URI: /ask\r\n")),
            "GET /ask proxy.example");
}

TEST(OriginalRequest, P21_IsRefusedWhereAnotherDialectContradicts) {
  for (const std::string claim :
       {"X-Forwarded-Uri: /open\r\n", "X-Forwarded-Uri: /admin\r\n", "x-forwarded-uri:\r\n",
        "X-Forwarded-Method: GET\r\n", "X-Forwarded-Uri: /admin?a=1\r\nX-Forwarded-Uri: /\r\n"}) {
    EXPECT_EQ(original(DecisionDialect::nginx, asked(by_nginx + claim)), "bad_request") << claim;
    EXPECT_EQ(original(DecisionDialect::envoy, "PUT /x HTTP/1.1\r\nHost: a\r\n" + claim + "\r\n"), "bad_request")
        << claim;
  }
  for (const std::string claim : {"X-Original-URI: /open\r\n", "X-Original-Method: GET\r\n"}) {
    EXPECT_EQ(original(DecisionDialect::forwarded, asked(claim + by_traefik)), "bad_request") << claim;
    EXPECT_EQ(original(DecisionDialect::envoy, "PUT /x HTTP/1.1\r\nHost: a\r\n" + claim + "\r\n"), "bad_request")
        << claim;
  }
}

TEST(OriginalRequest, P21_IsNamedOnceOrNotAtAll) {
  for (const std::string field : {"X-Original-Method: DELETE\r\n", "X-Original-URI: /admin?a=1\r\n",
                                  "x-original-uri: /open\r\n", "X-ORIGINAL-METHOD: GET\r\n"}) {
    EXPECT_EQ(original(DecisionDialect::nginx, asked(by_nginx + field)), "bad_request") << field;
  }
  for (const std::string& fields :
       {std::string(), std::string("X-Original-Method: GET\r\n"), std::string("X-Original-URI: /\r\n"),
        std::string("X-Original-Method: GET\r\nX-Original-URI:\r\n"),
        std::string("X-Original-Method:\r\nX-Original-URI: /\r\n")}) {
    EXPECT_EQ(original(DecisionDialect::nginx, asked(fields)), "bad_request") << fields;
  }
  EXPECT_EQ(original(DecisionDialect::forwarded, asked("X-Forwarded-Method: GET\r\nX-Forwarded-Uri: /\r\n")),
            "bad_request");
  EXPECT_EQ(original(DecisionDialect::forwarded, asked(by_traefik + "X-Forwarded-Host: open.example\r\n")),
            "bad_request");
}

TEST(OriginalRequest, P21_OtherSpellingsAreOtherHeaders) {
  EXPECT_EQ(original(DecisionDialect::nginx, asked(by_nginx + "X_Original_URI: /open\r\nX.Original.Method: GET\r\n")),
            "DELETE /admin?a=1 proxy.example");
}

TEST(OriginalRequest, HasAMethodThatIsForwarded) {
  const std::string path = "X-Original-URI: /\r\n";
  EXPECT_EQ(original(DecisionDialect::nginx, asked("X-Original-Method: CONNECT\r\n" + path)), "method_not_allowed");
  EXPECT_EQ(original(DecisionDialect::nginx, asked("X-Original-Method: get\r\n" + path)), "not_implemented");
  EXPECT_EQ(original(DecisionDialect::nginx, asked("X-Original-Method: GET, POST\r\n" + path)), "not_implemented");
}

TEST(OriginalRequest, HasATargetThatIsReadInOneWay) {
  for (const std::string target :
       {"/a b", "/a#b", "*", "http://other/x", "x", "/a/../b", "/a%2Fb", "/\\b", "/\xC3\xA4"}) {
    EXPECT_EQ(original(DecisionDialect::nginx, asked("X-Original-Method: GET\r\nX-Original-URI: " + target + "\r\n")),
              "flawed target")
        << target;
  }
  EXPECT_EQ(original(DecisionDialect::nginx, asked(by_nginx), 9), "target_too_long");
}

TEST(OriginalRequest, P22_IsJudgedAtItsLastHopToo) {
  EXPECT_EQ(original(DecisionDialect::envoy, "OPTIONS /admin HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n"),
            "OPTIONS /admin a");
  EXPECT_EQ(original(DecisionDialect::envoy, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), "flawed target");
}

TEST(OriginalRequest, OpensATunnelWhereItHasAHandshake) {
  EXPECT_EQ(original(DecisionDialect::nginx, asked(by_nginx + "Sec-WebSocket-Key: x\r\n")),
            "DELETE /admin?a=1 proxy.example upgrade");
  EXPECT_EQ(original(DecisionDialect::nginx, asked(by_nginx + "Upgrade: websocket\r\n")),
            "DELETE /admin?a=1 proxy.example upgrade");
}

TEST(OriginalRequest, P21_OpensNoOtherTunnelThanAWebSocket) {
  const std::string whole = "DELETE /admin?a=1 api.example upgrade";
  for (const std::string field : {"Upgrade: WebSocket\r\n", "upgrade:\twebsocket \r\n"}) {
    EXPECT_EQ(original(DecisionDialect::forwarded, asked(by_traefik + field)), whole) << field;
  }
  for (const std::string field : {"Upgrade: h2c\r\n", "Upgrade: H2C\r\nConnection: Upgrade, HTTP2-Settings\r\n",
                                  "Upgrade:\r\n", "Upgrade: websocket, h2c\r\n", "upgrade: h2c,websocket\r\n",
                                  "Upgrade: TLS/1.0\r\n", "Upgrade: websocket/13\r\n"}) {
    EXPECT_EQ(original(DecisionDialect::forwarded, asked(by_traefik + field)), "bad_request") << field;
    EXPECT_EQ(original(DecisionDialect::nginx, asked(by_nginx + field)), "bad_request") << field;
    EXPECT_EQ(original(DecisionDialect::envoy, "GET /x HTTP/1.1\r\nHost: a\r\n" + field + "\r\n"), "bad_request")
        << field;
  }
  const std::string two = "Upgrade: websocket\r\nUpgrade: h2c\r\n";
  EXPECT_EQ(original(DecisionDialect::nginx, asked(by_nginx + two)).substr(0, 11), "at the gate");
}

TEST(OriginalRequest, P21_EndsWithItsTarget) {
  for (const std::string blank : {" ", "\t", " \t "}) {
    EXPECT_EQ(original(DecisionDialect::nginx,
                       asked("X-Original-Method: DELETE\r\nX-Original-URI: /admin?a=1" + blank + "\r\n")),
              "bad_request");
  }
  EXPECT_EQ(original(DecisionDialect::nginx, asked("X-Original-Method: DELETE\r\nX-Original-URI:\t /admin\r\n")),
            "DELETE /admin proxy.example");
}

TEST(OriginalRequest, IsNotWhatTheAnswerIsFramedBy) {
  std::string text = asked("X-Original-Method: HEAD\r\nX-Original-URI: /\r\n");
  auto head = std::make_unique<RequestHead>();
  ASSERT_FALSE(read_request_head(text, HeadLimits{}, default_reserved(), *head));
  ASSERT_FALSE(take_original(DecisionDialect::nginx, text, 100, *head));
  EXPECT_EQ(head->method, policy::Method::head);
  EXPECT_FALSE(head->is_answered_to_head());
  text = "HEAD /ask HTTP/1.1\r\nHost: a\r\nX-Original-Method: GET\r\nX-Original-URI: /\r\n\r\n";
  ASSERT_FALSE(read_request_head(text, HeadLimits{}, default_reserved(), *head));
  ASSERT_FALSE(take_original(DecisionDialect::nginx, text, 100, *head));
  EXPECT_TRUE(head->is_answered_to_head());
}

TEST(OriginalRequest, CameOverTlsWhereWhoAsksSaysSo) {
  const auto is_secure = [](const std::string& fields) {
    std::string text = asked(by_nginx + fields);
    auto head = std::make_unique<RequestHead>();
    EXPECT_FALSE(read_request_head(text, HeadLimits{}, default_reserved(), *head));
    EXPECT_FALSE(take_original(DecisionDialect::nginx, text, 100, *head));
    return is_said_to_be_secure(*head);
  };
  EXPECT_TRUE(is_secure("X-Forwarded-Proto: https\r\n"));
  EXPECT_TRUE(is_secure("X-Forwarded-Proto: http\r\nx-forwarded-proto: HTTPS\r\n")) << "the stricter of two";
  for (const std::string list : {"http, https", "https,http", "http ,\tHTTPS, http", ",https", "https,"}) {
    EXPECT_TRUE(is_secure("X-Forwarded-Proto: " + list + "\r\n")) << list;
  }
  for (const std::string list : {"http", "", ",", "http, ,http", "httpss, xhttps", "https http"}) {
    EXPECT_FALSE(is_secure("X-Forwarded-Proto: " + list + "\r\n")) << list;
  }
  EXPECT_FALSE(is_secure("X_Forwarded_Proto: https\r\n"));
  EXPECT_FALSE(is_secure(""));
}

}  // namespace
}  // namespace keygate::proxy::testing
