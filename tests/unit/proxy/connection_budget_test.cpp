#include "proxy/connection_budget.hpp"

#include "proxy/endpoint.hpp"

#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

#include <exception>
#include <memory>
#include <string>
#include <vector>

namespace keygate::proxy {
namespace {

using namespace std::chrono_literals;

TEST(ConnectionShare, IsAllOfItAndAtLeastOneEach) {
  for (const std::size_t most : {1U, 2U, 7U, 8U, 1024U}) {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_GE(ConnectionBudget::share(most, i, 4), 1U);
      sum += ConnectionBudget::share(most, i, 4);
    }
    EXPECT_EQ(sum, std::max<std::size_t>(most, 4));
  }
}

TEST(ConnectionSlot, ComesBackWhenItGoes) {
  ConnectionBudget budget(2);
  ConnectionSlot one = budget.take();
  {
    const ConnectionSlot two = budget.take();
    EXPECT_TRUE(one && two);
    EXPECT_FALSE(budget.take());
  }
  ConnectionSlot moved = std::move(one);
  EXPECT_EQ(budget.taken(), 1U);
  moved = budget.take();
  EXPECT_EQ(budget.taken(), 1U) << "what it was before has gone back";
}

// Nobody waits on time here: io runs only while something is ready.
class Queue : public testing::Test {
 protected:
  struct Waiting {
    SteadyTimer* cancel = nullptr;
    bool is_done = false;
    ConnectionBudget::Given given{};
  };

  Waiting& wait(std::chrono::milliseconds most = 1h) {
    auto& one = *waiting.emplace_back(std::make_unique<Waiting>());
    net::co_spawn(io, wait_for(*this, one, most), [](const std::exception_ptr& thrown) { EXPECT_FALSE(thrown); });
    turn();
    return one;
  }
  static Awaitable<void> wait_for(Queue& queue, Waiting& one, std::chrono::milliseconds most) {
    one.given = co_await queue.budget.wait(queue.io, most, one.cancel);
    one.is_done = true;
  }

  void turn() {
    io.restart();
    io.poll();
  }
  void TearDown() override {
    for (const auto& one : waiting) {
      if (one->cancel != nullptr) one->cancel->cancel();
    }
    turn();
  }

  ConnectionBudget budget{2};
  net::io_context io;
  std::vector<ConnectionSlot> taken;
  std::vector<std::unique_ptr<Waiting>> waiting;

  void fill() {
    taken.push_back(budget.take());
    taken.push_back(budget.take());
  }
};

TEST_F(Queue, WhoCameFirstIsServedFirst) {
  fill();
  Waiting& first = wait();
  Waiting& second = wait();
  taken.pop_back();
  turn();
  EXPECT_TRUE(first.is_done && first.given.slot);
  EXPECT_FALSE(second.is_done);
  taken.pop_back();
  turn();
  EXPECT_TRUE(second.is_done && second.given.slot);
  EXPECT_EQ(budget.taken(), 2U);
}

TEST_F(Queue, NobodyOvertakes) {
  fill();
  wait();
  taken.pop_back();
  EXPECT_FALSE(budget.take()) << "it was given on already";
  EXPECT_EQ(budget.taken(), 2U);
}

TEST_F(Queue, HoldsAsManyAsThereMayBeConnections) {
  fill();
  wait();
  wait();
  Waiting& third = wait();
  EXPECT_TRUE(third.is_done);
  EXPECT_FALSE(third.given.slot);
  EXPECT_FALSE(waiting[0]->is_done || waiting[1]->is_done);
}

TEST_F(Queue, WhoLeavesIsNotServed) {
  fill();
  Waiting& first = wait();
  Waiting& second = wait();
  first.cancel->cancel();
  turn();
  EXPECT_TRUE(first.is_done);
  EXPECT_FALSE(first.given.slot);
  taken.pop_back();
  turn();
  EXPECT_TRUE(second.given.slot);
}

TEST_F(Queue, WhoWasServedAndLeftPassesItOn) {
  fill();
  Waiting& first = wait();
  Waiting& second = wait();
  taken.pop_back();  // to the first, who has not been told yet
  turn();
  first.given = {};
  turn();
  EXPECT_TRUE(second.given.slot);
}

TEST_F(Queue, HasADeadline) {
  fill();
  Waiting& first = wait(1ms);
  io.restart();
  io.run_one_for(5s);
  turn();
  EXPECT_TRUE(first.is_done);
  EXPECT_FALSE(first.given.slot);
  EXPECT_FALSE(budget.has_waiting());
  taken.clear();
  EXPECT_EQ(budget.taken(), 0U);
}

// A connection that becomes free goes on as it is, with its slot.
class Handing : public Queue {
 protected:
  struct NoNames : NameSource {
    void ask(const std::string&, std::uint16_t, Answer) override {}
  };

  std::unique_ptr<UpstreamConnection> connection() {
    auto made = std::make_unique<UpstreamConnection>(io, *endpoint);
    made->slot = budget.take();
    return made;
  }

  static config::EndpointSettings loopback() {
    config::EndpointSettings settings;
    settings.host = "127.0.0.1";
    return settings;
  }

  DeadlineWheel deadlines;
  NoNames names;
  std::shared_ptr<Endpoint> endpoint =
      std::make_shared<Endpoint>(Endpoint::Place{io, deadlines, names, budget, nullptr, 1s, 1s}, loopback());
};

TEST_F(Handing, AFreeConnectionGoesToWhoWaitsInsteadOfThePool) {
  auto one = connection();
  UpstreamConnection* const same = one.get();
  auto other = connection();
  Waiting& first = wait();
  endpoint->give_back(std::move(one));
  turn();
  EXPECT_EQ(first.given.connection.get(), same);
  EXPECT_TRUE(same->is_reused);
  EXPECT_FALSE(endpoint->has_idle());
  EXPECT_EQ(budget.taken(), 2U);
  first.given = {};
  EXPECT_EQ(budget.taken(), 1U);
  endpoint->give_back(std::move(other));
  EXPECT_TRUE(endpoint->has_idle());
  EXPECT_EQ(budget.taken(), 1U) << "an idle one counts";
  EXPECT_TRUE(endpoint->shed_idle());
  EXPECT_EQ(budget.taken(), 0U);
}

}  // namespace
}  // namespace keygate::proxy
