// TLS sessions that are resumed, by `openssl s_client`: by which workers, for how long, as whom, and when not.
#include "tests/support/tls_client.hpp"
#include "tests/support/tls_scenario.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <signal.h>

namespace keygate::test {
namespace {

struct Visit {
  bool is_resumed = false;
  bool is_answered = false;  // 200
  std::string output;
};

class SessionTickets : public TlsScenario, public testing::WithParamInterface<const char*> {
 protected:
  // One request to `path` over a connection of its own, by the version that the test is run with.
  Visit visit(std::vector<std::string> arguments, const std::string& path = "/public/x") const {
    arguments.insert(arguments.end(), {GetParam(), "-ign_eof"});
    const Finished finished =
        openssl(arguments, "GET " + path + " HTTP/1.1\r\nHost: api.local\r\nConnection: close\r\n\r\n");
    const auto has = [&](const char* text) { return finished.output.find(text) != std::string::npos; };
    return {has("\nReused, TLSv1."), has("HTTP/1.1 200"), finished.output + finished.errors};
  }
  std::vector<std::string> as(const Certificate& certificate) const {
    return {"-cert", keygate.directory().write("client.crt", certificate.certificate), "-key",
            keygate.directory().write("client.key", certificate.private_key)};
  }
  std::vector<std::string> with(std::vector<std::string> some, const std::vector<std::string>& more) const {
    some.insert(some.end(), more.begin(), more.end());
    return some;
  }
  void wait_for_generation(int number) const {
    ASSERT_TRUE(eventually([&] {
      return keygate.errors().find("generation " + std::to_string(number) + " is in force") != std::string::npos;
    })) << keygate.errors();
  }
  std::string file() const { return keygate.directory() / "session"; }
  std::vector<std::string> keeping() const { return {"-sess_out", file()}; }
  std::vector<std::string> resuming() const { return {"-sess_in", file()}; }
};

INSTANTIATE_TEST_SUITE_P(Tls, SessionTickets, testing::Values("-tls1_2", "-tls1_3"),
                         [](const auto& row) { return "v1_" + std::string(1, std::string(row.param).back()); });

TEST_P(SessionTickets, AreTakenByEveryWorker) {
  start_with_tls("", {.threads = 4});
  const Visit first = visit(keeping());
  EXPECT_FALSE(first.is_resumed);
  EXPECT_TRUE(first.is_answered) << first.output;
  for (int i = 0; i < 12; ++i) {
    const Visit next = visit(resuming());
    EXPECT_TRUE(next.is_resumed) << next.output;
    EXPECT_TRUE(next.is_answered) << next.output;
  }
}

// Who resumes gets the next one, as good as the first.
TEST_P(SessionTickets, AreRenewedAtEachUseWhereTheyAreForOne) {
  if (std::string(GetParam()) != "-tls1_3") {
    GTEST_SKIP() << "a ticket of TLS 1.2 may be used again";
  }
  start_with_tls("", {.threads = 2});
  ASSERT_TRUE(visit(keeping()).is_answered);
  std::string last = file();
  for (int i = 0; i < 3; ++i) {
    const std::string next = file() + std::to_string(i);
    const Visit again = visit({"-sess_in", last, "-sess_out", next});
    EXPECT_TRUE(again.is_resumed) << again.output;
    ASSERT_TRUE(std::filesystem::exists(next)) << "no new ticket came";
    EXPECT_NE(read_file(next), read_file(last));
    last = next;
  }
}

TEST_P(SessionTickets, SurviveAReloadThatChangesNoCertificate) {
  start_with_tls("", {.threads = 2});
  ASSERT_TRUE(visit(keeping()).is_answered);
  for (int generation = 2; generation < 5; ++generation) {
    keygate.signal(SIGHUP);
    wait_for_generation(generation);
    EXPECT_TRUE(visit(resuming()).is_resumed) << generation;
  }
}

TEST_P(SessionTickets, EndWithTheCertificate) {
  start_with_tls();
  ASSERT_TRUE(visit(keeping()).is_answered);
  show(authority.issue({"DNS:localhost", "IP:127.0.0.1"}));
  wait_for_generation(2);
  const Visit next = visit(resuming());
  EXPECT_FALSE(next.is_resumed);
  EXPECT_TRUE(next.is_answered) << next.output;
}

TEST_P(SessionTickets, CarryTheIdentityOfTheClient) {
  start_with_tls(", client_ca_file: ca.pem, client_certificate: required", {.threads = 2});
  const auto billing = authority.issue({"DNS:client"}, -60, 3600, "billing");
  ASSERT_TRUE(visit(with(keeping(), as(billing)), "/public/first").is_answered);
  EXPECT_EQ(text_of(keygate.wait_for_log_of("/public/first"), "client_subject"), "CN=billing");
  // It has no need to show the certificate again.
  const Visit next = visit(resuming(), "/public/second");
  EXPECT_TRUE(next.is_resumed) << next.output;
  EXPECT_TRUE(next.is_answered) << next.output;
  EXPECT_EQ(text_of(keygate.wait_for_log_of("/public/second"), "client_subject"), "CN=billing");
  EXPECT_FALSE(visit({}).is_answered);
}

TEST_P(SessionTickets, OfWhoIsTrustedNoMoreAreWorthNothing) {
  const CertificateAuthority last;
  const std::string clients = keygate.directory().write("clients.pem", last.certificate());
  start_with_tls(", client_ca_file: clients.pem, client_certificate: required");
  const auto trusted = as(last.issue({"DNS:client"}));
  ASSERT_TRUE(visit(with(keeping(), trusted)).is_answered);
  keygate.directory().write("clients.pem", authority.certificate());
  wait_for_generation(2);
  EXPECT_FALSE(visit(resuming()).is_answered);
  EXPECT_FALSE(visit(with(resuming(), trusted)).is_answered);
  const Visit other = visit(with(resuming(), as(authority.issue({"DNS:client"}))));
  EXPECT_TRUE(other.is_answered) << other.output;
  EXPECT_FALSE(other.is_resumed);
}

TEST_P(SessionTickets, AreWorthNoMoreThanTheCertificateInThem) {
  start_with_tls(", client_ca_file: ca.pem, client_certificate: required");
  const auto soon_gone = authority.issue({"DNS:client"}, -60, 3);
  const Visit first = visit(with(keeping(), as(soon_gone)));
  if (!first.is_answered) {
    GTEST_SKIP() << "three seconds were over already";
  }
  EXPECT_TRUE(eventually([&] { return !visit(resuming()).is_answered; }));
}

TEST_P(SessionTickets, OfSomebodyWhoNeedNotShowACertificateDoNotDoWhereOneIsRequired) {
  start_with_tls(", client_ca_file: ca.pem, client_certificate: optional");
  ASSERT_TRUE(visit(keeping()).is_answered);
  std::string config = read_file(keygate.config_file());
  config.replace(config.find("optional"), 8, "required");
  keygate.directory().write("keygate.yaml", config);
  wait_for_generation(2);
  const Visit next = visit(resuming());
  EXPECT_FALSE(next.is_resumed);
  EXPECT_FALSE(next.is_answered) << next.output;
}

class Reconnecting : public TlsScenario {};

TEST_F(Reconnecting, FiveTimesIsResumedEachTime) {
  start_with_tls("", {.threads = 4});
  const Finished finished = openssl({"-tls1_2", "-reconnect"});
  std::size_t resumed = 0;
  for (auto at = finished.output.find("Reused, TLSv1.2"); at != std::string::npos;
       at = finished.output.find("Reused, TLSv1.2", at + 1)) {
    ++resumed;
  }
  EXPECT_EQ(resumed, 5U) << finished.output;
}

class ClientSubject : public TlsScenario {
 protected:
  std::string logged_for(const std::string& common_name, const std::string& path) {
    TlsClient visitor(tls_port, client(authority.issue({"DNS:client"}, -60, 3600, common_name)));
    EXPECT_EQ(visitor.ask(request_to(path)).status, 200);
    return text_of(keygate.wait_for_log_of(path), "client_subject");
  }
};

TEST_F(ClientSubject, H13_IsLoggedInAsciiWhateverStandsInIt) {
  start_with_tls(", client_ca_file: ca.pem, client_certificate: optional");
  EXPECT_EQ(logged_for("billing", "/public/1"), "CN=billing");
  EXPECT_EQ(logged_for("a,b+c=\"d\"\\", "/public/2"), R"(CN=a\,b\+c=\"d\"\\)");
  EXPECT_EQ(logged_for("x\n{\"code\":\"ok\"}\x1b", "/public/3"), R"(CN=x\0A{\"code\":\"ok\"}\1B)");
  EXPECT_EQ(logged_for("M\xc3\xbcller", "/public/4"), R"(CN=M\C3\BCller)");
  EXPECT_EQ(logged_for(std::string(60, '\x01'), "/public/5").size(), 3U + 3 * 60);
}

TEST_F(ClientSubject, IsNoneWhereNoneWasShown) {
  start_with_tls(", client_ca_file: ca.pem, client_certificate: optional");
  TlsClient visitor(tls_port, client());
  EXPECT_EQ(visitor.ask(request_to("/public/1")).status, 200);
  EXPECT_FALSE(keygate.wait_for_log_of("/public/1").contains("client_subject"));
  expect_granted(request_to("/public/2", "Client-Subject: CN=admin\r\n"));
  EXPECT_FALSE(keygate.wait_for_log_of("/public/2").contains("client_subject"));
}

TEST_F(ClientSubject, OpensARouteThatNamesIt) {
  const std::string policy =
      "version: 1\nroutes:\n  - name: partners\n    match: {path: \"/public/{rest...}\"}\n"
      "    require: {credentials: api_key, client_subject: [CN=billing, CN=ledger]}\n";
  start_with_tls(", client_ca_file: ca.pem, client_certificate: optional", {.policy = policy});
  const auto asked_by = [this](const Certificate& certificate, const std::string& fields) {
    return TlsClient(tls_port, client(certificate)).ask(request_to("/public/x", fields));
  };
  const auto of = [this](const std::string& name) { return authority.issue({"DNS:client"}, -60, 3600, name); };
  EXPECT_EQ(asked_by(of("billing"), k1.bearer()).status, 200);
  EXPECT_EQ(asked_by(of("ledger"), k1.bearer()).status, 200);
  expect_problem(asked_by(of("billing"), ""), 401, "missing_credential");
  expect_problem(asked_by(of("billing,CN=ledger"), k1.bearer()), 403, "certificate_not_accepted");
  expect_problem(asked_by(of("Billing"), k1.bearer()), 403, "certificate_not_accepted");
  expect_problem(asked_by({}, k1.bearer()), 403, "certificate_not_accepted");
  // Not over TLS, and so nobody.
  expect_problem(ask(request_to("/public/x", k1.bearer())), 403, "certificate_not_accepted");
}

TEST_F(ClientSubject, IsStatedWhereNobodyConnects) {
  const std::string policy =
      "version: 1\nroutes:\n  - name: partners\n    match: {path: /x}\n"
      "    require: {credentials: api_key, client_subject: CN=billing}\n";
  start_with_tls(", client_ca_file: ca.pem, client_certificate: optional", {.policy = policy});
  const std::string cases = keygate.directory().write(
      "cases.yaml",
      "cases:\n  - {request: GET /x, client_subject: CN=billing, key: {organization: acme}, expect: {code: ok}}\n"
      "  - {request: GET /x, client_subject: CN=other, key: {organization: acme}, expect: {code: "
      "certificate_not_accepted}}\n");
  const Finished tested = run({{keygate_binary(), "test", "-c", keygate.config_file(), cases}, {}, "", ""});
  EXPECT_EQ(tested.status.code, 0) << tested.output << tested.errors;
  const auto explained = [this](std::vector<std::string> more) {
    std::vector<std::string> argv{keygate_binary(), "explain", "-c", keygate.config_file(), "GET", "/x",
                                  "--org",          "acme"};
    argv.insert(argv.end(), more.begin(), more.end());
    return run({argv, {}, "", ""});
  };
  EXPECT_EQ(explained({"--client-subject", "CN=billing"}).status.code, 0);
  const Finished other = explained({"--client-subject", "CN=other"});
  EXPECT_EQ(other.status.code, 1);
  EXPECT_NE(other.output.find("the route is for clients with the certificate of \"CN=billing\"; this one shows that of "
                              "\"CN=other\""),
            std::string::npos)
      << other.output;
}

}  // namespace
}  // namespace keygate::test
