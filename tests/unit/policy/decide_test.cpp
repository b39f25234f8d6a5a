#include "policy/decide.hpp"

#include "tests/unit/policy/builders.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace keygate::policy {
namespace {

using testing::compiled;
using testing::keyed;
using testing::open_route;
using testing::RouteBuilder;
using testing::scope;
using testing::settings_with;
using testing::TargetText;

constexpr std::int64_t now = 1'700'000'000;

constexpr std::size_t app = 0;
constexpr std::size_t sandbox = 1;

std::shared_ptr<const Policy> the_policy() {
  auto settings = settings_with(
      {open_route("open", "/open").upstream("app"),
       RouteBuilder("read", "/read").all({"projects:read"}).upstream("app"),
       RouteBuilder("both", "/both").all({"projects:read", "projects:write"}).upstream("app"),
       RouteBuilder("either", "/either").any({"billing", "projects:write"}).upstream("app"),
       RouteBuilder("mixed", "/mixed").all({"projects:read"}).any({"billing", "admin"}).upstream("app"),
       RouteBuilder("maybe", "/maybe").all({"projects:read"}).optional().upstream("app"),
       keyed("organization", "/o/{org}/x").organization("{org}").upstream("app"),
       keyed("live", "/live").environment("live").upstream("app"),
       keyed("maybe-live", "/maybe-live").environment("live").optional().upstream("app"),
       keyed("partners", "/partners").client_subjects({"CN=a,O=Acme", "CN=b"}).upstream("app"),
       keyed("maybe-partners", "/maybe-partners").client_subjects({"CN=b"}).optional().upstream("app"),
       keyed("map", "/map").live("app").test("sandbox"), keyed("sandbox-only", "/sandbox").test("sandbox")},
      {scope("projects:read"), scope("projects:write"), scope("projects:readwrite"), scope("billing"),
       scope("admin", {.restricted = true})});
  settings.upstreams.emplace_back().name = "sandbox";
  auto& tls = settings.listeners.emplace_back().tls.emplace();
  tls.client_certificate = config::ClientCertificate::optional;
  return compiled(settings);
}

// A request whose key is valid and may do everything, until a test says otherwise.
class Deciding : public ::testing::Test {
 protected:
  Deciding() {
    caller.found = Caller::Found::answered;
    caller.kind = CredentialKind::api_key;
    answer.state = KeyAnswer::State::valid;
    answer.principal.key_id = "key_1";
    answer.principal.organization = "org_1";
    answer.principal.user = "user_1";
    grant({"*", "admin"});
  }

  void grant(std::vector<std::string> scopes) {
    answer.principal.granted = std::move(scopes);
    held = policy->catalogue.expand(answer.principal.granted);
  }

  Decision decision(const std::string& path) {
    text.emplace(path);
    caller.answer = &answer;
    caller.held = &held;
    const Route* route = policy->table.match({"", Method::get, text->target(), {}});
    return decide(*policy, route, *text->target(), caller, now);
  }

  // The code of the table: "ok" for a grant.
  std::string code(const std::string& path) {
    const auto result = decision(path);
    const auto* denial = std::get_if<Denial>(&result);
    return std::string(row(denial == nullptr ? Reason::ok : denial->reason).code);
  }

  std::size_t upstream(const std::string& path) {
    const auto result = decision(path);
    const auto* grant = std::get_if<Grant>(&result);
    return grant == nullptr ? no_upstream : grant->upstream();
  }

  std::shared_ptr<const Policy> policy = the_policy();
  Caller caller;
  KeyAnswer answer;
  Held held;
  std::optional<TargetText> text;
};

TEST_F(Deciding, NoRouteIsADenial) {
  const auto result = decision("/nowhere");
  EXPECT_EQ(std::get<Denial>(result).reason, Reason::no_route);
  EXPECT_EQ(std::get<Denial>(result).route, nullptr);
}

TEST_F(Deciding, NoRouteIsNotFoundWhereThePolicyAsksForThat) {
  Policy other;
  other.unmatched_is_404 = true;
  const TargetText target("/nowhere");
  EXPECT_EQ(std::get<Denial>(decide(other, nullptr, *target.target(), caller, now)).reason, Reason::no_route_as_404);
}

TEST_F(Deciding, AGrantCarriesWhatWasJudged) {
  answer.principal.environment = Environment::test;
  const auto result = decision("/map");
  const auto& grant = std::get<Grant>(result);
  EXPECT_EQ(grant.route().name, "map");
  EXPECT_EQ(grant.kind(), CredentialKind::api_key);
  EXPECT_EQ(grant.principal(), &answer.principal);
  EXPECT_EQ(grant.held(), &held);
  EXPECT_EQ(grant.upstream(), sandbox);
  EXPECT_EQ(grant.environment(), Environment::test);
}

TEST_F(Deciding, ADenialNamesItsRoute) {
  grant({});
  const auto result = decision("/read");
  EXPECT_EQ(std::get<Denial>(result).reason, Reason::insufficient_scope);
  EXPECT_EQ(std::get<Denial>(result).route->name, "read");
}

TEST_F(Deciding, AnAnonymousRouteLooksAtNoCredential) {
  for (const auto found : {Caller::Found::not_looked, Caller::Found::nothing, Caller::Found::ambiguous,
                           Caller::Found::malformed, Caller::Found::could_not_find_out, Caller::Found::answered}) {
    caller.found = found;
    const auto result = decision("/open");
    ASSERT_TRUE(std::holds_alternative<Grant>(result));
    const auto& grant = std::get<Grant>(result);
    EXPECT_EQ(grant.kind(), CredentialKind::none);
    EXPECT_EQ(grant.principal(), nullptr);
    EXPECT_EQ(grant.held(), nullptr);
    EXPECT_EQ(grant.upstream(), app);
    EXPECT_EQ(grant.environment(), Environment::none);
  }
}

TEST_F(Deciding, EveryFindingHasItsReason) {
  const std::vector<std::pair<Caller::Found, std::string>> rows{
      {Caller::Found::not_looked, "missing_credential"},
      {Caller::Found::nothing, "missing_credential"},
      {Caller::Found::ambiguous, "ambiguous_credential"},
      {Caller::Found::malformed, "malformed_key"},
      {Caller::Found::could_not_find_out, "key_service_unavailable"},
      {Caller::Found::answered, "ok"}};
  for (const auto& [found, expected] : rows) {
    caller.found = found;
    EXPECT_EQ(code("/read"), expected);
  }
}

TEST_F(Deciding, EveryStateOfAKeyHasItsReason) {
  const std::vector<std::pair<KeyAnswer::State, std::string>> rows{{KeyAnswer::State::valid, "ok"},
                                                                   {KeyAnswer::State::unknown, "invalid_key"},
                                                                   {KeyAnswer::State::revoked, "revoked_key"},
                                                                   {KeyAnswer::State::disabled, "disabled_key"},
                                                                   {KeyAnswer::State::expired, "expired_key"}};
  for (const auto& [state, expected] : rows) {
    answer.state = state;
    EXPECT_EQ(code("/read"), expected);
    EXPECT_EQ(code("/maybe"), expected);
  }
}

TEST_F(Deciding, AnAnswerThatIsNotValidNeedsNoPrincipal) {
  answer = KeyAnswer{};
  EXPECT_EQ(code("/read"), "invalid_key");
  answer.state = KeyAnswer::State::revoked;
  answer.principal.environment = Environment::test;
  caller.prefix_environment = Environment::live;
  EXPECT_EQ(code("/read"), "revoked_key");
}

TEST_F(Deciding, AnOptionalCredentialMayBeMissingButNotWrong) {
  caller.found = Caller::Found::nothing;
  const auto result = decision("/maybe");
  ASSERT_TRUE(std::holds_alternative<Grant>(result));
  EXPECT_EQ(std::get<Grant>(result).kind(), CredentialKind::none);
  EXPECT_EQ(std::get<Grant>(result).principal(), nullptr);

  caller.found = Caller::Found::malformed;
  EXPECT_EQ(code("/maybe"), "malformed_key");
  caller.found = Caller::Found::ambiguous;
  EXPECT_EQ(code("/maybe"), "ambiguous_credential");
  caller.found = Caller::Found::could_not_find_out;
  EXPECT_EQ(code("/maybe"), "key_service_unavailable");
  caller.found = Caller::Found::not_looked;  // not to have looked is not to have found nothing
  EXPECT_EQ(code("/maybe"), "missing_credential");
  caller.found = Caller::Found::answered;
  grant({});
  EXPECT_EQ(code("/maybe"), "insufficient_scope");
}

TEST_F(Deciding, ExpiresToTheSecond) {
  answer.principal.expires_at = now + 1;
  EXPECT_EQ(code("/read"), "ok");
  answer.principal.expires_at = now;
  EXPECT_EQ(code("/read"), "expired_key");
  answer.principal.expires_at = now - 1;
  EXPECT_EQ(code("/read"), "expired_key");
  answer.principal.expires_at = 0;
  EXPECT_EQ(code("/read"), "expired_key");
}

TEST_F(Deciding, AKindThatTheRouteDoesNotNameIsNotAccepted) {
  for (const auto kind : {CredentialKind::none, CredentialKind::session, CredentialKind::admin}) {
    caller.kind = kind;
    EXPECT_EQ(code("/read"), "credential_not_accepted");
  }
}

TEST_F(Deciding, ACertificateIsOneOfThoseThatTheRouteNamesToTheLetter) {
  for (const char* const subject : {"CN=a,O=Acme", "CN=b"}) {
    caller.client_subject = subject;
    EXPECT_EQ(code("/partners"), "ok") << subject;
  }
  for (const char* const subject :
       {"", "CN=a", "CN=B", "cn=b", "CN=b ", " CN=b", "CN=b,O=Acme", "CN=a,O=Acme,CN=b", "*"}) {
    caller.client_subject = subject;
    EXPECT_EQ(code("/partners"), "certificate_not_accepted") << subject;
    EXPECT_EQ(code("/read"), "ok") << subject;
  }
}

TEST_F(Deciding, ACertificateIsNeededOfWhoPassesWithoutAKeyToo) {
  caller.found = Caller::Found::nothing;
  EXPECT_EQ(code("/maybe-partners"), "certificate_not_accepted");
  caller.client_subject = "CN=b";
  EXPECT_EQ(code("/maybe-partners"), "ok");
  caller.found = Caller::Found::malformed;
  EXPECT_EQ(code("/maybe-partners"), "malformed_key");
}

struct EnvironmentRow {
  std::string name;
  std::string path;
  Environment prefix;
  Environment said;
  std::string expected;
  std::size_t upstream = no_upstream;
};

class DecidingEnvironment : public Deciding, public ::testing::WithParamInterface<EnvironmentRow> {};

TEST_P(DecidingEnvironment, C13FollowsThePrefixThenTheService) {
  caller.prefix_environment = GetParam().prefix;
  answer.principal.environment = GetParam().said;
  EXPECT_EQ(code(GetParam().path), GetParam().expected);
  EXPECT_EQ(upstream(GetParam().path), GetParam().upstream);
}

using enum Environment;

INSTANTIATE_TEST_SUITE_P(
    Rows, DecidingEnvironment,
    ::testing::Values(
        EnvironmentRow{"nobody_says_and_nobody_asks", "/read", none, none, "ok", app},
        EnvironmentRow{"nobody_says_to_a_live_route", "/live", none, none, "wrong_environment"},
        EnvironmentRow{"nobody_says_to_a_map", "/map", none, none, "wrong_environment"},
        EnvironmentRow{"prefix_live", "/map", live, none, "ok", app},
        EnvironmentRow{"prefix_test", "/map", test, none, "ok", sandbox},
        EnvironmentRow{"service_live", "/map", none, live, "ok", app},
        EnvironmentRow{"service_test", "/map", none, test, "ok", sandbox},
        EnvironmentRow{"both_agree", "/map", test, test, "ok", sandbox},
        EnvironmentRow{"service_contradicts_test", "/map", test, live, "key_service_unavailable"},
        EnvironmentRow{"service_contradicts_live", "/map", live, test, "key_service_unavailable"},
        EnvironmentRow{"contradiction_where_nobody_asks", "/read", test, live, "key_service_unavailable"},
        EnvironmentRow{"test_key_to_a_live_route", "/live", test, none, "wrong_environment"},
        EnvironmentRow{"live_key_to_a_live_route", "/live", live, live, "ok", app},
        EnvironmentRow{"live_key_where_only_test_goes", "/sandbox", live, live, "wrong_environment"},
        EnvironmentRow{"test_key_to_an_optional_live_route", "/maybe-live", none, test, "wrong_environment"},
        EnvironmentRow{"unknown_to_an_optional_live_route", "/maybe-live", none, none, "wrong_environment"},
        EnvironmentRow{"live_key_to_an_optional_live_route", "/maybe-live", none, live, "ok", app}),
    [](const auto& row) { return row.param.name; });

TEST_F(Deciding, ARequestWithoutACredentialPassesAnOptionalLiveRoute) {
  caller.found = Caller::Found::nothing;
  EXPECT_EQ(upstream("/maybe-live"), app);
}

struct OrganizationRow {
  std::string name;
  std::string path;
  std::string organization;
  std::string expected;
};

class DecidingOrganization : public Deciding, public ::testing::WithParamInterface<OrganizationRow> {};

TEST_P(DecidingOrganization, IsTheOneInThePath) {
  answer.principal.organization = GetParam().organization;
  EXPECT_EQ(code(GetParam().path), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, DecidingOrganization,
    ::testing::Values(OrganizationRow{"same", "/o/org_1/x", "org_1", "ok"},
                      OrganizationRow{"other", "/o/org_2/x", "org_1", "wrong_organization"},
                      OrganizationRow{"prefix_of_the_path", "/o/org_12/x", "org_1", "wrong_organization"},
                      OrganizationRow{"path_is_a_prefix", "/o/org_/x", "org_1", "wrong_organization"},
                      OrganizationRow{"other_case", "/o/ORG_1/x", "org_1", "wrong_organization"},
                      OrganizationRow{"escaped_letter", "/o/%6frg_1/x", "org_1", "ok"},
                      OrganizationRow{"escaped_colon", "/o/org%3A1/x", "org:1", "ok"},
                      OrganizationRow{"plain_colon", "/o/org:1/x", "org:1", "ok"},
                      OrganizationRow{"escaped_pipe", "/o/a%7cb/x", "a|b", "ok"},
                      OrganizationRow{"escape_is_not_its_digits", "/o/a%7cb/x", "a7Cb", "wrong_organization"},
                      OrganizationRow{"nothing", "/o/org_1/x", "", "wrong_organization"},
                      OrganizationRow{"trailing_slash", "/o/org_1/x/", "org_1", "ok"},
                      OrganizationRow{"query_does_not_count", "/o/org_2/x?/o/org_1/x", "org_1", "wrong_organization"}),
    [](const auto& row) { return row.param.name; });

TEST_F(Deciding, AnEmptyOrganizationIsNobodysNotEvenAnEmptySegments) {
  Route route;
  route.upstream.fill(app);
  route.organization_segment = 7;  // past the end of the path, where segments are empty
  const TargetText target("/o");
  answer.principal.organization = "";
  caller.answer = &answer;
  caller.held = &held;
  EXPECT_EQ(std::get<Denial>(decide(*policy, &route, *target.target(), caller, now)).reason,
            Reason::wrong_organization);
}

struct ScopeRow {
  std::string name;
  std::string path;
  std::vector<std::string> granted;
  std::string expected;
};

class DecidingScopes : public Deciding, public ::testing::WithParamInterface<ScopeRow> {};

TEST_P(DecidingScopes, C14AreAllOfAllAndOneOfAny) {
  grant(GetParam().granted);
  EXPECT_EQ(code(GetParam().path), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, DecidingScopes,
    ::testing::Values(ScopeRow{"exact", "/read", {"projects:read"}, "ok"},
                      ScopeRow{"longer_name_is_another", "/read", {"projects:readwrite"}, "insufficient_scope"},
                      ScopeRow{"none", "/read", {}, "insufficient_scope"},
                      ScopeRow{"admin_implies_nothing_unwritten", "/read", {"admin"}, "insufficient_scope"},
                      ScopeRow{"resource_wildcard", "/both", {"projects:*"}, "ok"},
                      ScopeRow{"one_of_two", "/both", {"projects:read"}, "insufficient_scope"},
                      ScopeRow{"either_first", "/either", {"billing"}, "ok"},
                      ScopeRow{"either_second", "/either", {"projects:write"}, "ok"},
                      ScopeRow{"neither", "/either", {"projects:read"}, "insufficient_scope"},
                      ScopeRow{"mixed_without_any", "/mixed", {"projects:read"}, "insufficient_scope"},
                      ScopeRow{"mixed_without_all", "/mixed", {"billing"}, "insufficient_scope"},
                      ScopeRow{"mixed", "/mixed", {"projects:read", "billing"}, "ok"},
                      ScopeRow{"unlisted_counts_for_nothing", "/read", {"projects:gone"}, "insufficient_scope"}),
    [](const auto& row) { return row.param.name; });

TEST_F(Deciding, C01TheSamePrincipalIsJudgedAnewForEachRoute) {
  grant({"projects:read"});
  EXPECT_EQ(code("/read"), "ok");
  EXPECT_EQ(code("/both"), "insufficient_scope");
  EXPECT_EQ(code("/read"), "ok");
}

TEST_F(Deciding, H10AnIdentityThatIsNoHeaderValueIsNotBelieved) {
  answer.principal.organization = "o\r\nX-Admin: 1";
  EXPECT_EQ(code("/read"), "key_service_unavailable");
  answer.principal.organization = "\xc3\xa9";
  EXPECT_EQ(code("/read"), "key_service_unavailable");
  answer.principal.organization = std::string(70'000, 'o');
  EXPECT_EQ(code("/read"), "key_service_unavailable");
  answer.principal.organization = "org_1";
  answer.principal.key_id = "";
  EXPECT_EQ(code("/read"), "key_service_unavailable");
}

TEST_F(Deciding, AnAnswerThatIsNotThereIsNotAGrant) {
  const TargetText target("/read");
  const Route* route = policy->table.match({"", Method::get, target.target(), {}});
  caller.answer = nullptr;
  caller.held = &held;
  EXPECT_EQ(std::get<Denial>(decide(*policy, route, *target.target(), caller, now)).reason,
            Reason::key_service_unavailable);
  caller.answer = &answer;
  caller.held = nullptr;
  EXPECT_EQ(std::get<Denial>(decide(*policy, route, *target.target(), caller, now)).reason,
            Reason::key_service_unavailable);
}

// Everything is wrong at once; each step mends what came first.
TEST_F(Deciding, JudgesInItsOrder) {
  caller.kind = CredentialKind::session;
  caller.prefix_environment = Environment::test;
  answer.principal.environment = Environment::live;
  answer.principal.expires_at = now;
  answer.principal.organization = "org_2";
  grant({});
  auto settings =
      settings_with({RouteBuilder("all", "/{org}").all({"projects:read"}).organization("{org}").environment("live")},
                    {scope("projects:read")});
  policy = compiled(settings);
  const std::string path = "/org_1";

  EXPECT_EQ(code(path), "key_service_unavailable");
  caller.prefix_environment = Environment::none;
  answer.principal.environment = Environment::test;
  EXPECT_EQ(code(path), "invalid_session");
  answer.principal.expires_at = now + 1;
  EXPECT_EQ(code(path), "credential_not_accepted");
  caller.kind = CredentialKind::api_key;
  EXPECT_EQ(code(path), "wrong_environment");
  answer.principal.environment = Environment::live;
  EXPECT_EQ(code(path), "wrong_organization");
  answer.principal.organization = "org_1";
  EXPECT_EQ(code(path), "insufficient_scope");
  grant({"projects:read"});
  EXPECT_EQ(code(path), "ok");
}

static_assert(!std::is_default_constructible_v<Grant>);
static_assert(!std::is_constructible_v<Grant, const Route&, std::size_t>);
static_assert(!std::is_constructible_v<Grant, const Route&, std::size_t, const Caller&, Environment>);

}  // namespace
}  // namespace keygate::policy
