#include "keys/usage_report.hpp"

#include "tests/unit/keys/scripted_server.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace keygate::keys {
namespace {

using namespace std::chrono_literals;

class ConcurrentUsageReport : public testing::Test {
 protected:
  // Answers each request with the next of `statuses`, and with 202 after these.
  explicit ConcurrentUsageReport()
      : server_([this](Wire& wire, int) {
          for (std::string request = wire.read_request(); !request.empty(); request = wire.read_request()) {
            std::string status = "202";
            {
              const std::lock_guard lock(mutex_);
              if (!statuses_.empty()) {
                status = statuses_.front();
                statuses_.erase(statuses_.begin());
              }
              requests_.push_back(std::move(request));
            }
            if (!wire.send("HTTP/1.1 " + status + " X\r\nContent-Length: 0\r\n\r\n")) return;
          }
        }) {
    auto made = std::make_shared<ServiceAccess>();
    auto& url = made->settings.usage_url.emplace();
    url.host = "127.0.0.1";
    url.port = server_.port();
    url.target = "/v1/usage";
    url.authority = "127.0.0.1:" + std::to_string(server_.port());
    made->token = "token-of-the-proxy";
    access = made;
    report = std::make_unique<UsageReport>(io, access);
  }

  void answer(std::vector<std::string> statuses) {
    const std::lock_guard lock(mutex_);
    statuses_ = std::move(statuses);
  }

  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  void wait_for(const std::function<bool()>& condition) {
    const auto work = net::make_work_guard(io);
    const auto limit = std::chrono::steady_clock::now() + 30s;
    while (!condition() && std::chrono::steady_clock::now() < limit) io.run_one_for(100ms);
    ASSERT_TRUE(condition());
  }

  static KeyDigest numbered(std::uint8_t number) {
    KeyDigest digest;
    digest.bytes.fill(number);
    return digest;
  }

  net::io_context io{1};
  std::shared_ptr<const ServiceAccess> access;
  std::unique_ptr<UsageReport> report;

 private:
  std::mutex mutex_;
  std::vector<std::string> statuses_, requests_;
  ScriptedServer server_;
};

boost::json::object body_of(const std::string& request) {
  return boost::json::parse(request.substr(request.find("\r\n\r\n") + 4)).as_object();
}

TEST_F(ConcurrentUsageReport, TellsEachKeyOnceWithItsLastUseAndAllScopes) {
  report->note(numbered(1), 100, "a:read b:read");
  report->note(numbered(1), 90, "a:write a:read");
  report->send_now();
  wait_for([this] { return report->counters().reported == 1; });
  ASSERT_EQ(requests().size(), 1U);
  EXPECT_TRUE(requests()[0].starts_with("POST /v1/usage HTTP/1.1\r\n"));
  EXPECT_NE(requests()[0].find("\r\nAuthorization: Bearer token-of-the-proxy\r\n"), std::string::npos);
  const auto use = body_of(requests()[0]).at("uses").as_array().at(0).as_object();
  EXPECT_EQ(use.at("digest").as_string(), to_hex(numbered(1)));
  EXPECT_EQ(use.at("at").as_int64(), 100);
  EXPECT_EQ(boost::json::serialize(use.at("scopes")), R"(["a:read","b:read","a:write"])");
}

TEST_F(ConcurrentUsageReport, SendsByItselfAndInPiecesThatTheServiceTakes) {
  std::string scopes;
  for (int i = 0; i < 60; ++i) scopes += "a_rather_long_resource_name:action_" + std::to_string(i) + " ";
  for (std::uint8_t i = 1; i <= 100; ++i) report->note(numbered(i), i, scopes);
  wait_for([this] { return report->counters().reported == 100; });
  EXPECT_GT(requests().size(), 1U);
  for (const std::string& request : requests()) EXPECT_LT(request.size(), 64U * 1024U);
}

TEST_F(ConcurrentUsageReport, KeepsWhatCouldNotBeTold) {
  answer({"503"});
  report->note(numbered(1), 100, "a:read");
  report->send_now();
  wait_for([this] { return report->counters().failed == 1; });
  report->note(numbered(1), 200, "b:read");
  wait_for([this] { return report->counters().reported == 1; });
  const auto use = body_of(requests().back()).at("uses").as_array().at(0).as_object();
  EXPECT_EQ(use.at("at").as_int64(), 200);
  EXPECT_EQ(use.at("scopes").as_array().size(), 2U);
}

TEST_F(ConcurrentUsageReport, AServiceThatTakesNoneIsNotAskedAgain) {
  answer({"404"});
  report->note(numbered(1), 100, "a:read");
  report->send_now();
  wait_for([this] { return report->counters().failed == 1; });
  report->note(numbered(2), 100, "a:read");
  report->send_now();
  report->apply(access);  // a reload: perhaps it takes them now
  report->note(numbered(3), 100, "a:read");
  report->send_now();
  wait_for([this] { return report->counters().reported == 1; });
  ASSERT_EQ(requests().size(), 2U);
  EXPECT_EQ(requests()[1].find(to_hex(numbered(2))), std::string::npos) << "that was let go";
}

}  // namespace
}  // namespace keygate::keys
