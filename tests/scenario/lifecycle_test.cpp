// From start to end: reloads that nobody notices, faults that change nothing, a drain that cuts nobody off, and what is
// written down about each request.
#include "tests/support/scenario.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <signal.h>
#include <thread>

namespace keygate::test {
namespace {

// The standard policy and one route more, by which it can be told apart.
std::string policy_with(std::string_view path) {
  return std::string(standard_policy) + "  - name: more\n    match: {path: \"" + std::string(path) +
         "\"}\n    anonymous: true\n";
}

class ReloadUnderLoad : public Scenario {
 protected:
  // Sends SIGHUP and waits until `path` is open and `other` is not.
  void reload_to(std::string_view path, std::string_view other) {
    keygate.rewrite_policy(policy_with(path));
    keygate.signal(SIGHUP);
    RawClient client = keygate.connect();
    EXPECT_TRUE(eventually([&] {
      return client.ask(request_to(path)).status == 200 && client.ask(request_to(other)).status == 403;
    })) << keygate.errors();
  }
};

TEST_F(ReloadUnderLoad, F61_NoRequestFailsAndEachReloadTakesEffect) {
  start({.policy = policy_with("/a"), .threads = 2});
  std::atomic<bool> is_over{false};
  std::atomic<std::size_t> good{0};
  std::atomic<std::size_t> bad{0};
  std::vector<std::thread> clients;
  for (int number = 0; number < 4; ++number) {
    clients.emplace_back([&] {
      try {
        RawClient client(keygate.port());
        while (!is_over) {
          const bool is_granted = client.ask(request_with_body("/v1/x", "hello", k1.bearer())).status == 200;
          const bool is_denied = client.ask(request_to("/admin/x", k1.bearer())).status == 403;
          ++(is_granted && is_denied ? good : bad);
        }
      } catch (const std::exception& failure) {
        ADD_FAILURE() << failure.what();
      }
    });
  }
  for (int i = 0; i < 10; ++i) {
    reload_to("/b", "/a");
    reload_to("/a", "/b");
  }
  is_over = true;
  for (std::thread& client : clients) {
    client.join();
  }
  EXPECT_EQ(bad, 0U);
  EXPECT_GT(good, 100U);
}

class Lifecycle : public Scenario {};

TEST_F(Lifecycle, F60_ABadPolicyKeepsTheLastGoodOneAndSaysWhy) {
  start();
  keygate.rewrite_policy(
      "version: 1\nscopes: {\"a:b\": A}\nroutes:\n  - {name: open, match: {path: \"/{rest...}\"}, anonymos: true}\n");
  keygate.signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return keygate.errors().find("policy.yaml:4:") != std::string::npos; }))
      << keygate.errors();
  EXPECT_NE(keygate.errors().find("anonymos"), std::string::npos) << keygate.errors();
  expect_granted(request_to("/v1/x", k1.bearer()));
  expect_denied(request_to("/anything"), {403, "no_route", Ending::any});
  EXPECT_EQ(keygate.readiness(), 200);
  // And a good one afterwards is taken.
  keygate.rewrite_policy(policy_with("/more"));
  keygate.signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return ask(request_to("/more")).status == 200; })) << keygate.errors();
}

TEST_F(Lifecycle, AReloadIsSeenOnConnectionsThatAreOpenAlready) {
  start();
  RawClient client = keygate.connect();
  EXPECT_EQ(client.ask(request_to("/more")).status, 403);
  keygate.rewrite_policy(policy_with("/more"));
  keygate.signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return client.ask(request_to("/more")).status == 200; }));
}

TEST_F(Lifecycle, AScopeTakenOutOfARouteCountsForCachedKeysAtOnce) {
  start();
  RawClient client = keygate.connect();
  EXPECT_EQ(client.ask(request_to("/v1/x", k1.bearer())).status, 200);
  std::string stricter(standard_policy);
  const std::string scope = "scopes: \"v1:read\"";
  stricter.replace(stricter.find(scope), scope.size(), "scopes: \"v1:write\"");
  keygate.rewrite_policy(stricter);
  keygate.signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return client.ask(request_to("/v1/x", k1.bearer())).status == 403; }));
}

TEST_F(Lifecycle, AChangeOfThreadsNeedsARestartAndSaysSo) {
  start();
  std::string config = read_file(keygate.config_file());
  config.replace(config.find("threads: 1"), 10, "threads: 2");
  keygate.directory().write("keygate.yaml", config);
  keygate.signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return keygate.errors().find("threads") != std::string::npos; })) << keygate.errors();
  expect_granted(request_to("/v1/x", k1.bearer()));
}

TEST_F(Lifecycle, F62_ADrainLetsRequestsInFlightEnd) {
  start({.limits = "drain_delay: 300ms, drain_timeout: 15s"});
  upstream.follow([](Turn& turn) {
    turn.read_body();
    if (turn.request().target == "/v1/slow") {
      turn.hold();
    }
    turn.answer(200, "ended");
  });
  RawClient slow = keygate.connect();
  slow.send(request_to("/v1/slow", k1.bearer()));
  RawClient idle = keygate.connect();
  EXPECT_EQ(idle.ask(request_to("/v1/x", k1.bearer())).status, 200);
  EXPECT_TRUE(eventually([&] { return upstream.held() == 1; }));

  keygate.signal(SIGTERM);
  EXPECT_TRUE(eventually([&] { return keygate.readiness() == 503; }));
  // For the drain's delay whoever has not heard of it yet is served, and told to go.
  if (auto late = try_connect(keygate.port())) {
    late.reset();
    try {
      const Response response = ask(request_to("/v1/x", k1.bearer()));
      EXPECT_EQ(response.status, 200);
      EXPECT_TRUE(response.fields.lists("connection", "close"));
    } catch (const std::exception&) {
      EXPECT_FALSE(try_connect(keygate.port())) << "it accepts connections and does not serve them";
    }
  }
  EXPECT_TRUE(eventually([&] { return !try_connect(keygate.port()); })) << "the listener stays open";
  EXPECT_TRUE(idle.is_ended()) << "an idle connection is kept";
  EXPECT_TRUE(keygate.is_running());
  EXPECT_EQ(keygate.readiness(), 503) << "the health listener answers to the end";

  upstream.release();
  const Response response = slow.read_response();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "ended");
  EXPECT_TRUE(response.fields.lists("connection", "close"));
  EXPECT_TRUE(slow.is_ended());
  EXPECT_EQ(keygate.wait_for_end(), (ExitStatus{0, 0}));
}

TEST_F(Lifecycle, F62_ADrainLetsADownloadInFlightEnd) {
  start({.limits = "drain_timeout: 15s"});
  upstream.follow([](Turn& turn) {
    turn.read_body();
    turn.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst");
    turn.hold();
    turn.send("-last");
  });
  RawClient client = keygate.connect();
  client.send(request_to("/v1/x", k1.bearer()));
  EXPECT_TRUE(eventually([&] { return client.unread().find("first") != std::string::npos; }));
  keygate.signal(SIGTERM);
  EXPECT_TRUE(eventually([&] { return !try_connect(keygate.port()); }));
  upstream.release();
  EXPECT_EQ(client.read_response().body, "first-last");
  EXPECT_EQ(keygate.wait_for_end(), (ExitStatus{0, 0}));
}

TEST_F(Lifecycle, F62_ADrainEndsAtItsTimeout) {
  start({.limits = "drain_timeout: 500ms"});
  upstream.follow([](Turn& turn) {
    turn.read_body();
    turn.wait_for_end();
  });
  RawClient client = keygate.connect();
  client.send(request_to("/v1/x", k1.bearer()));
  EXPECT_TRUE(eventually([&] { return !upstream.requests().empty(); }));
  keygate.signal(SIGTERM);
  EXPECT_EQ(keygate.wait_for_end(std::chrono::seconds(10)), (ExitStatus{0, 0}));
}

TEST_F(Lifecycle, F62_ASecondSigtermEndsAtOnce) {
  start({.limits = "drain_delay: 20s, drain_timeout: 60s"});
  upstream.follow([](Turn& turn) {
    turn.read_body();
    turn.wait_for_end();
  });
  RawClient client = keygate.connect();
  client.send(request_to("/v1/x", k1.bearer()));
  EXPECT_TRUE(eventually([&] { return !upstream.requests().empty(); }));
  keygate.signal(SIGTERM);
  EXPECT_TRUE(eventually([&] { return keygate.readiness() == 503; }));
  EXPECT_TRUE(keygate.is_running());
  keygate.signal(SIGTERM);
  keygate.wait_for_hasty_end(std::chrono::seconds(5));
}

TEST_F(Lifecycle, HealthIsOnItsOwnListener) {
  start();
  for (const std::string_view path : {"/livez", "/readyz"}) {
    EXPECT_EQ(test::ask(keygate.health_port(), "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n").status, 200)
        << path;
    expect_denied(request_to(path, k1.bearer()), {403, "no_route", Ending::any});
  }
  EXPECT_EQ(test::ask(keygate.health_port(), "GET /v1/x HTTP/1.1\r\nHost: x\r\n" + k1.bearer() + "\r\n").status, 404);
  EXPECT_EQ(upstream.bytes(), "");
}

TEST_F(Lifecycle, APortInUseRefusesToStart) {
  keygate.write_files({.upstream_port = upstream.port()});
  const Listening other = listen_on_loopback(keygate.port());
  const Finished finished = keygate.run_to_failure();
  EXPECT_EQ(finished.status.code, 1) << finished.errors;
  EXPECT_NE(finished.errors.find(std::to_string(keygate.port())), std::string::npos) << finished.errors;
}

TEST_F(Lifecycle, AHealthPortInUseRefusesToStart) {
  keygate.write_files({.upstream_port = upstream.port()});
  const Listening other = listen_on_loopback(keygate.health_port());
  const Finished finished = keygate.run_to_failure();
  EXPECT_EQ(finished.status.code, 1) << finished.errors;
  EXPECT_NE(finished.errors.find(std::to_string(keygate.health_port())), std::string::npos) << finished.errors;
}

TEST_F(Lifecycle, ASecondKeygateOnTheSamePortRefusesToStart) {
  start();
  const Finished finished = keygate.run_to_failure();
  EXPECT_EQ(finished.status.code, 1) << finished.errors;
  EXPECT_NE(finished.errors.find(std::to_string(keygate.port())), std::string::npos) << finished.errors;
  expect_granted(request_to("/v1/x", k1.bearer()));
}

TEST_F(Lifecycle, AStoreThatIsNoneRefusesToStart) {
  keygate.write_files({.upstream_port = upstream.port()});
  keygate.directory().write("keys.db", "this is no database, and has never been one; it is only here to be refused\n");
  const Finished finished = keygate.run_to_failure();
  EXPECT_EQ(finished.status.code, 1) << finished.errors;
  EXPECT_NE(finished.errors.find("keys.db"), std::string::npos) << finished.errors;
}

class AccessLog : public Scenario {
 protected:
  void SetUp() override { start(); }
};

TEST_F(AccessLog, AGrantHasTheContractsFields) {
  const Key key = keygate.create_key({.organization = "org_9", .scopes = "v1:read,v1:write", .environment = "live"});
  EXPECT_EQ(ask(request_with_body("/v1/%61?secret=query", "hello", "Cookie: secret=cookie\r\n" + key.bearer())).status,
            200);
  const auto line = keygate.wait_for_log_of("/v1/a");
  for (const char* name :
       {"time",       "request_id", "client",          "method",      "host",        "path",     "route",      "code",
        "status",     "key_id",     "organization_id", "environment", "auth_method", "scopes",   "source",     "age_ms",
        "generation", "bytes_in",   "bytes_out",       "duration_ms", "auth_us",     "upstream", "upstream_ms"}) {
    EXPECT_TRUE(line.contains(name)) << name;
  }
  EXPECT_EQ(text_of(line, "client"), "127.0.0.1");
  EXPECT_EQ(text_of(line, "method"), "POST");
  EXPECT_EQ(text_of(line, "host"), "api.local");
  EXPECT_EQ(text_of(line, "route"), "v1");
  EXPECT_EQ(text_of(line, "code"), "ok");
  EXPECT_EQ(text_of(line, "status"), "200");
  EXPECT_EQ(text_of(line, "key_id"), key.id);
  EXPECT_EQ(text_of(line, "organization_id"), "org_9");
  EXPECT_EQ(text_of(line, "environment"), "live");
  EXPECT_EQ(text_of(line, "auth_method"), "api_key");
  EXPECT_NE(text_of(line, "scopes").find("v1:write"), std::string::npos);
  EXPECT_EQ(text_of(line, "source"), "store");
  EXPECT_EQ(text_of(line, "bytes_in"), "5");
  EXPECT_EQ(text_of(line, "bytes_out"), "2");
  EXPECT_EQ(text_of(line, "upstream"), "default");
  EXPECT_NE(text_of(line, "generation"), "");
  EXPECT_EQ(boost::json::serialize(line).find("secret"), std::string::npos) << "a query or a cookie in the log";
}

TEST_F(AccessLog, ADenialSaysWhyAndIsTheRequestOfItsAnswer) {
  const Response response = ask(request_to("/admin/x", k1.bearer()));
  const auto line = keygate.wait_for_log_of("/admin/x");
  EXPECT_EQ(text_of(line, "code"), "insufficient_scope");
  EXPECT_EQ(text_of(line, "status"), "403");
  EXPECT_EQ(text_of(line, "route"), "admin");
  EXPECT_EQ(text_of(line, "key_id"), k1.id);
  EXPECT_EQ(text_of(line, "request_id"), text_of(boost::json::parse(response.body).as_object(), "request_id"));
  EXPECT_EQ(text_of(line, "upstream_ms"), "");
  EXPECT_EQ(text_of(line, "bytes_out"), std::to_string(response.body.size()));
}

TEST_F(AccessLog, TheHeaderCriteriaThatMatchedAreNamedAndTheirValuesAreNot) {
  keygate.stop();
  keygate.start({.policy = std::string(standard_policy) +
                           "  - {name: beta, match: {path: /beta, headers: {x-beta: \"hidden\"}}, anonymous: true}\n",
                 .upstream_port = upstream.port()});
  EXPECT_EQ(ask(request_to("/beta", "X-Beta: hidden\r\n")).status, 200);
  const std::string line = boost::json::serialize(keygate.wait_for_log_of("/beta"));
  EXPECT_NE(line.find("x-beta"), std::string::npos) << line;
  EXPECT_EQ(line.find("hidden"), std::string::npos) << line;
}

TEST_F(AccessLog, EveryRequestHasOneLineAndAnIdOfItsOwn) {
  RawClient client = keygate.connect();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(client.ask(request_to("/v1/x", "X-Request-Id: mine\r\n" + k1.bearer())).status, 200);
  }
  client.send("rubbish\r\n\r\n");
  EXPECT_EQ(client.read_response().status, 400);
  EXPECT_TRUE(eventually([&] { return keygate.access_log().size() == 6; })) << keygate.output();
  std::set<std::string> ids;
  for (const auto& line : keygate.access_log()) {
    ids.insert(text_of(line, "request_id"));
  }
  EXPECT_EQ(ids.size(), 6U);
  EXPECT_FALSE(ids.contains("mine")) << "a stranger's request id was believed";
  // What the upstream is told is what the log says.
  for (const Request& request : upstream.requests()) {
    EXPECT_TRUE(ids.contains(request.fields["x-request-id"])) << request.fields["x-request-id"];
  }
}

TEST_F(AccessLog, AClientThatLeavesHasALineToo) {
  upstream.follow([](Turn& turn) {
    turn.read_body();
    turn.wait_for_end();
  });
  RawClient client = keygate.connect();
  client.send(request_to("/v1/x", k1.bearer()));
  EXPECT_TRUE(eventually([&] { return !upstream.requests().empty(); }));
  client.leave();
  EXPECT_EQ(text_of(keygate.wait_for_log_of("/v1/x"), "code"), "client_closed");
}

TEST_F(AccessLog, OnlyDenialsWhereOnlyDenialsAreAskedFor) {
  keygate.stop();
  keygate.start({.upstream_port = upstream.port(), .more = "log: {access: denied}\n"});
  EXPECT_EQ(ask(request_to("/v1/x", k1.bearer())).status, 200);
  EXPECT_EQ(ask(request_to("/v1/y")).status, 401);
  keygate.wait_for_log_of("/v1/y");
  EXPECT_EQ(keygate.access_log().size(), 1U);
}

}  // namespace
}  // namespace keygate::test
