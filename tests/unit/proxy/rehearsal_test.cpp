// A rehearsal against the exchange's own parts, put together once more by hand.
#include "proxy/rehearsal.hpp"

#include "tests/unit/policy/random_policies.hpp"
#include "tests/unit/proxy/forwarder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace keygate::proxy {
namespace {

using policy::Reason;
using policy::testing::below;
using policy::testing::one_of;
using policy::testing::property_scale;
using policy::testing::Random;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

constexpr std::string_view key = "kg_0123456789012345678901234567890123456789";

policy::KeyAnswer answer_of(const policy::Principal& principal) { return {policy::KeyAnswer::State::valid, principal}; }

struct Rehearsed {
  explicit Rehearsed(const std::string& head, const config::Settings& settings = testing::plain_settings(),
                     const std::string& peer = "203.0.113.7",
                     const policy::Principal& principal = testing::Sender{}.principal)
      : snapshot(testing::snapshot_of(settings)), rehearsal(*snapshot, head, boost::asio::ip::make_address(peer)) {
    rehearsal.judge(answer_of(principal), testing::now);
  }

  std::string_view code() const { return policy::row(rehearsal.reason()).code; }
  // "X-Org-Id stripped", for what is not kept.
  std::vector<std::string> changed() const {
    std::vector<std::string> list;
    for (const auto& header : rehearsal.headers()->sent) {
      if (header.fate != HeaderFate::kept) {
        list.push_back(header.name + (header.fate == HeaderFate::stripped ? " stripped: " : " rewritten: ") +
                       header.why);
      }
    }
    return list;
  }
  std::vector<std::string> added() const {
    std::vector<std::string> list;
    for (const auto& header : rehearsal.headers()->added) list.push_back(header.name + ": " + header.value);
    return list;
  }

  std::shared_ptr<const Snapshot> snapshot;
  Rehearsal rehearsal;
};

std::string with_key(const std::string& line, const std::string& fields = "") {
  return line + "\r\nHost: a.example\r\n" + fields + "Authorization: Bearer " + std::string(key) + "\r\n\r\n";
}

TEST(Rehearsal, SaysWhatWasDoneToThePath) {
  auto settings = testing::plain_settings();
  settings.paths = {.merge_slashes = true, .resolve_dots = true};
  const Rehearsed relaxed(with_key("GET //x/../projects?api_key=//a HTTP/1.1"), settings);
  EXPECT_EQ(relaxed.rehearsal.target()->whole(), "/projects?api_key=//a");
  EXPECT_THAT(relaxed.rehearsal.path_changes(),
              ElementsAre(policy::PathChange::merged_slashes, policy::PathChange::resolved_dots));
  EXPECT_THAT(Rehearsed(with_key("GET /projects?a=//b HTTP/1.1"), settings).rehearsal.path_changes(), ElementsAre());
  const Rehearsed above(with_key("GET /../projects HTTP/1.1"), settings);
  EXPECT_EQ(above.code(), "ambiguous_path");
  EXPECT_EQ(above.rehearsal.flaw(), "a dot segment that leads above the root");
}

// Requests that end before anyone asks for a route: each as the data path answers it.
TEST(Rehearsal, RefusesWhatTheGateAndTheReadersRefuse) {
  const auto code = [](const std::string& head) { return std::string(Rehearsed(head).code()); };
  EXPECT_EQ(code("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"), "method_not_allowed");
  EXPECT_EQ(code("BREW / HTTP/1.1\r\nHost: a\r\n\r\n"), "not_implemented");
  EXPECT_EQ(code("GET / HTTP/1.1\r\n\r\n"), "bad_request");
  EXPECT_EQ(code("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), "bad_request");
  EXPECT_EQ(code("GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n"), "bad_request");
  EXPECT_EQ(code("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"), "misdirected_request");
  EXPECT_EQ(code("GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n"), "ambiguous_path");
  EXPECT_EQ(code("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), "version_not_supported");
  EXPECT_EQ(code("GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n"), "target_too_long");
  EXPECT_EQ(code("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(40'000, 'a') + "\r\n\r\n"), "header_too_large");
  EXPECT_EQ(code("GET / HTTP/1.1\r\nHost: a\r\nConnection: x-org-id\r\n\r\n"), "bad_request");
  EXPECT_EQ(code("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
            "bad_request");
  EXPECT_EQ(code("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), "ok");
}

TEST(Rehearsal, FindsTheCredentialAsTheExchangeDoes) {
  EXPECT_EQ(Rehearsed("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").code(), "missing_credential");
  EXPECT_EQ(Rehearsed("GET /x HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer short\r\n\r\n").code(), "malformed_key");
  EXPECT_EQ(Rehearsed(with_key("GET /x HTTP/1.1", "x-api-key: kg_9123456789012345678901234567890123456789\r\n")).code(),
            "ambiguous_credential");
  EXPECT_EQ(Rehearsed(with_key("GET /x HTTP/1.1")).code(), "ok");
  const Rehearsed open("GET /open HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer short\r\n\r\n");
  EXPECT_EQ(open.code(), "ok");
  EXPECT_EQ(open.rehearsal.caller().found, policy::Caller::Found::not_looked);
}

TEST(Rehearsal, CouldNotFindOutIsNotNo) {
  const auto snapshot = testing::snapshot_of(testing::plain_settings());
  Rehearsal rehearsal(*snapshot, with_key("GET /x HTTP/1.1"), boost::asio::ip::make_address("::1"));
  ASSERT_TRUE(rehearsal.needs_answer());
  rehearsal.judge(std::nullopt, testing::now);
  EXPECT_EQ(rehearsal.reason(), Reason::key_service_unavailable);
}

TEST(Rehearsal, SaysWhatBecameOfEachHeader) {
  const Rehearsed done(with_key("GET /x?api_key=1 HTTP/1.1",
                                "Accept: */*\r\nX-Org-Id: evil\r\nx_org_id: evil\r\nX-Forwarded-For: 203.0.113.7\r\n"
                                "Connection: close, x-hop\r\nX-Hop: 1\r\nContent-Length: 3\r\n"));
  EXPECT_THAT(
      done.changed(),
      ElementsAre("X-Org-Id stripped: only Keygate may say this", "x_org_id stripped: only Keygate may say this",
                  "X-Forwarded-For stripped: the peer is none of trusted_proxies, and anybody can claim this",
                  "Connection stripped: it is about this connection only", "X-Hop stripped: Connection names it",
                  "Authorization stripped: the credential stays here"));
  EXPECT_THAT(done.added(), Contains("X-Org-Id: org_1"));
  EXPECT_THAT(done.added(), Contains("X-Forwarded-For: 203.0.113.7"));
  EXPECT_THAT(done.added(), Contains("X-Request-Id: " + std::string(rehearsed_request_id)));
  EXPECT_THAT(done.added(), Not(Contains("Host: a.example")));
  EXPECT_THAT(done.added(), Not(Contains("Content-Length: 3")));
}

TEST(Rehearsal, CookiesAndQueriesLoseTheCredentialAlone) {
  using Kind = config::CredentialSource::Kind;
  auto settings = testing::plain_settings();
  settings.credentials.sources = {{Kind::cookie, "session"}, {Kind::query, "api_key"}};
  const std::string text(key);
  const Rehearsed cookie("GET /x HTTP/1.1\r\nHost: a\r\nCookie: a=b; session=" + text + "\r\nCookie: c=d\r\n\r\n",
                         settings);
  ASSERT_EQ(cookie.code(), "ok");
  EXPECT_THAT(cookie.changed(), ElementsAre("Cookie rewritten: less the credential"));
  const Rehearsed alone("GET /x HTTP/1.1\r\nHost: a\r\nCookie: session=" + text + "\r\n\r\n", settings);
  EXPECT_THAT(alone.changed(), ElementsAre("Cookie stripped: the credential was all it held"));
  const Rehearsed query("GET /x?a=b&api_key=" + text + " HTTP/1.1\r\nHost: a\r\n\r\n", settings);
  EXPECT_EQ(query.rehearsal.headers()->target, "/x?a=b");
}

TEST(Rehearsal, ATrustedProxyIsBelieved) {
  auto settings = testing::plain_settings();
  settings.trusted_proxies = {policy::testing::text("203.0.113.0/24")};
  const std::string head = with_key("GET /x HTTP/1.1", "X-Forwarded-Proto: https\r\nX-Request-Id: abc\r\n");
  const Rehearsed trusted(head, settings);
  EXPECT_THAT(trusted.added(), Contains("X-Request-Id: abc"));
  EXPECT_THAT(trusted.added(), Not(Contains("X-Forwarded-Proto: http")));
  const Rehearsed stranger(head, settings, "198.51.100.1");
  EXPECT_THAT(stranger.added(), Contains("X-Forwarded-Proto: http"));
  EXPECT_THAT(stranger.added(), Not(Contains("X-Request-Id: abc")));
}

// As the exchange writes it, but for the ids that are new each time.
TEST(Rehearsal, WhereTracingIsOnATraceGoesOnOrBegins) {
  const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  const std::string parent = "traceparent: 00-" + trace + "-00f067aa0ba902b7-01\r\n";
  auto settings = testing::plain_settings();
  settings.tracing.endpoint.emplace();
  const std::string ours = std::string(rehearsed_span_id);
  const Rehearsed none(with_key("GET /x HTTP/1.1", "tracestate: a=1\r\n"), settings);
  EXPECT_THAT(none.added(), Contains("traceparent: 00-" + std::string(rehearsed_trace_id) + "-" + ours + "-00"));
  EXPECT_THAT(none.changed(), Contains("tracestate stripped: it belongs to no trace"));
  const Rehearsed goes_on(with_key("GET /x HTTP/1.1", parent + "tracestate: a=1\r\n"), settings);
  EXPECT_THAT(goes_on.added(), Contains("traceparent: 00-" + trace + "-" + ours + "-00"));
  EXPECT_THAT(goes_on.changed(), ElementsAre("traceparent stripped: its trace goes on, with our span in between",
                                             "Authorization stripped: the credential stays here"));
  const Rehearsed state(with_key("GET /x HTTP/1.1", parent + "tracestate: a=1, b=2\r\n"), settings);
  EXPECT_THAT(state.changed(), Contains("tracestate stripped: said anew as one line, as far as it is kept"));
  EXPECT_THAT(state.added(), Contains("tracestate: a=1,b=2"));
  const Rehearsed twice(with_key("GET /x HTTP/1.1", parent + parent), settings);
  EXPECT_THAT(twice.changed(), Contains("traceparent stripped: it is no trace context: a trace begins here"));
  const Rehearsed off(with_key("GET /x HTTP/1.1", parent));
  EXPECT_THAT(off.changed(), ElementsAre("Authorization stripped: the credential stays here"));
}

TEST(Rehearsal, OnlyAParentThatIsBelievedDecidesOnTheRecording) {
  auto settings = testing::plain_settings();
  settings.tracing.endpoint.emplace();
  settings.trusted_proxies = {policy::testing::text("203.0.113.0/24")};
  const std::string head =
      with_key("GET /x HTTP/1.1", "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n");
  const auto flag = [&](const std::string& peer) {
    std::string text;
    for (const std::string& line : Rehearsed(head, settings, peer).added()) {
      if (line.starts_with("traceparent: ")) text = line.substr(line.size() - 2);
    }
    return text;
  };
  EXPECT_EQ(flag("203.0.113.7"), "00");
  settings.tracing.trust_parent = true;
  EXPECT_EQ(flag("203.0.113.7"), "01");
  EXPECT_EQ(flag("198.51.100.1"), "00");
}

TEST(Rehearsal, AnUpstreamMayHaveItsOwnName) {
  auto settings = testing::plain_settings();
  settings.upstreams.front().endpoints.push_back({"::1", 3000, {}, false, {}});
  settings.upstreams.front().preserve_host = false;
  const Rehearsed done(with_key("GET /x HTTP/1.1"), settings);
  EXPECT_THAT(done.changed(), Contains("Host rewritten: the upstream's own name"));
  const Rehearsed mixed("GET /open HTTP/1.1\r\nHost: A.example:80\r\n\r\n");
  EXPECT_THAT(mixed.changed(), ElementsAre("Host rewritten: in the one form that hosts have"));
}

TEST(Rehearsal, ABodyTooLargeIsRefusedAfterTheGrant) {
  auto settings = testing::plain_settings();
  settings.limits.body_bytes = 10;
  EXPECT_EQ(Rehearsed(with_key("POST /x HTTP/1.1", "Content-Length: 10\r\n"), settings).code(), "ok");
  EXPECT_EQ(Rehearsed(with_key("POST /x HTTP/1.1", "Content-Length: 11\r\n"), settings).code(), "body_too_large");
}

config::Settings random_settings(Random& random) {
  auto routes = policy::testing::random_routes(random, 8);
  for (auto& route : routes) {
    if (below(random, 3) == 0) continue;
    route.anonymous = false;
    route.optional = below(random, 3) == 0;
    auto& require = route.require.emplace();
    require.credentials = policy::testing::texts({"api_key"}, 1);
    require.all_scopes =
        policy::testing::texts(policy::testing::some_of<std::string>(random, {"a:read", "a:write", "root"}, 2), 1);
    if (below(random, 3) == 0)
      require.environment = policy::testing::text(one_of<std::string>(random, {"live", "test"}));
  }
  using policy::testing::scope;
  auto settings = policy::testing::settings_with(
      std::move(routes),
      {scope("a:read"), scope("a:write", {.implies = {"a:read"}}), scope("root", {.restricted = true})});
  return settings;
}

// Winner and decision are those of the route table and of decide, for whatever policy and request.
TEST(Rehearsal, DecidesAsTheDataPathDoes) {
  Random random(21);
  std::array<std::size_t, 40> reasons{};
  const std::size_t rounds = 800 / property_scale;
  for (std::size_t round = 0; round < rounds; ++round) {
    const auto snapshot = testing::snapshot_of(random_settings(random));
    for (int i = 0; i < 10; ++i) {
      auto asked = policy::testing::random_request(random);
      if (asked.host.empty()) asked.host = "none.example";
      std::string head =
          std::string(to_string(asked.method)) + ' ' + asked.target + " HTTP/1.1\r\nHost: " + asked.host + "\r\n";
      for (const auto& [name, value] : asked.headers) head += std::string(name) + ": " + std::string(value) + "\r\n";
      const bool has_key = below(random, 3) != 0;
      if (has_key) head += "x-api-key: " + std::string(key) + "\r\n";
      head += "\r\n";
      const policy::Principal principal{
          "key_1",
          "org_1",
          "",
          one_of<policy::Environment>(random, {policy::Environment::live, policy::Environment::test}),
          policy::testing::some_of<std::string>(random, {"a:read", "a:write", "*", "root"}, 2),
          {}};

      Rehearsal rehearsal(*snapshot, head, boost::asio::ip::make_address("127.0.0.1"));
      rehearsal.judge(answer_of(principal), testing::now);

      testing::HeadText text(head, snapshot->reserved);
      auto target = policy::RequestTarget::parse(text.head().target);
      const auto& path = std::get<policy::RequestTarget>(target);
      const policy::Route* const route =
          snapshot->policy->table.match({asked.host, asked.method, &path, text.head().headers()});
      const auto answer = answer_of(principal);
      const auto held = snapshot->policy->catalogue.expand(principal.granted);
      policy::Caller caller;
      if (has_key)
        caller = {policy::Caller::Found::answered, policy::CredentialKind::api_key, policy::Environment::none, &answer,
                  &held};
      const auto decision = policy::decide(*snapshot->policy, route, path, caller, testing::now);
      const auto* denial = std::get_if<policy::Denial>(&decision);
      const Reason expected = denial != nullptr ? denial->reason : Reason::ok;
      ASSERT_EQ(rehearsal.route(), route) << head;
      ASSERT_EQ(policy::row(rehearsal.reason()).code, policy::row(expected).code) << head;
      ++reasons[static_cast<std::size_t>(expected)];
    }
  }
  for (const auto each : {Reason::ok, Reason::no_route, Reason::insufficient_scope, Reason::missing_credential,
                          Reason::wrong_environment}) {
    EXPECT_GT(reasons[static_cast<std::size_t>(each)], rounds / 40) << policy::row(each).code;
  }
}

}  // namespace
}  // namespace keygate::proxy
