#include "proxy/forward_head.hpp"

#include "tests/unit/proxy/forwarder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <random>
#include <string>
#include <vector>

namespace keygate::proxy {
namespace {

using config::CredentialSource;
using testing::Forwarder;
using testing::get_with;
using testing::HeadText;
using testing::lines_of;
using testing::lower_name;
using testing::plain_settings;
using testing::post_with;
using testing::Sender;
using testing::values_of;

using Values = std::vector<std::string>;

std::string request_line_of(const std::string& head) { return head.substr(0, head.find("\r\n")); }

std::string get(const std::string& target, const std::string& fields = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: a.example\r\n" + fields + "\r\n";
}

config::Settings settings_with_sources(std::vector<CredentialSource> sources) {
  auto settings = plain_settings();
  settings.credentials.sources = std::move(sources);
  return settings;
}

// --- What goes over the wire
// --------------------------------------------------------------------------------------------------------

TEST(ForwardHead, IsExactlyThis) {
  const std::string request =
      "POST /v1/%70rojects?limit=10&q=%61 HTTP/1.1\r\n"
      "Host: api.example.com\r\n"
      "User-Agent: curl/8\r\n"
      "Authorization: Bearer kg_secret\r\n"
      "Connection: keep-alive, X-Hop\r\n"
      "X-Hop: 1\r\n"
      "X-Org-Id: evil\r\n"
      "Content-Type: application/json\r\n"
      "content-length: 2\r\n"
      "X-Forwarded-For: 6.6.6.6\r\n"
      "Cookie: a=b\r\n"
      "accept:  */*  \r\n"
      "\r\n";
  EXPECT_EQ(Forwarder().forward(request),
            "POST /v1/projects?limit=10&q=%61 HTTP/1.1\r\n"
            "Host: api.example.com\r\n"
            "User-Agent: curl/8\r\n"
            "Content-Type: application/json\r\n"
            "Cookie: a=b\r\n"
            "accept: */*\r\n"
            "Content-Length: 2\r\n"
            "Via: 1.1 keygate\r\n"
            "X-Forwarded-For: 203.0.113.7\r\n"
            "X-Forwarded-Proto: http\r\n"
            "X-Forwarded-Host: api.example.com\r\n"
            "Forwarded: for=203.0.113.7;host=\"api.example.com\";proto=http\r\n"
            "X-Request-Id: 0123456789abcdef01234567\r\n"
            "X-Auth-Method: api_key\r\n"
            "X-Org-Id: org_1\r\n"
            "X-Key-Id: key_1\r\n"
            "X-User-Id: user_1\r\n"
            "X-Scopes: projects:read\r\n"
            "X-Environment: live\r\n"
            "\r\n");
}

TEST(ForwardHead, N11_AsksForTheUpgradeOnlyWhereItIsWebSocket) {
  const std::string handshake =
      "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: permessage-deflate\r\n";
  EXPECT_EQ(Forwarder().forward(get("/open?a=1", handshake + "Upgrade: h2c, WebSocket\r\n")),
            "GET /open?a=1 HTTP/1.1\r\n"
            "Host: a.example\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: chat\r\n"
            "Sec-WebSocket-Extensions: permessage-deflate\r\n"
            "Connection: Upgrade\r\n"
            "Upgrade: websocket\r\n"
            "Via: 1.1 keygate\r\n"
            "X-Forwarded-For: 203.0.113.7\r\n"
            "X-Forwarded-Proto: http\r\n"
            "X-Forwarded-Host: a.example\r\n"
            "Forwarded: for=203.0.113.7;host=\"a.example\";proto=http\r\n"
            "X-Request-Id: 0123456789abcdef01234567\r\n"
            "X-Auth-Method: anonymous\r\n"
            "\r\n");
  const std::string other = Forwarder().forward(get("/open", handshake + "Upgrade: h2c\r\n"));
  EXPECT_TRUE(values_of(other, "connection").empty()) << other;
  EXPECT_TRUE(values_of(other, "upgrade").empty()) << other;
}

TEST(ForwardHead, OfAnAnonymousRouteSaysSoAndNoMore) {
  const std::string head =
      Forwarder().forward(get("/open",
                              "X-Org-Id: evil\r\nx-api-key: k\r\nX-Key-Id: evil\r\nX-User-Id: evil\r\nX-Scopes: *\r\n"
                              "X-Environment: live\r\nX-Auth-Method: admin\r\n"));
  EXPECT_EQ(head,
            "GET /open HTTP/1.1\r\n"
            "Host: a.example\r\n"
            "Via: 1.1 keygate\r\n"
            "X-Forwarded-For: 203.0.113.7\r\n"
            "X-Forwarded-Proto: http\r\n"
            "X-Forwarded-Host: a.example\r\n"
            "Forwarded: for=203.0.113.7;host=\"a.example\";proto=http\r\n"
            "X-Request-Id: 0123456789abcdef01234567\r\n"
            "X-Auth-Method: anonymous\r\n"
            "\r\n");
}

// --- Identity
// -----------------------------------------------------------------------------------------------------------------

std::string folded(std::string name) {
  for (char& c : name) c = policy::fold(c);
  return name;
}

TEST(IdentityHeaders, H02_ClientCannotSpoofThemInAnySpelling) {
  const config::IdentityHeaderSettings names;
  const Forwarder forwarder;
  for (const auto& name : {names.organization, names.key, names.user, names.scopes, names.environment, names.method}) {
    std::string fields;
    for (const char separator : std::string("-_.~!#$%&'*+^`|")) {
      std::string alias = name;
      std::ranges::replace(alias, '-', separator);
      fields += alias + ": evil\r\n";
      std::ranges::transform(alias, alias.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
      fields += alias + ": evil\r\n";
    }
    for (const auto* path : {"/x", "/open", "/kept"}) {
      const std::string head = forwarder.forward(get(path, fields));
      EXPECT_EQ(head.find("evil"), std::string::npos) << head;
      const auto lines = lines_of(head);
      const auto ours =
          std::ranges::count_if(lines, [&](const auto& line) { return folded(lower_name(line)) == folded(name); });
      EXPECT_EQ(ours, path == std::string("/open") && name != names.method ? 0 : 1) << name << ' ' << path;
    }
  }
}

TEST(IdentityHeaders, StandLast) {
  const auto lines = lines_of(Forwarder().forward(get("/x", "Z: 1\r\nX-Org-Id: evil\r\n")));
  Values names;
  for (const auto& line : lines) names.push_back(lower_name(line));
  ASSERT_GE(names.size(), 6U);
  EXPECT_EQ((Values{names.end() - 6, names.end()}),
            (Values{"x-auth-method", "x-org-id", "x-key-id", "x-user-id", "x-scopes", "x-environment"}));
}

TEST(IdentityHeaders, H01_AreLeftOutWhereThereIsNothingToSay) {
  Sender sender;
  sender.principal = {"key_1", "", "", policy::Environment::none, {}, {}};
  const std::string head = Forwarder().forward(
      get("/x", "X-Org-Id: evil\r\nX-User-Id: evil\r\nX-Scopes: *\r\nX-Environment: live\r\n"), sender);
  EXPECT_EQ(head.find("evil"), std::string::npos);
  EXPECT_EQ(values_of(head, "x-key-id"), Values{"key_1"});
  for (const auto* name : {"x-org-id", "x-user-id", "x-scopes", "x-environment"}) {
    EXPECT_EQ(values_of(head, name), Values{}) << name;
  }
}

TEST(IdentityHeaders, NameTheEnvironmentThatWasJudged) {
  Sender sender;
  sender.principal.environment = policy::Environment::none;
  sender.prefix = policy::Environment::test;
  EXPECT_EQ(values_of(Forwarder().forward(get("/x"), sender), "x-environment"), Values{"test"});
}

TEST(IdentityHeaders, HaveTheNamesOfTheSettings) {
  auto settings = plain_settings();
  settings.identity_headers.organization = "X-Tenant";
  settings.identity_headers.key = "";
  const std::string head =
      Forwarder(settings).forward(get("/x", "X_Tenant: evil\r\nX-Org-Id: plain\r\nX-Key-Id: plain\r\n"));
  EXPECT_EQ(values_of(head, "x-tenant"), Values{"org_1"});
  EXPECT_EQ(head.find("evil"), std::string::npos);
  EXPECT_EQ(values_of(head, "x-org-id"), Values{"plain"}) << "not one of ours here";
  EXPECT_EQ(values_of(head, "x-key-id"), Values{"plain"});
}

TEST(IdentityHeaders, H03_SurviveWhatConnectionNames) {
  const std::string head = Forwarder().forward(get("/x", "Connection: close, X-Foo\r\nX-Foo: 1\r\n"));
  EXPECT_EQ(values_of(head, "connection"), Values{}) << "no token of the client's reaches the next hop";
  EXPECT_EQ(values_of(head, "x-foo"), Values{});
  EXPECT_EQ(values_of(head, "x-org-id"), Values{"org_1"});
}

// --- Credentials
// --------------------------------------------------------------------------------------------------------------

constexpr auto in_every_place =
    "Authorization: Bearer kg_secret\r\nx-api-key: kg_secret\r\nX_Api_Key: kg_secret\r\nCookie: a=b; "
    "session=kg_secret; c=d\r\n";

config::Settings settings_with_every_source() {
  return settings_with_sources({{CredentialSource::Kind::bearer, ""},
                                {CredentialSource::Kind::header, "x-api-key"},
                                {CredentialSource::Kind::query, "api_key"},
                                {CredentialSource::Kind::cookie, "session"}});
}

TEST(Credentials, H12_AreStrippedFromEveryPlace) {
  const Forwarder forwarder(settings_with_every_source());
  for (const auto* path : {"/x", "/open"}) {
    const std::string head = forwarder.forward(get(std::string(path) + "?a=1&api_key=kg_secret&b=2", in_every_place));
    EXPECT_EQ(head.find("kg_secret"), std::string::npos) << head;
    EXPECT_EQ(request_line_of(head), "GET " + std::string(path) + "?a=1&b=2 HTTP/1.1");
    EXPECT_EQ(values_of(head, "cookie"), Values{"a=b; c=d"});
  }
}

TEST(Credentials, OfOtherSchemesAreStrippedToo) {
  EXPECT_EQ(values_of(Forwarder().forward(get("/x", "Authorization: Basic dTpw\r\n")), "authorization"), Values{});
}

TEST(Credentials, LeaveAuthorizationAloneWhereNoKeyIsReadFromIt) {
  const Forwarder forwarder(settings_with_sources({{CredentialSource::Kind::header, "x-api-key"}}));
  const std::string head = forwarder.forward(get("/x", "Authorization: Bearer t\r\nx-api-key: k\r\n"));
  EXPECT_EQ(values_of(head, "authorization"), Values{"Bearer t"});
  EXPECT_EQ(values_of(head, "x-api-key"), Values{});
}

TEST(Credentials, LeaveAQueryAsItWasOtherwise) {
  const Forwarder forwarder(settings_with_every_source());
  const auto sent = [&](const std::string& target) { return request_line_of(forwarder.forward(get(target))); };
  EXPECT_EQ(sent("/x?api_key=k"), "GET /x HTTP/1.1");
  EXPECT_EQ(sent("/x?"), "GET /x? HTTP/1.1");
  EXPECT_EQ(sent("/x?a=1"), "GET /x?a=1 HTTP/1.1");
  EXPECT_EQ(sent("/x?API%5fKEY=k&a=%2e%2E+b&&c"), "GET /x?a=%2e%2E+b&&c HTTP/1.1");
  EXPECT_EQ(sent("/x?a&api_key=k"), "GET /x?a HTTP/1.1");
  EXPECT_EQ(sent("/x?api_key_2=k"), "GET /x?api_key_2=k HTTP/1.1");
  const Forwarder without_query;
  EXPECT_EQ(request_line_of(without_query.forward(get("/x?api_key=k"))), "GET /x?api_key=k HTTP/1.1");
}

TEST(Credentials, LeaveNoEmptyCookieBehind) {
  const Forwarder forwarder(settings_with_every_source());
  const auto sent = [&](const std::string& fields) {
    return values_of(forwarder.forward(get("/x", fields)), "cookie");
  };
  EXPECT_EQ(sent("Cookie: session=k\r\n"), Values{});
  EXPECT_EQ(sent("Cookie: session=k; a=b\r\n"), Values{"a=b"});
  EXPECT_EQ(sent("Cookie: a=b;session=k\r\n"), Values{"a=b"});
  EXPECT_EQ(sent("Cookie: a=session=k\r\n"), Values{"a=session=k"});
  EXPECT_EQ(sent("Cookie: session=k\r\nCookie: c=d\r\n"), Values{"c=d"});
  EXPECT_EQ(values_of(Forwarder().forward(get("/x", "Cookie: session=k\r\n")), "cookie"), Values{"session=k"});
}

TEST(Credentials, GoOnWhereTheRouteSaysSo) {
  const Forwarder forwarder(settings_with_every_source());
  const std::string head = forwarder.forward(get("/kept?a=1&api_key=kg_secret", in_every_place));
  EXPECT_EQ(request_line_of(head), "GET /kept?a=1&api_key=kg_secret HTTP/1.1");
  EXPECT_EQ(values_of(head, "authorization"), Values{"Bearer kg_secret"});
  EXPECT_EQ(values_of(head, "x-api-key"), Values{"kg_secret"});
  EXPECT_EQ(values_of(head, "cookie"), Values{"a=b; session=kg_secret; c=d"});
}

TEST(Credentials, GoOnWhereTheSettingsSaySo) {
  auto settings = plain_settings();
  settings.credentials.forward = true;
  const std::string head = Forwarder(settings).forward(get("/x", "x-api-key: k\r\n"));
  EXPECT_EQ(values_of(head, "x-api-key"), Values{"k"});
}

// An upstream that folds names would find another key than the one that was judged.
TEST(Credentials, H02_GoOnUnderTheirOwnNameOnly) {
  const std::string head = Forwarder().forward(
      get("/kept", "x-api-key: judged\r\nX_Api_Key: other\r\nX.Api.Key: other\r\nX~Api-Key: other\r\n"));
  EXPECT_EQ(values_of(head, "x-api-key"), Values{"judged"});
  EXPECT_EQ(head.find("other"), std::string::npos) << head;
}

// --- Where it came from
// -------------------------------------------------------------------------------------------------------

constexpr auto claims =
    "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Port: 443\r\n"
    "Forwarded: for=6.6.6.6;proto=https\r\nX-Real-IP: 6.6.6.6\r\nX-Request-Id: evil\r\n";

TEST(ForwardingHeaders, A11_H06_OfAnUntrustedPeerAreReplaced) {
  const std::string head = Forwarder().forward(
      get("/x", std::string(claims) + "True-Client-IP: 6.6.6.6\r\nCF-Connecting-IP: 6.6.6.6\r\nX-Client-IP: 6.6.6.6\r\n"
                                      "X_Forwarded_For: 6.6.6.6\r\nX-Forwarded: 6.6.6.6\r\n"));
  EXPECT_EQ(head.find("6.6.6.6"), std::string::npos) << head;
  EXPECT_EQ(head.find("evil"), std::string::npos) << head;
  EXPECT_EQ(values_of(head, "x-forwarded-for"), Values{"203.0.113.7"});
  EXPECT_EQ(values_of(head, "x-forwarded-proto"), Values{"http"});
  EXPECT_EQ(values_of(head, "x-forwarded-host"), Values{"a.example"});
  EXPECT_EQ(values_of(head, "x-forwarded-port"), Values{});
  EXPECT_EQ(values_of(head, "forwarded"), Values{"for=203.0.113.7;host=\"a.example\";proto=http"});
}

TEST(ForwardingHeaders, SayHttpsOfAClientThatCameOverTls) {
  Sender sender;
  sender.is_secure = true;
  const std::string head = Forwarder().forward(get("/x", "X-Forwarded-Proto: http\r\n"), sender);
  EXPECT_EQ(values_of(head, "x-forwarded-proto"), Values{"https"});
  EXPECT_EQ(values_of(head, "forwarded"), Values{"for=203.0.113.7;host=\"a.example\";proto=https"});
}

TEST(ForwardingHeaders, A11_OfATrustedPeerAreContinued) {
  Sender sender;
  sender.is_trusted = true;
  const std::string head = Forwarder().forward(get("/x", claims), sender);
  EXPECT_EQ(values_of(head, "x-forwarded-for"), (Values{"6.6.6.6", "203.0.113.7"}));
  EXPECT_EQ(values_of(head, "x-forwarded-proto"), Values{"https"});
  EXPECT_EQ(values_of(head, "x-forwarded-host"), Values{"evil"});
  EXPECT_EQ(values_of(head, "x-forwarded-port"), Values{"443"});
  EXPECT_EQ(values_of(head, "forwarded"),
            (Values{"for=6.6.6.6;proto=https", "for=203.0.113.7;host=\"a.example\";proto=http"}));
  EXPECT_EQ(values_of(head, "x-real-ip"), Values{"6.6.6.6"});
  EXPECT_EQ(values_of(head, "x-request-id"), Values{"0123456789abcdef01234567"})
      << "the one that is logged, and one only";
}

TEST(ForwardingHeaders, P18_P19_ThatNameAnotherRequestAreDroppedEvenFromATrustedPeer) {
  std::string fields;
  for (const auto* name :
       {"X-Original-URL", "X-Original-URI", "X-Original-Method", "X-Rewrite-URL", "X-Envoy-Original-Path",
        "X-HTTP-DestinationURL", "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Forwarded-Uri",
        "X-Forwarded-Prefix", "X-Forwarded-Path", "X-Forwarded-Method", "X_Forwarded_Proto", "X_HTTP_Method_Override",
        "X-Host", "X-Scheme", "Front-End-Https"}) {
    fields += std::string(name) + ": evil\r\n";
  }
  for (const bool is_trusted : {false, true}) {
    Sender sender;
    sender.is_trusted = is_trusted;
    const std::string head = Forwarder().forward(get("/x", fields), sender);
    EXPECT_EQ(head.find("evil"), std::string::npos) << head;
  }
}

TEST(ForwardingHeaders, BracketAnIpv6Peer) {
  Sender sender;
  sender.peer = "2001:db8::1";
  const std::string head = Forwarder().forward(get("/x"), sender);
  EXPECT_EQ(values_of(head, "x-forwarded-for"), Values{"2001:db8::1"});
  EXPECT_EQ(values_of(head, "forwarded"), Values{"for=\"[2001:db8::1]\";host=\"a.example\";proto=http"});
}

// --- Hops
// ---------------------------------------------------------------------------------------------------------------------

TEST(Via, N04_ComesBehindThoseBefore) {
  EXPECT_EQ(values_of(Forwarder().forward(get("/x", "Via: 1.0 fred, 1.1 p.example\r\n")), "via"),
            (Values{"1.0 fred, 1.1 p.example", "1.1 keygate"}));
}

TEST(Via, N04_SaysTheVersionThatTheClientSpoke) {
  const std::string head = Forwarder().forward("GET /x HTTP/1.0\r\nHost: a.example\r\n\r\n");
  EXPECT_EQ(values_of(head, "via"), Values{"1.0 keygate"});
  EXPECT_EQ(request_line_of(head), "GET /x HTTP/1.1") << "M-14";
}

TEST(Via, N04_CountsOurOwn) {
  const auto count = [](const std::string& fields) { return own_via_count(HeadText(get_with(fields)).head()); };
  EXPECT_EQ(count(""), 0U);
  EXPECT_EQ(count("Via: 1.1 keygate\r\n"), 1U);
  EXPECT_EQ(count("Via: 1.1 Keygate, 1.0 other,1.0 keygate\r\nVia: 1.1 keygate\r\n"), 3U);
  EXPECT_EQ(count("Via: 1.1 keygate2, keygate, 1.1 notkeygate, 1.1 keygate:80\r\nX-Via: 1.1 keygate\r\n"), 0U);
  std::string ten;
  for (int i = 0; i < 10; ++i) ten += i == 0 ? "1.1 keygate" : ", 1.1 keygate";
  EXPECT_GT(count("Via: " + ten + "\r\n"), max_own_via);
  EXPECT_LE(count("Via: " + ten.substr(0, ten.rfind(',')) + "\r\n"), max_own_via);
}

TEST(ForwardHead, N03_DropsWhatEndsAtThisHop) {
  const std::string head = Forwarder().forward(
      get("/x",
          "Keep-Alive: 1\r\nProxy-Connection: keep-alive\r\nTE: gzip\r\nTrailer: x\r\nUpgrade: h2c\r\n"
          "HTTP2-Settings: x\r\nProxy-Authorization: Basic x\r\nProxy-Authenticate: x\r\nProxy: http://evil\r\n"
          "Connection: upgrade, http2-settings\r\nExpect: 100-continue\r\nContent_Length: 7\r\n"));
  Values names;
  for (const auto& line : lines_of(head)) names.push_back(lower_name(line));
  EXPECT_EQ(names, (Values{"host", "via", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded",
                           "x-request-id", "x-auth-method", "x-org-id", "x-key-id", "x-user-id", "x-scopes",
                           "x-environment"}));
}

TEST(ForwardHead, M13_AsksForTrailersWhereTheClientTakesThem) {
  const std::string head = Forwarder().forward(get("/x", "TE: gzip;q=1, trailers\r\nConnection: te\r\n"));
  EXPECT_EQ(values_of(head, "te"), (Values{"trailers"}));
  EXPECT_EQ(values_of(head, "connection"), (Values{"TE"}));
}

TEST(ForwardHead, N13_KeepsTheOrderOfRepeatedFields) {
  EXPECT_EQ(values_of(Forwarder().forward(get("/x", "X-A: 1\r\nX-B: 2\r\nx-a: 3\r\nX-A:\r\n")), "x-a"),
            (Values{"1", "3", ""}));
}

TEST(ForwardHead, M14_HasOneFramingFieldOfOurOwn) {
  const auto framing = [](const std::string& request) {
    const std::string head = Forwarder().forward(request);
    auto all = values_of(head, "content-length");
    for (const auto& value : values_of(head, "transfer-encoding")) all.push_back(value);
    return all;
  };
  EXPECT_EQ(framing(post_with("Content-Length: 5\r\n")), Values{"5"});
  EXPECT_EQ(framing(post_with("Content-Length: 0\r\n")), Values{"0"});
  EXPECT_EQ(framing(post_with("transfer-encoding: CHUNKED\r\n")), Values{"chunked"});
  EXPECT_EQ(framing(post_with("")), Values{});
  EXPECT_EQ(
      framing(post_with("Content_Length: 7\r\nTransfer_Encoding: chunked\r\nContent-Length: 999999999999999999\r\n")),
      Values{"999999999999999999"});
}

// --- What is sent is one request, within the room that was measured
// -----------------------------------------------------------

using Random = std::mt19937;

std::size_t below(Random& random, std::size_t end) {
  return std::uniform_int_distribution<std::size_t>(0, end - 1)(random);
}

std::string random_fields(Random& random) {
  static const std::vector<std::string> names = {
      "Accept",       "X-Org-Id",  "X_Org_Id",  "Cookie",         "Via",        "X-Forwarded-For", "Forwarded",
      "X-Request-Id", "x-api-key", "X-Api_Key", "X-Original-Url", "Keep-Alive", "X-Hop",           "Content_Length",
      "X-Keygate-Y",  "Proxy",     "If-Match"};
  static constexpr std::string_view bytes = "ab ,;=\t\"\xe9k:/session=";
  std::string fields;
  for (std::size_t i = below(random, 40); i > 0; --i) {
    std::string value(below(random, 8) == 0 ? below(random, 3'000) : below(random, 30), 'x');
    for (char& c : value) c = bytes[below(random, bytes.size())];
    fields += names[below(random, names.size())] + ": " + value + "\r\n";
  }
  if (below(random, 2) == 0) fields += "Connection: x-hop\r\n";
  if (below(random, 2) == 0) fields += "Authorization: Bearer kg_secret\r\n";
  if (below(random, 3) == 0) fields += "Content-Length: 999999999999999999\r\n";
  return fields;
}

Sender random_sender(Random& random) {
  Sender sender;
  sender.peer = below(random, 2) == 0 ? "255.255.255.255" : "2001:0db8:ffff:ffff:ffff:ffff:255.255.255.255";
  sender.is_trusted = below(random, 2) == 0;
  sender.request_id = std::string(1 + below(random, 128), 'r');
  const std::string id(1 + below(random, 128), 'i');
  sender.principal.key_id = id;
  sender.principal.organization = below(random, 2) == 0 ? id : "";
  sender.principal.user = id;
  sender.principal.granted = {"*"};
  return sender;
}

TEST(ForwardProperty, AHeadIsOneRequestWithinItsBound) {
  Random random(20'250'616);
  const Forwarder forwarder(settings_with_every_source());
  for (int round = 0; round < 2'000; ++round) {
    std::string target = "/x";
    if (below(random, 2) == 0) target = "/kept?" + std::string(below(random, 8'000), 'q') + "&api_key=k";
    const std::string host = std::string(1 + below(random, policy::max_host), 'h') + ":65535";
    const Sender sender = random_sender(random);
    const std::string head = forwarder.forward(
        "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n" + random_fields(random) + "\r\n", sender);
    const GateResult gate = pass_request_gate(head, {.target_bytes = 9'000, .field_count = 128});
    ASSERT_FALSE(gate.flaw) << to_string(*gate.flaw) << head;
    std::size_t searched = 0;
    ASSERT_EQ(head_size(head, searched), head.size()) << "one head and nothing behind it";
    ASSERT_EQ(values_of(head, "x-key-id"), Values{sender.principal.key_id});
    ASSERT_LE(values_of(head, "x-org-id").size(), 1U);
    ASSERT_EQ(values_of(head, "host").size(), 1U);
    ASSERT_EQ(values_of(head, "x-hop").empty() || head.find("Connection") == std::string::npos, true);
    ASSERT_FALSE(HasFailure());
  }
}

// In place of whatever the client called Authorization, in any spelling, and wherever it would have gone on.
TEST(ForwardHead, UpstreamsOwnTokenIsTheOnlyAuthorization) {
  keys::Secrets secrets;
  secrets.upstream_tokens = {"token-of-ours"};
  const auto sent = [&](std::vector<CredentialSource> sources, const std::string& target) {
    const Forwarder forwarder(settings_with_sources(std::move(sources)), secrets);
    return forwarder.forward(get(target, "Authorization: Bearer kg_client\r\nX-Api-Key: k\r\n"));
  };
  const std::vector<CredentialSource> bearer{{CredentialSource::Kind::bearer, ""}};
  const std::vector<CredentialSource> header{{CredentialSource::Kind::header, "x-api-key"}};
  for (const auto& sources : {bearer, header}) {
    for (const char* const target : {"/open", "/kept", "/v1"}) {
      EXPECT_EQ(values_of(sent(sources, target), "authorization"), Values{"Bearer token-of-ours"}) << target;
    }
  }
}

}  // namespace
}  // namespace keygate::proxy
