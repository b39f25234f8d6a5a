// The likely mistakes and, to the letter, what each is answered with: the messages are part of what users rely on.
#include "tests/unit/config/loading.hpp"

#include <gmock/gmock.h>

namespace keygate::config {
namespace {

struct Mistake {
  std::string name;
  std::string yaml;
  std::vector<std::string> answer;  // after "conf/keygate.yaml:"
};

class Mistakes : public testing::TestWithParam<Mistake> {};

TEST_P(Mistakes, AreAnsweredWithPlacePathAndHint) {
  std::vector<std::string> expected;
  for (const auto& line : GetParam().answer) expected.push_back("conf/keygate.yaml:" + line);
  EXPECT_THAT(faults_in(GetParam().yaml), testing::ElementsAreArray(expected));
}

const std::vector<Mistake> mistakes{
    Mistake{"AMisspeltSection",
            three_lines + "limit: {header_count: 10}\n",
            {"4:1: unknown key \"limit\"; did you mean \"limits\"?"}},
    Mistake{"AMisspeltKeyDeepInside",
            three_lines + "limits:\n"
                          "  header_byte: 8KiB\n",
            {"5:3: limits: unknown key \"header_byte\"; did you mean \"header_bytes\"?"}},
    Mistake{"AKeyOfAnotherPlace", three_lines + "hosts: [a]\n", {"4:1: unknown key \"hosts\""}},
    Mistake{
        "ADurationWithoutUnit",
        three_lines + "limits: {header_timeout: 10}\n",
        {"4:26: limits.header_timeout: needs a duration from 10ms to 60m, not \"10\"; add the unit: 10ms, 10s or 10m"}},
    Mistake{"ADurationOutOfRange",
            "upstream: http://a\n"
            "policy: {routes: [{name: a, match: {path: /}, anonymous: true}]}\n"
            "resolution: {staleness_bound: 500ms, store: {path: k}}\n",
            {"3:31: resolution.staleness_bound: needs a duration from 1s to 24h, not \"500ms\""}},
    Mistake{"ASizeInDecimalUnits",
            three_lines + "limits: {header_bytes: 64KB}\n",
            {"4:24: limits.header_bytes: needs a size from 4KiB to 256KiB, not \"64KB\"; sizes are written 4096, "
             "64KiB, 1MiB, 2GiB"}},
    Mistake{"ASizeOutOfRange",
            three_lines + "limits: {header_bytes: 1MiB}\n",
            {"4:24: limits.header_bytes: needs a size from 4KiB to 256KiB, not \"1MiB\""}},
    Mistake{"YesForTrue",
            three_lines + "credentials: {forward: yes}\n",
            {"4:24: credentials.forward: needs true or false, not \"yes\""}},
    Mistake{"QuotedTrue",
            three_lines + "credentials: {forward: \"true\"}\n",
            {"4:24: credentials.forward: needs true or false, not quoted text; write true without quotes"}},
    Mistake{"QuotedNumber",
            three_lines + "threads: \"4\"\n",
            {"4:10: threads: needs a whole number from 0 to 256, not quoted text; write 4 without quotes"}},
    Mistake{"Octal", three_lines + "threads: 010\n", {"4:10: threads: \"010\" looks like an octal number; write 10"}},
    Mistake{"OctalWithControls",
            three_lines + "threads: \"010\\e[31m\"\n",
            {"4:10: threads: needs a whole number from 0 to 256, not quoted text"}},
    Mistake{"OctalOverLines",
            three_lines + "threads: 010\n\n 1\n",
            {"4:10: threads: needs a whole number from 0 to 256, not \"010?1\""}},
    Mistake{"OctalDuration",
            three_lines + "limits: {drain_delay: 02s}\n",
            {"4:23: limits.drain_delay: \"02s\" looks like an octal number; write 2s"}},
    Mistake{
        "Hex", three_lines + "threads: 0x10\n", {"4:10: threads: needs a whole number from 0 to 256, not \"0x10\""}},
    Mistake{
        "Negative", three_lines + "threads: -1\n", {"4:10: threads: needs a whole number from 0 to 256, not \"-1\""}},
    Mistake{
        "Fraction", three_lines + "threads: 1.5\n", {"4:10: threads: needs a whole number from 0 to 256, not \"1.5\""}},
    Mistake{"EmptyValue",
            three_lines + "log:\n"
                          "  level:\n"
                          "  format: json\n",
            {"5:3: log.level: needs debug, info, warn or error, but is empty"}},
    Mistake{"EmptySection", three_lines + "limits:\n", {"4:1: limits: needs a map, but is empty"}},
    Mistake{"UnknownWord",
            three_lines + "log: {level: warning}\n",
            {"4:14: log.level: needs debug, info, warn or error, not \"warning\""}},
    Mistake{"WordInCapitals",
            three_lines + "log: {level: INFO}\n",
            {"4:14: log.level: needs debug, info, warn or error, not \"INFO\"; did you mean \"info\"?"}},
    Mistake{"FarWord", three_lines + "log: {format: xml}\n", {"4:15: log.format: needs json or text, not \"xml\""}},
    Mistake{"ListWhereMap", three_lines + "log: [info]\n", {"4:6: log: needs a map, not a list; write {level: ...}"}},
    Mistake{"ScalarWhereList",
            three_lines + "trusted_proxies: 10.0.0.0/8\n",
            {"4:18: trusted_proxies: needs a list, not \"10.0.0.0/8\"; put it in brackets"}},
    Mistake{"EmptyList", three_lines + "trusted_proxies: []\n", {"4:18: trusted_proxies: the list is empty"}},
    Mistake{
        "CidrBits",
        three_lines + "trusted_proxies: [10.1.0.0/8]\n",
        {"4:19: trusted_proxies[0]: \"10.1.0.0/8\" has bits set past its prefix; write 10.0.0.0/8, or 10.1.0.0 alone"}},
    Mistake{"PortOnly",
            three_lines + "listen: 8080\n",
            {"4:9: listen: \"8080\" has no host; write 127.0.0.1:8080 or 0.0.0.0:8080"}},
    Mistake{"HostName",
            three_lines + "listen: example.com:8080\n",
            {"4:9: listen: \"example.com\" is not a numeric address; write host:port, such as 127.0.0.1:8080 or "
             "[::1]:8080"}},
    Mistake{"V6WithoutBrackets",
            three_lines + "listen: ::1:8080\n",
            {"4:9: listen: \"::1:8080\" has no port; an IPv6 address has brackets: [::1]:8080"}},
    Mistake{"AddressTwice",
            three_lines + "listeners:\n"
                          "  - address: 127.0.0.1:8080\n"
                          "  - address: localhost:8080\n",
            {"6:14: \"127.0.0.1:8080\" is listened on twice; the first is on line 5"}},
    Mistake{"HealthOnListener",
            three_lines + "health: {address: 127.0.0.1:8080}\n",
            {"4:19: \"127.0.0.1:8080\" is listened on twice; it is where clients connect unless \"listen\" says "
             "otherwise"}},
    Mistake{
        "ListenerWithoutAddress", three_lines + "listeners: [{}]\n", {"4:13: listeners[0]: \"address\" is missing"}},
    Mistake{"SourceTwice",
            three_lines + "credentials: {sources: [bearer, {header: X-Api-Key}, {header: x_api_key}]}\n",
            {"4:54: credentials.sources: the source \"x_api_key\" is named twice"}},
    Mistake{"SourceMisspelt",
            three_lines + "credentials: {sources: baerer}\n",
            {"4:24: credentials.sources: needs bearer, {header: NAME}, {query: NAME} or {cookie: NAME}, not "
             "\"baerer\"; did you mean \"bearer\"?"}},
    Mistake{"TwoInOneSource",
            three_lines + "credentials: {sources: [{header: a, query: b}]}\n",
            {"4:25: credentials.sources[0]: needs exactly one of header, query and cookie"}},
    Mistake{"AuthorizationAsHeader",
            three_lines + "credentials: {sources: [{header: Authorization}]}\n",
            {"4:34: credentials.sources[0].header: \"Authorization\" is read by the source \"bearer\"; write bearer"}},
    Mistake{
        "CookieAsHeader",
        three_lines + "credentials: {sources: [{header: Cookie}]}\n",
        {"4:34: credentials.sources[0].header: \"Cookie\" cannot carry a credential as a whole; write {cookie: NAME}"}},
    Mistake{"HostAsSource",
            three_lines + "credentials: {sources: [{header: Host}]}\n",
            {"4:34: credentials.sources[0].header: \"Host\" has a meaning of its own and cannot carry a credential; "
             "choose another name"}},
    Mistake{"QueryName",
            three_lines + "credentials: {sources: [{query: \"api key\"}]}\n",
            {"4:33: credentials.sources[0].query: \"api key\" is no name for a query parameter; letters, digits, -, ., "
             "_ and ~ will do"}},
    Mistake{"PrefixTwice",
            three_lines + "credentials:\n"
                          "  formats:\n"
                          "    - {prefix: rk_}\n"
                          "    - {prefix: rk_, environment: test}\n",
            {"7:7: credentials.formats: the prefix \"rk_\" is named twice; the first is on line 6"}},
    Mistake{"FormatEnvironment",
            three_lines + "credentials: {formats: [{prefix: rk_, environment: prod}]}\n",
            {"4:52: credentials.formats[0].environment: needs live or test, not \"prod\""}},
    Mistake{"ShortLength",
            three_lines + "credentials: {formats: [{prefix: rk_, length: 12}]}\n",
            {"4:47: credentials.formats[0].length: needs a whole number from 20 to 256, not \"12\""}},
    Mistake{"LengthNotBeyondPrefix",
            three_lines + "credentials: {formats: [{prefix: abcdefghijklmnopqrstuvwxyz, length: 20}]}\n",
            {"4:70: credentials.formats[0].length: a key of 20 characters is no longer than its prefix"}},
    Mistake{"IdentityHeaderTwice",
            three_lines + "identity_headers: {user: x_org.id}\n",
            {"4:26: identity_headers.user: \"x_org.id\" is the header of \"organization\" too"}},
    Mistake{"IdentityHeaderOccupied",
            three_lines + "identity_headers: {user: X-Forwarded-User}\n",
            {"4:26: identity_headers.user: \"X-Forwarded-User\" has a meaning of its own and cannot carry an identity; "
             "choose another name"}},
    Mistake{"IdentityHeaderEmpty",
            three_lines + "identity_headers: {user: \"\"}\n",
            {"4:26: identity_headers.user: needs a header name, or null to leave the header out, but is empty"}},
    Mistake{"IdentityIsSource",
            three_lines + "identity_headers: {user: X-Api-Key}\n",
            {"4:19: identity_headers: the header \"x-api-key\" carries a credential and the identity of the user"}},
    Mistake{"UnsetVariable",
            three_lines + "threads: ${THREADS_UNSET}\n",
            {"4:10: threads: the environment variable THREADS_UNSET is not set; set it, or write "
             "${THREADS_UNSET:-default}"}},
    Mistake{"Dollar",
            three_lines + "identity_headers: {user: X-$USER}\n",
            {"4:26: identity_headers.user: a single dollar stands here; write $$ for a dollar, ${NAME} for a "
             "variable"}},
    Mistake{"UpstreamHttpsWithPath",
            "upstream: https://127.0.0.1:3000/\n"
            "policy: {routes: [{name: all, match: {path: '/{rest...}'}, anonymous: true}]}\n"
            "resolution: {store: {path: keygate.db}}\n",
            {"1:11: upstream: an endpoint has no path; write https://127.0.0.1:3000"}},
    Mistake{"UpstreamWithPath",
            "upstream: http://127.0.0.1:3000/api\n"
            "policy: {routes: [{name: all, match: {path: '/{rest...}'}, anonymous: true}]}\n"
            "resolution: {store: {path: keygate.db}}\n",
            {"1:11: upstream: an endpoint has no path; write http://127.0.0.1:3000"}},
    Mistake{"UpstreamWithoutScheme",
            "upstream: 127.0.0.1:3000\n"
            "policy: {routes: [{name: all, match: {path: '/{rest...}'}, anonymous: true}]}\n"
            "resolution: {store: {path: keygate.db}}\n",
            {"1:11: upstream: \"127.0.0.1:3000\" is not an http:// address; write http://host:port, such as "
             "http://127.0.0.1:3000"}},
    Mistake{"DefaultTwice",
            three_lines + "upstreams: {default: {endpoints: [http://a]}}\n",
            {"1:11: upstream: there is an upstream called \"default\" already; \"upstream\" is short for it; write one "
             "of both"}},
    Mistake{"OneEndpointTwice",
            three_lines + "upstreams: {app: {endpoints: [http://a, http://a]}}\n",
            {"4:41: upstreams.app.endpoints: this endpoint stands in the list twice; write it once: each has the same "
             "share"}},
    Mistake{"HealthCheckWithoutPath",
            three_lines + "upstreams: {app: {endpoints: [http://a], health_check: {interval: 5s}}}\n",
            {"4:56: upstreams.app.health_check: \"path\" is missing"}},
    Mistake{"UpstreamName",
            three_lines + "upstreams: {\"my app\": {endpoints: [http://a]}}\n",
            {"4:13: upstreams: \"my app\" is no name for an upstream; letters, digits, _ and - will do"}},
    Mistake{"Retries",
            three_lines + "upstreams: {app: {endpoints: [http://a], retries: {attempts: 6}}}\n",
            {"4:62: upstreams.app.retries.attempts: needs a whole number from 0 to 5, not \"6\""}},
    Mistake{"Version", three_lines + "version: 2\n", {"4:10: version: needs the number 1, not \"2\""}},
    Mistake{"QuotedVersion",
            three_lines + "version: \"1\"\n",
            {"4:10: version: needs the number 1, not quoted text; write 1 without quotes"}},
    Mistake{"NothingButVersion",
            "version: 1\n",
            {"1:1: \"policy\" is missing; write policy: policy.yaml, or the policy itself",
             "1:1: \"resolution\" is missing; write resolution: {store: {path: keygate.db}}",
             "1:1: \"upstream\" is missing; write upstream: http://127.0.0.1:3000"}},
    Mistake{"NoStore",
            "upstream: http://127.0.0.1:3000\n"
            "policy: {routes: [{name: all, match: {path: '/{rest...}'}, anonymous: true}]}\n"
            "resolution: {staleness_bound: 60s}\n",
            {"3:13: resolution: who knows the keys is missing; write store: {path: keygate.db} for the embedded store, "
             "or service: {url: https://...}"}},
    Mistake{"MissingPolicyFile",
            "upstream: http://127.0.0.1:3000\n"
            "policy: nowhere.yaml\n"
            "resolution: {store: {path: keygate.db}}\n",
            {"2:9: policy: \"conf/nowhere.yaml\" cannot be read: No such file or directory"}},
    Mistake{"EmptyPolicy", policy_follows + "  {}\n", {"4:3: policy: \"routes\" is missing"}},
    Mistake{"NoPolicy", policy_follows, {"3:1: policy: needs a file name, or the policy itself, but is empty"}},
    Mistake{"PolicyList",
            policy_follows + "  - name: a\n",
            {"4:3: policy: needs a file name, or the policy itself, not a list"}},
    Mistake{"EmptyRoutes", policy_follows + "  routes: []\n", {"4:11: policy.routes: the list is empty"}},
    Mistake{"RouteWithoutName",
            policy_follows + "  routes:\n"
                             "    - match: {path: /}\n"
                             "      anonymous: true\n",
            {"5:7: policy.routes[0]: \"name\" is missing"}},
    Mistake{"RouteWithoutPath",
            policy_follows + "  routes:\n"
                             "    - name: a\n"
                             "      match: {methods: GET}\n",
            {"6:14: policy.routes[0].match: \"path\" is missing"}},
    Mistake{"RouteWithoutMatch",
            policy_follows + "  routes:\n"
                             "    - name: a\n"
                             "      path: /\n",
            {"5:7: policy.routes[0]: \"match\" is missing",
             "6:7: policy.routes[0]: unknown key \"path\"; it belongs under match: match: {path: ...}"}},
    Mistake{"ScopeForScopes",
            policy_follows + "  routes:\n"
                             "    - name: a\n"
                             "      match: {path: /}\n"
                             "      require: {scope: a}\n",
            {"7:17: policy.routes[0].require: unknown key \"scope\"; did you mean \"scopes\"?"}},
    Mistake{"ListOfScopes",
            policy_follows + "  routes:\n"
                             "    - name: a\n"
                             "      match: {path: /}\n"
                             "      require: {scopes: [a, b]}\n",
            {"7:25: policy.routes[0].require.scopes: needs a scope, {all: [...]} or {any: [...]}, not a list; a list "
             "alone does not say whether all or any of it is needed"}},
    Mistake{"EmptyAny",
            policy_follows + "  routes:\n"
                             "    - name: a\n"
                             "      match: {path: /}\n"
                             "      require: {scopes: {any: []}}\n",
            {"7:31: policy.routes[0].require.scopes.any: the list is empty"}},
    Mistake{"EmptyScopesMap",
            policy_follows + "  routes:\n"
                             "    - name: a\n"
                             "      match: {path: /}\n"
                             "      require: {scopes: {}}\n",
            {"7:25: policy.routes[0].require.scopes: the map is empty; write {all: [...]} or {any: [...]}"}},
    Mistake{"KindOfCredential",
            policy_follows + "  routes:\n"
                             "    - name: a\n"
                             "      match: {path: /}\n"
                             "      require: {credentials: apikey}\n",
            {"7:30: policy.routes[0].require.credentials: needs api_key, session or admin, not \"apikey\"; did you "
             "mean \"api_key\"?"}},
    Mistake{"Unmatched",
            policy_follows + "  unmatched: 403\n"
                             "  routes: [{name: a, match: {path: /}}]\n",
            {"4:14: policy.unmatched: needs the number 404, not \"403\""}},
    Mistake{"ScopeWithoutDescription",
            policy_follows + "  scopes:\n"
                             "    a:read:\n"
                             "  routes: [{name: a, match: {path: /}}]\n",
            {"5:5: policy.scopes[\"a:read\"]: needs a description, or a map, but is empty"}},
    Mistake{"Paths",
            three_lines + "paths: {encoded_slash: opaqe, repeated_slashes: resolve, dot_segment: resolve}\n",
            {"4:24: paths.encoded_slash: needs reject or opaque, not \"opaqe\"; did you mean \"opaque\"?",
             "4:49: paths.repeated_slashes: needs reject or merge, not \"resolve\"",
             "4:58: paths: unknown key \"dot_segment\"; did you mean \"dot_segments\"?"}},
    Mistake{"Balance",
            three_lines + "upstreams: {app: {endpoints: [http://a], balance: least_request}}\n",
            {"4:51: upstreams.app.balance: needs round_robin or least_requests, not \"least_request\"; did you mean "
             "\"least_requests\"?"}},
    Mistake{"Tracing",
            three_lines + "tracing: {otlp_endpoint: localhost:4317}\n",
            {"4:26: tracing.otlp_endpoint: this is no http:// or https:// URL; write "
             "http://127.0.0.1:4318"}},
    Mistake{"Perip",
            three_lines + "limits: {connections_per_ip: -5}\n",
            {"4:30: limits.connections_per_ip: needs a whole number from 0 to 1000000, not \"-5\""}},
    Mistake{"Newline",
            three_lines + "identity_headers: {user: \"a\\nb\"}\n",
            {"4:26: identity_headers.user: a line break or control character stands in it"}},
    Mistake{"Template",
            three_lines + "threads: {{ threads }}\n",
            {"4:11: threads: a key must be a word; quote text that begins with { or [, and close every bracket"}},
    Mistake{"Unlimited",
            three_lines + "limits: {body_bytes: none}\n",
            {"4:22: limits.body_bytes: needs a size, or the word unlimited, not \"none\"; sizes are written 4096, "
             "64KiB, 1MiB, 2GiB"}},
};

INSTANTIATE_TEST_SUITE_P(Table, Mistakes, testing::ValuesIn(mistakes), [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace keygate::config
