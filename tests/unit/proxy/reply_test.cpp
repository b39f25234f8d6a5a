#include "proxy/reply.hpp"

#include "proxy/response_head.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <set>
#include <string>

namespace keygate::proxy {
namespace {

using policy::Reason;

constexpr auto id = "0123456789abcdef01234567";

// The reply for a reason, with what a test sets beside it.
std::string reply(
    Reason reason, void (*set)(ReplyFacts&) = [](ReplyFacts&) {}) {
  ReplyFacts facts;
  facts.reason = reason;
  facts.request_id = id;
  set(facts);
  return write_reply(facts);
}

std::string body_of(const std::string& message) { return message.substr(message.find("\r\n\r\n") + 4); }
std::string head_of(const std::string& message) { return message.substr(0, message.find("\r\n\r\n") + 4); }

TEST(Reply, OfAMissingCredentialIsExactlyThis) {
  const std::string body =
      R"({"type":"urn:keygate:error:missing_credential","title":"Unauthorized","status":401,"code":"missing_credential",)"
      R"("detail":"This request needs an API key: send it as \"Authorization: Bearer <key>\".",)"
      R"("request_id":"0123456789abcdef01234567"})"
      "\n";
  EXPECT_EQ(reply(Reason::missing_credential, [](ReplyFacts& facts) { facts.closes = false; }),
            "HTTP/1.1 401 Unauthorized\r\n"
            "Content-Type: application/problem+json\r\n"
            "Content-Length: " +
                std::to_string(body.size()) +
                "\r\n"
                "Cache-Control: no-store\r\n"
                "WWW-Authenticate: Bearer realm=\"keygate\"\r\n"
                "\r\n" +
                body);
}

TEST(Reply, OfAnInsufficientScopeIsExactlyThis) {
  const std::string body =
      R"({"type":"urn:keygate:error:insufficient_scope","title":"Forbidden","status":403,"code":"insufficient_scope",)"
      R"("detail":"The API key is valid but lacks a scope that this request requires.",)"
      R"("request_id":"0123456789abcdef01234567","required_scopes":["projects:read","projects:write"]})"
      "\n";
  EXPECT_EQ(reply(Reason::insufficient_scope,
                  [](ReplyFacts& facts) { facts.required_scopes = "projects:read projects:write"; }),
            "HTTP/1.1 403 Forbidden\r\n"
            "Content-Type: application/problem+json\r\n"
            "Content-Length: " +
                std::to_string(body.size()) +
                "\r\n"
                "Cache-Control: no-store\r\n"
                "WWW-Authenticate: Bearer realm=\"keygate\", error=\"insufficient_scope\", scope=\"projects:read "
                "projects:write\"\r\n"
                "Connection: close\r\n"
                "\r\n" +
                body);
}

TEST(Reply, A13U02_OfAWrongWebSocketVersionNamesTheRightOne) {
  const std::string head = head_of(reply(Reason::upgrade_required));
  EXPECT_TRUE(head.starts_with("HTTP/1.1 426 Upgrade Required\r\n")) << head;
  EXPECT_NE(head.find("\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nConnection: upgrade\r\n"),
            std::string::npos)
      << head;
  EXPECT_NE(head.find("\r\nConnection: close\r\n"), std::string::npos) << head;
  EXPECT_EQ(head_of(reply(Reason::bad_request)).find("WebSocket"), std::string::npos);
}

TEST(Reply, OfAMethodThatIsNotServedNamesThoseThatAre) {
  const std::string head = head_of(reply(Reason::method_not_allowed));
  EXPECT_NE(head.find("\r\nAllow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n"), std::string::npos) << head;
  EXPECT_TRUE(head.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"));
}

TEST(Reply, A10_OfAFailureSaysWhenToComeBackAndWhatFailed) {
  const std::string message =
      reply(Reason::key_service_unavailable, [](ReplyFacts& facts) { facts.proxy_error = "destination_unavailable"; });
  EXPECT_TRUE(message.starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_NE(message.find("\r\nRetry-After: 1\r\n"), std::string::npos);
  EXPECT_NE(message.find("\r\nProxy-Status: keygate; error=destination_unavailable\r\n"), std::string::npos);
  EXPECT_EQ(boost::json::parse(body_of(message)).at("retry_after").as_int64(), 1);
}

TEST(Reply, A10_HasNoProxyStatusBelow500) {
  const std::string message = reply(Reason::no_route, [](ReplyFacts& facts) { facts.proxy_error = "x"; });
  EXPECT_EQ(message.find("Proxy-Status"), std::string::npos);
}

TEST(Reply, A01_A02_ChallengesAsRfc6750Says) {
  const auto challenge = [](Reason reason) {
    const std::string head = head_of(reply(reason));
    const auto at = head.find("WWW-Authenticate: ");
    return at == std::string::npos ? "" : head.substr(at + 18, head.find("\r\n", at) - at - 18);
  };
  EXPECT_EQ(challenge(Reason::missing_credential), "Bearer realm=\"keygate\"");
  for (const auto reason :
       {Reason::malformed_key, Reason::invalid_key, Reason::expired_key, Reason::revoked_key, Reason::disabled_key}) {
    EXPECT_EQ(challenge(reason), "Bearer realm=\"keygate\", error=\"invalid_token\"");
  }
  for (const auto reason :
       {Reason::bad_request, Reason::no_route, Reason::wrong_organization, Reason::upstream_timeout}) {
    EXPECT_EQ(challenge(reason), "");
  }
}

TEST(Reply, C10_ThatIsMinimalDoesNotTellOne401FromAnother) {
  const auto minimal = [](Reason reason) {
    return reply(reason, [](ReplyFacts& facts) {
      facts.required_scopes = "a b";
      facts.is_minimal = true;
    });
  };
  std::set<std::string> different;
  for (const auto& row : policy::reasons()) {
    if (row.status == 401) different.insert(minimal(row.reason));
  }
  ASSERT_EQ(different.size(), 1U);
  EXPECT_EQ(body_of(*different.begin()),
            R"({"type":"urn:keygate:error:unauthorized","title":"Unauthorized","status":401,"code":"unauthorized",)"
            R"("detail":"This request needs a valid API key.","request_id":"0123456789abcdef01234567"})"
            "\n");
  EXPECT_EQ(minimal(Reason::no_route), reply(Reason::no_route)) << "only a 401 has causes to hide";
}

// HEAD gets every byte that GET gets, up to the body.
TEST(Reply, N08_ToHeadHasNoBodyButItsLength) {
  for (const auto& row : policy::reasons()) {
    if (row.status < 400 || row.status == 499) continue;
    const std::string to_get = reply(row.reason);
    const std::string to_head = reply(row.reason, [](ReplyFacts& facts) { facts.is_head = true; });
    EXPECT_EQ(to_head, head_of(to_get)) << row.code;
  }
}

TEST(Reply, A08_OfEveryReasonIsAProblemOfItsRow) {
  for (const auto& row : policy::reasons()) {
    if (row.status < 400 || row.status == 499) continue;
    const std::string message = reply(row.reason, [](ReplyFacts& facts) { facts.required_scopes = "a b"; });
    const std::string head = head_of(message);
    ResponseHead read;
    ASSERT_FALSE(read_response_head(head, policy::Method::get, read)) << head;
    EXPECT_EQ(read.status, row.status);
    EXPECT_EQ(read.content_length, body_of(message).size());
    EXPECT_FALSE(read.keep_alive) << "closes where nothing else is said";
    const auto body = boost::json::parse(body_of(message));
    EXPECT_EQ(body.at("status").as_int64(), row.status);
    EXPECT_EQ(body.at("code").as_string(), row.code.data());
    EXPECT_EQ(body.at("type").as_string(), "urn:keygate:error:" + std::string(row.code));
    EXPECT_EQ(body.at("request_id").as_string(), id);
    EXPECT_EQ(body.as_object().contains("required_scopes"), row.reason == Reason::insufficient_scope);
    EXPECT_EQ(body.as_object().contains("retry_after"), row.retry_after > 0);
  }
}

TEST(Reply, KeepsTheConnectionWhereItIsTold) {
  EXPECT_EQ(reply(Reason::no_route, [](ReplyFacts& facts) { facts.closes = false; }).find("Connection"),
            std::string::npos);
  EXPECT_NE(reply(Reason::no_route, [](ReplyFacts& facts) { facts.closes = true; }).find("\r\nConnection: close\r\n"),
            std::string::npos);
}

TEST(Reply, N07_ToOptionsAsteriskIsEmpty) {
  EXPECT_EQ(write_empty_reply(200, {}, false), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(write_empty_reply(200, {}, true), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

}  // namespace
}  // namespace keygate::proxy
