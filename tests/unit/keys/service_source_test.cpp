#include "keys/service_source.hpp"

#include "tests/unit/keys/scripted_server.hpp"
#include "tests/unit/keys/temp_folder.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace keygate::keys {
namespace {

using namespace std::chrono_literals;
using State = policy::KeyAnswer::State;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr auto patience = 30s;
const std::string yes = R"({"valid":true,"key_id":"key_1","organization_id":"org_1","scopes":["projects:read"]})";

class ConcurrentServiceSource : public testing::Test {
 protected:
  static config::ServiceUrl url_of(const ScriptedServer& server, const std::string& target) {
    config::ServiceUrl url;
    url.host = "127.0.0.1";
    url.port = server.port();
    url.target = target;
    url.authority = "127.0.0.1:" + std::to_string(server.port());
    return url;
  }

  std::shared_ptr<const ServiceAccess> access_to(const ScriptedServer& server) const {
    auto access = std::make_shared<ServiceAccess>();
    access->settings = settings;
    access->settings.url = url_of(server, "/v1/keys/verify");
    access->settings.session_url = url_of(server, "/v1/sessions/verify");
    access->token = "token-of-the-proxy";
    return access;
  }

  void use(const ScriptedServer& server, CredentialRole role = CredentialRole::api_key, HttpLimits limits = {}) {
    source = std::make_unique<ServiceSource>(io, access_to(server), role, limits);
  }

  std::size_t ask(const std::string& key = "kg_the_key") {
    const std::size_t number = results.size();
    results.emplace_back();
    source->look_up(KeyDigest{}, std::make_shared<const Secret>(SecretView(key)), [this, number](Result<Found> found) {
      EXPECT_FALSE(results[number].has_value()) << "exactly once";
      results[number] = std::move(found);
    });
    EXPECT_FALSE(results[number].has_value()) << "never before look_up returns";
    return number;
  }

  const Result<Found>& result(std::size_t number) {
    io.restart();
    const auto work = net::make_work_guard(io);
    const auto limit = std::chrono::steady_clock::now() + patience;
    while (!results[number] && std::chrono::steady_clock::now() < limit) io.run_one_for(patience);
    if (!results[number]) throw std::runtime_error("the look-up did not end");
    return *results[number];
  }

  const Result<Found>& ask_and_wait(const std::string& key = "kg_the_key") { return result(ask(key)); }

  TempFolder folder;
  net::io_context io{1};
  config::ServiceSettings settings;
  std::unique_ptr<ServiceSource> source;
  std::vector<std::optional<Result<Found>>> results;
};

// Counts requests, and answers them with what it is told to.
class CountingService {
 public:
  explicit CountingService(std::string first_answer)
      : answer_(std::move(first_answer)), server_([this](Wire& wire, int) {
          for (;;) {
            std::string request = wire.read_request();
            if (request.empty()) return;
            const std::lock_guard lock(mutex_);
            last_ = std::move(request);
            ++requests_;
            if (!wire.send(answer_)) return;
          }
        }) {}

  static std::string status(int status, const std::string& fields = "") {
    return "HTTP/1.1 " + std::to_string(status) + " X\r\n" + fields + "Content-Length: 0\r\n\r\n";
  }
  static std::string json(const std::string& body) {
    return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  }

  void answer_with(std::string text) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(text);
  }
  int requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  std::string last() {
    const std::lock_guard lock(mutex_);
    return last_;
  }
  ScriptedServer& server() { return server_; }

 private:
  std::mutex mutex_;
  std::string answer_;
  std::string last_;
  int requests_ = 0;
  ScriptedServer server_;
};

TEST_F(ConcurrentServiceSource, AsksForAKeyAndTakesTheAnswer) {
  CountingService service(CountingService::json(yes));
  use(service.server());
  EXPECT_EQ(source->name(), "service");
  const Result<Found>& found = ask_and_wait();
  ASSERT_TRUE(found.has_value()) << found.error().message();
  EXPECT_EQ(found->answer.state, State::valid);
  EXPECT_EQ(found->answer.principal.organization, "org_1");
  EXPECT_EQ(found->age, 0ms);
  EXPECT_THAT(service.last(), testing::StartsWith("POST /v1/keys/verify HTTP/1.1\r\n"));
  EXPECT_THAT(service.last(), HasSubstr("\r\nAuthorization: Bearer token-of-the-proxy\r\n"));
  EXPECT_THAT(service.last(), testing::EndsWith("\r\n\r\n{\"key\":\"kg_the_key\"}"));
  service.answer_with(CountingService::json(R"({"valid":false,"code":"revoked"})"));
  EXPECT_EQ(ask_and_wait()->answer.state, State::revoked);
  EXPECT_EQ(source->counters().answered, 2U);
}

TEST_F(ConcurrentServiceSource, AsksForASessionWhereSessionsAreKnown) {
  CountingService service(CountingService::json(R"({"valid":true,"user_id":"user_1"})"));
  settings.session_scopes = {"projects:read"};
  use(service.server(), CredentialRole::session);
  const Result<Found>& found = ask_and_wait("the-session");
  ASSERT_TRUE(found.has_value()) << found.error().message();
  EXPECT_EQ(found->answer.principal.user, "user_1");
  EXPECT_EQ(found->answer.principal.key_id, "");
  EXPECT_THAT(found->answer.principal.granted, ElementsAre("projects:read"));
  EXPECT_THAT(service.last(), testing::StartsWith("POST /v1/sessions/verify HTTP/1.1\r\n"));
  EXPECT_THAT(service.last(), HasSubstr(R"({"session":"the-session"})"));
}

TEST_F(ConcurrentServiceSource, TheTokenStaysHomeWhereTheSessionSpeaksForItself) {
  CountingService service(CountingService::json("null"));
  settings.dialect = config::ServiceDialect::better_auth;
  use(service.server(), CredentialRole::session);
  EXPECT_EQ(ask_and_wait("t.s")->answer.state, State::unknown);
  EXPECT_THAT(service.last(), testing::StartsWith("GET /v1/sessions/verify HTTP/1.1\r\n"));
  EXPECT_THAT(service.last(), Not(HasSubstr("token-of-the-proxy")));
  EXPECT_EQ(ask_and_wait("a; b")->answer.state, State::unknown);
  EXPECT_EQ(service.requests(), 1) << "no session looks like that";
}

TEST_F(ConcurrentServiceSource, F26_OneThatIsBackIsAskedAFewAtATimeAndNobodyIsRefused) {
  CountingService service(CountingService::status(500));
  use(service.server());
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask_and_wait().error(), errc::unavailable);
  service.answer_with(CountingService::json(yes));
  while (ask_and_wait().has_error()) {
  }
  std::vector<std::size_t> together;
  for (int i = 0; i < 40; ++i) together.push_back(ask());
  for (const std::size_t number : together) EXPECT_TRUE(result(number).has_value()) << number;
}

TEST_F(ConcurrentServiceSource, AReloadDoesNotForgetThatTheServiceIsDown) {
  CountingService service(CountingService::status(500));
  use(service.server());
  for (int i = 0; i < 5; ++i) ask_and_wait();
  ASSERT_TRUE(source->is_down());
  source->apply(access_to(service.server()));
  EXPECT_TRUE(source->is_down());
}

TEST_F(ConcurrentServiceSource, F20_F26_AServiceThatRefusesIsAskedFiveTimesAndThenSpared) {
  ScriptedServer server(always(yes));
  use(server);
  server.stop();
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(source->is_down());
    EXPECT_EQ(ask_and_wait().error(), errc::unavailable);
  }
  EXPECT_TRUE(source->is_down());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(ask_and_wait().error(), errc::unavailable);
  EXPECT_GE(source->counters().spared, 90U);
  EXPECT_LE(source->client().counters().requests, 15U);
}

TEST_F(ConcurrentServiceSource, F21_ASlowServiceIsTimedOut) {
  ScriptedServer server([](Wire& wire, int) { wire.wait_for_close(); });
  settings.timeout = 200ms;
  use(server, CredentialRole::api_key, {4, 8});
  const std::size_t first = ask();
  for (int i = 0; i < 11; ++i) ask();
  const std::size_t beyond = ask();
  EXPECT_EQ(result(beyond).error(), errc::overloaded);
  EXPECT_EQ(result(first).error(), errc::timed_out);
  EXPECT_EQ(result(beyond - 1).error(), errc::timed_out);
  EXPECT_FALSE(source->is_down()) << "four had been asked, and the others never left";
}

TEST_F(ConcurrentServiceSource, F22_ErrorsAreNotTriedAgain) {
  CountingService service(CountingService::status(500));
  use(service.server());
  EXPECT_EQ(ask_and_wait().error(), errc::unavailable);
  service.answer_with(CountingService::status(502));
  EXPECT_EQ(ask_and_wait().error(), errc::unavailable);
  service.answer_with(CountingService::status(429));
  EXPECT_EQ(ask_and_wait().error(), errc::unavailable);
  EXPECT_EQ(service.requests(), 3);
}

TEST_F(ConcurrentServiceSource, F22_RetryAfterIsHonoured) {
  CountingService service(CountingService::status(429, "Retry-After: 20\r\n"));
  use(service.server());
  EXPECT_EQ(ask_and_wait().error(), errc::unavailable);
  EXPECT_TRUE(source->is_down());
  EXPECT_EQ(ask_and_wait().error(), errc::unavailable);
  EXPECT_EQ(service.requests(), 1);
}

TEST_F(ConcurrentServiceSource, F23_F25_AnswersThatCannotBeUsedAreNoAnswersAndCloseNobodyOut) {
  CountingService service("");
  use(service.server());
  const auto unusable = {CountingService::json("{}"),
                         CountingService::json(R"({"valid":"true"})"),
                         CountingService::status(302, "Location: /elsewhere\r\n"),
                         CountingService::status(204),
                         CountingService::status(401),
                         std::string("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n"),
                         std::string("HTTP/1.1 101 Switching Protocols\r\n\r\n"),
                         std::string("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")};
  for (const std::string& answer : unusable) {
    service.answer_with(answer);
    EXPECT_EQ(ask_and_wait().error(), errc::invalid_answer) << answer;
  }
  EXPECT_FALSE(source->is_down());
  EXPECT_EQ(source->counters().invalid, unusable.size());
  service.answer_with(CountingService::json(yes));
  EXPECT_TRUE(ask_and_wait().has_value());
}

TEST_F(ConcurrentServiceSource, TheLogNamesTheCauseAndNeverTheKeyOrTheAnswer) {
  CountingService service(CountingService::json(R"({"valid":true,"key_id":"what the body says"})"));
  use(service.server());
  testing::internal::CaptureStderr();
  EXPECT_EQ(ask_and_wait("kg_never_logged").error(), errc::invalid_answer);
  service.answer_with(CountingService::status(503, "Retry-After: 1\r\n"));
  EXPECT_EQ(ask_and_wait("kg_never_logged").error(), errc::unavailable);
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, Not(HasSubstr("kg_never_logged")));
  EXPECT_THAT(log, Not(HasSubstr("what the body says")));
  EXPECT_THAT(log, Not(HasSubstr("token-of-the-proxy")));
}

TEST_F(ConcurrentServiceSource, ANewConfigurationCountsFromTheNextLookUpOn) {
  std::atomic<bool> may_answer{false};
  ScriptedServer slow([&may_answer](Wire& wire, int) {
    wire.read_request();
    while (!may_answer && !wire.is_closed_within(1ms)) {
    }
    wire.send_json(yes);
  });
  CountingService next(CountingService::json(R"({"valid":false,"code":"expired"})"));
  use(slow);
  const std::size_t before = ask();
  io.run_for(10ms);
  source->apply(access_to(next.server()));
  EXPECT_EQ(ask_and_wait()->answer.state, State::expired);
  may_answer = true;
  EXPECT_EQ(result(before)->answer.state, State::valid);
}

TEST_F(ConcurrentServiceSource, WhoWaitsWhenTheSourceGoesIsDropped) {
  ScriptedServer server([](Wire& wire, int) { wire.wait_for_close(); });
  use(server);
  ask();
  io.poll();
  source.reset();
  io.restart();
  io.run_for(patience);
  EXPECT_TRUE(io.stopped()) << "nothing of it is left";
  EXPECT_FALSE(results[0].has_value());
}

TEST_F(ConcurrentServiceSource, AccessIsReadFromWhereTheConfigurationNamesIt) {
  std::ofstream(folder.file("token")) << "s3cret\n";
  settings.token = config::SecretSettings{config::SecretSettings::Kind::file, folder.file("token"), {}};
  settings.url.is_tls = true;
  const auto read = read_service_access(settings);
  ASSERT_TRUE(std::holds_alternative<std::shared_ptr<const ServiceAccess>>(read));
  EXPECT_EQ(std::get<0>(read)->token, "s3cret");
  EXPECT_NE(std::get<0>(read)->tls, nullptr);
  settings.ca_file = folder.file("gone.pem");
  EXPECT_THAT(std::get<config::Fault>(read_service_access(settings)).message, HasSubstr("gone.pem"));
  settings.token->text = folder.file("lost");
  EXPECT_THAT(std::get<config::Fault>(read_service_access(settings)).message, HasSubstr("lost"));
}

}  // namespace
}  // namespace keygate::keys
