#include "app/forwarded_probes.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include <vector>

namespace keygate::app {
namespace {

using Tcp = net::ip::tcp;

// An application that takes connections, and says `answer` to each once it is told to.
class Application {
 public:
  explicit Application(net::io_context& io) : acceptor_(io, Tcp::endpoint(net::ip::address_v4::loopback(), 0)) {
    accept();
  }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  std::size_t connections() const { return connections_.size(); }
  void answer(std::string_view text, bool closes = true) {
    error_code ignored;
    net::write(connections_.back(), net::buffer(text), ignored);
    if (closes) connections_.back().close(ignored);
  }

 private:
  void accept() {
    acceptor_.async_accept([this](error_code error, Tcp::socket socket) {
      if (error) return;
      connections_.push_back(std::move(socket));
      accept();
    });
  }
  Tcp::acceptor acceptor_;
  std::vector<Tcp::socket> connections_;
};

class ForwardedProbe : public testing::Test {
 protected:
  ForwardedProbe() {
    settings.health.emplace();
    add("/live");
    add("/other");
    config::EndpointSettings endpoint;
    endpoint.host = "127.0.0.1";
    endpoint.port = application.port();
    settings.upstreams.emplace_back();
    settings.upstreams.back().name = "app";
    settings.upstreams.back().endpoints.push_back(endpoint);
    probes.apply(settings, {});
  }
  void add(const std::string& path) {
    settings.health->forward.push_back({path, "app", "/healthz", std::chrono::minutes(1), {}});
  }
  void ask(std::size_t times, const std::string& path = "/live") {
    for (std::size_t i = 0; i < times; ++i) {
      EXPECT_TRUE(probes.ask(path, [this](ForwardedProbes::Answer one) { answers.push_back(std::move(one)); }));
    }
  }
  template <class Condition>
  bool run_until(Condition holds) {
    while (!holds()) {
      if (io.run_one_for(std::chrono::seconds(10)) == 0) return false;
    }
    return true;
  }

  net::io_context io{1};
  Application application{io};
  config::Settings settings;
  ForwardedProbes probes{io};
  std::vector<ForwardedProbes::Answer> answers;
};

TEST_F(ForwardedProbe, IsAskedOnceForAllWhoWait) {
  ask(ForwardedProbes::max_share);
  ASSERT_TRUE(run_until([&] { return application.connections() == 1; }));
  io.poll();
  EXPECT_EQ(application.connections(), 1U);
  application.answer("HTTP/1.1 200 OK\r\n\r\n");
  ASSERT_TRUE(run_until([&] { return answers.size() == ForwardedProbes::max_share; }));
  for (const auto& answer : answers) EXPECT_EQ(answer.status, 200U);
}

TEST_F(ForwardedProbe, IsAskedAgainOnceItHasBeenAnswered) {
  for (const std::size_t time : {1U, 2U}) {
    ask(1);
    ASSERT_TRUE(run_until([&] { return application.connections() == time; }));
    application.answer("HTTP/1.1 200 OK\r\n\r\n");
    ASSERT_TRUE(run_until([&] { return answers.size() == time; }));
    io.poll();
  }
}

// What was true a moment ago may not be now, although the application still has the connection open.
TEST_F(ForwardedProbe, IsAskedAgainWhileTheLastConnectionStays) {
  ask(1);
  ASSERT_TRUE(run_until([&] { return application.connections() == 1; }));
  application.answer("HTTP/1.1 200 OK\r\n\r\n", false);
  ASSERT_TRUE(run_until([&] { return answers.size() == 1; }));
  ask(1);
  ASSERT_TRUE(run_until([&] { return application.connections() == 2; }));
  application.answer("HTTP/1.1 503 No\r\n\r\n", false);
  ASSERT_TRUE(run_until([&] { return answers.size() == 2; }));
  EXPECT_EQ(answers[0].status, 200U);
  EXPECT_EQ(answers[1].status, 503U);
}

TEST_F(ForwardedProbe, KeepsAFewWaitingAndNoMore) {
  ask(ForwardedProbes::max_share);
  EXPECT_TRUE(answers.empty());
  ask(1);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].status, 503U);
  ASSERT_TRUE(run_until([&] { return application.connections() == 1; }));
  application.answer("HTTP/1.1 200 OK\r\n\r\n");
  ASSERT_TRUE(run_until([&] { return answers.size() == ForwardedProbes::max_share + 1; }));
  io.poll();
  ask(1);
  EXPECT_EQ(answers.size(), ForwardedProbes::max_share + 1) << "there is room again";
}

TEST_F(ForwardedProbe, LeavesRoomForOthersWhereOneHangs) {
  ask(ForwardedProbes::max_share + 30);
  EXPECT_EQ(answers.size(), 30U) << "those beyond its share";
  ASSERT_TRUE(run_until([&] { return application.connections() == 1; }));
  ask(1, "/other");
  EXPECT_EQ(answers.size(), 30U);
  ASSERT_TRUE(run_until([&] { return application.connections() == 2; }));
  application.answer("HTTP/1.1 200 OK\r\n\r\n");
  ASSERT_TRUE(run_until([&] { return answers.size() == 31; }));
  EXPECT_EQ(answers.back().status, 200U);
}

TEST_F(ForwardedProbe, HasRoomHoweverManyOthersThereAre) {
  while (settings.health->forward.size() < 32) add("/more/" + std::to_string(settings.health->forward.size()));
  probes.apply(settings, {});
  std::size_t waiting = 0;
  for (const auto& probe : settings.health->forward) {
    answers.clear();
    ask(100, probe.path);
    EXPECT_LT(answers.size(), 100U) << probe.path;
    waiting += 100 - answers.size();
  }
  EXPECT_LE(waiting, ForwardedProbes::max_waiting);
}

TEST_F(ForwardedProbe, BeginsNoSoonerThanItsPaceAllows) {
  const auto begin = std::chrono::steady_clock::now();
  for (const std::size_t time : {1U, 2U, 3U}) {
    ask(1);
    ASSERT_TRUE(run_until([&] { return application.connections() == time; }));
    ask(1);
    application.answer("HTTP/1.1 200 OK\r\n\r\n");
    ASSERT_TRUE(run_until([&] { return answers.size() == 2 * time; }));
  }
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 2 * ForwardedProbes::pace);
}

TEST_F(ForwardedProbe, TakesARedirectForNoAnswer) {
  ask(1);
  ASSERT_TRUE(run_until([&] { return application.connections() == 1; }));
  application.answer("HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n");
  ASSERT_TRUE(run_until([&] { return answers.size() == 1; }));
  EXPECT_EQ(answers[0].status, 503U);
  EXPECT_EQ(answers[0].text, "app is not well: it answered 302, and no redirect is followed\n");
}

// A configuration that is gone still owes its answer.
TEST_F(ForwardedProbe, IsAnsweredAlthoughItIsNoneAnyMore) {
  ask(1);
  ASSERT_TRUE(run_until([&] { return application.connections() == 1; }));
  probes.apply({}, {});
  EXPECT_FALSE(probes.ask("/live", [](const ForwardedProbes::Answer&) { FAIL(); }));
  application.answer("HTTP/1.1 503 No\r\n\r\n");
  ASSERT_TRUE(run_until([&] { return answers.size() == 1; }));
  EXPECT_EQ(answers[0].status, 503U);
  EXPECT_EQ(answers[0].text, "app answered 503\n");
}

TEST_F(ForwardedProbe, IsOfThatPathAlone) {
  for (const char* const path : {"", "/", "/live/", "/live?", "/liv", "/healthz"}) {
    EXPECT_FALSE(probes.ask(path, [](const ForwardedProbes::Answer&) { FAIL(); })) << path;
  }
}

}  // namespace
}  // namespace keygate::app
