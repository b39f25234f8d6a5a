// Nobody ever gets the answer to another's question, however late answers come.
#include "tests/unit/keys/redis_rig.hpp"
#include "tests/unit/keys/slow_relay.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <random>

namespace keygate::keys {
namespace {

constexpr int wanted = 10'000;
constexpr std::size_t names = 50;

// Asks for random names, many at a time, until so many answers are there, and counts those that belong to another name.
class Asker {
 public:
  explicit Asker(LinkRig& rig) : rig_(rig), pause_(rig.io()) {}

  bool ask_all() {
    for (int i = 0; i < 16; ++i) ask();
    return run_until(
        rig_.io(), [this] { return answers >= wanted && asked_ == 0; }, 60s);
  }

  int answers = 0;
  int mixed_up = 0;
  int failed = 0;

 private:
  void ask() {
    ++asked_;
    const std::string number = std::to_string(random_() % names);
    const std::string name = "name" + number;
    rig_.link().send({"GET", name}, RedisPurpose::read, [this, number](const Result<RedisReply>& reply) {
      --asked_;
      if (reply.has_error()) {
        ++failed;
        return ask_later();
      }
      ++answers;
      if (reply->text != "value" + number) ++mixed_up;
      if (answers + asked_ < wanted) ask();
    });
  }

  // There is no connection: asking at once would be asking in circles.
  void ask_later() {
    ++later_;
    pause_.expires_after(5ms);
    pause_.async_wait([this](error_code cancelled) {
      if (cancelled) return;
      for (; later_ > 0; --later_) ask();
    });
  }

  LinkRig& rig_;
  net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor> pause_;
  std::minstd_rand random_{7};
  int asked_ = 0;
  int later_ = 0;
};

TEST(RedisMixup, C04F03_LateAnswersReachNobodyElse) {
  const test::Redis redis;
  for (std::size_t i = 0; i < names; ++i)
    redis.command({"SET", "name" + std::to_string(i), "value" + std::to_string(i)});
  // One piece in a hundred comes later than anyone waits for it.
  std::minstd_rand random(11);
  const test::SlowRelay relay(redis.port(), [&random] {
    return std::chrono::milliseconds(random() % 100 == 0 ? 50 + random() % 150 : random() % 3);
  });
  RedisLinkSettings settings = settings_for(relay.port());
  settings.redis.timeout = 50ms;
  LinkRig rig(settings);
  Asker asker(rig);
  ASSERT_TRUE(asker.ask_all());
  EXPECT_EQ(asker.mixed_up, 0);
  EXPECT_GE(asker.answers, wanted);
  EXPECT_GT(rig.link().counters().timeouts, 0U) << "or nothing was tested";
  EXPECT_GT(rig.link().counters().connections, 1U);
  EXPECT_EQ(rig.link().counters().protocol_errors, 0U);
}

}  // namespace
}  // namespace keygate::keys
