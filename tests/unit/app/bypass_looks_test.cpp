// When it is looked, and what stays known in between.
#include "tests/unit/app/bypass_fixture.hpp"

#include <sys/resource.h>

namespace keygate::app {
namespace {

// Else a reload would make a pod ready for a moment.
TEST_F(Bypass, StaysKnownOverAReload) {
  const Application app(io, other_address);
  add_upstream("app", "127.0.0.1", app.port());
  check.apply(settings);
  look();
  check.apply(settings);
  EXPECT_TRUE(check.is_exposed());
  settings.upstreams.back().name = "renamed";
  check.apply(settings);
  ASSERT_TRUE(check.is_exposed()) << "it is the same port";
  EXPECT_EQ(check.findings().front().upstream, "renamed");
  settings.upstreams.back().endpoints.back().port = 1;
  check.apply(settings);
  EXPECT_FALSE(check.is_exposed()) << "that is another one";
}

// An application that hangs takes no more connections, and neither does it refuse them.
TEST_F(Bypass, StaysKnownWhileTheApplicationHangs) {
  Tcp::acceptor hung(io, Tcp::v4());
  hung.bind(Tcp::endpoint(other_address, 0));
  hung.listen(0);  // holds one, which nobody accepts
  add_upstream("app", "127.0.0.1", hung.local_endpoint().port());
  check.apply(settings);
  look();
  ASSERT_TRUE(check.is_exposed());
  look();
  EXPECT_TRUE(check.is_exposed());
}

// No descriptor can be had while it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit none = before_;
    none.rlim_cur = 0;
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
};

TEST_F(Bypass, StaysKnownWhileItCannotBeLooked) {
  std::optional<Application> app(std::in_place, io, other_address);
  add_upstream("app", "127.0.0.1", app->port());
  check.apply(settings);
  look();
  ASSERT_TRUE(check.is_exposed());
  app.reset();
  {
    const NoDescriptors none;
    look();
  }
  EXPECT_TRUE(check.is_exposed()) << "that was no refusal";
  addresses.reset();
  testing::internal::CaptureStderr();
  check.apply(settings);
  look(2);
  const std::string told = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(check.is_exposed()) << "nor is its address known to have gone";
  EXPECT_EQ(count(told, "does not tell this machine's addresses"), 1U) << told;
  addresses.emplace();
  look();
  EXPECT_FALSE(check.is_exposed()) << "the address has gone";
}

TEST_F(Bypass, KeepsFromReadinessUntilItHasBeenLooked) {
  const Application app(io, net::ip::address_v4::loopback());
  const std::string_view unknown = "it is not known yet whether an upstream can be reached around Keygate";
  EXPECT_EQ(check.unready(), "") << "there is nothing to look at";
  add_upstream("app", "127.0.0.1", app.port());
  check.apply(settings);
  EXPECT_EQ(check.unready(), "") << "that is to be warned of alone";
  settings.bypass = config::BypassAnswer::not_ready;
  check.apply(settings);
  EXPECT_EQ(check.unready(), unknown);
  addresses.reset();
  look();
  EXPECT_EQ(check.unready(), unknown) << "nobody can say where";
  addresses.emplace({other_address});
  check.apply(settings);
#ifndef __SANITIZE_ADDRESS__  // whose fellow for types opens a pipe to see whether memory can be read
  {
    const NoDescriptors none;
    look();
  }
  EXPECT_EQ(check.unready(), unknown) << "no connection could be tried";
#endif
  check.apply(settings);
  look();
  EXPECT_EQ(check.unready(), "");
  const Application everywhere(io, other_address);
  add_upstream("new", "127.0.0.1", everywhere.port());
  check.apply(settings);
  EXPECT_EQ(check.unready(), unknown) << "of that one";
  look();
  EXPECT_EQ(check.unready(), "somebody answers around Keygate on the port of an upstream");
}

TEST_F(Bypass, IsLookedForOftenUntilTheApplicationIsUp) {
  const net::ip::address loopback = net::ip::address_v4::loopback();
  const Application up(io, loopback);
  std::optional<Application> late(std::in_place, io, loopback);
  const std::uint16_t port = late->port();
  late.reset();
  add_upstream("up", "127.0.0.1", up.port());
  add_upstream("late", "localhost", port);
  settings.bypass = config::BypassAnswer::not_ready;
  check.apply(settings);
  EXPECT_EQ(check.pause(), std::chrono::milliseconds(1));
  look(5);
  EXPECT_EQ(check.pause(), std::chrono::milliseconds(2)) << "however long it takes";
  late.emplace(io, loopback, port);
  look(3);
  const auto before = check.pause();
  EXPECT_GT(before, std::chrono::milliseconds(2));
  late.reset();
  look(2);
  EXPECT_GT(check.pause(), before) << "it has been up";
}

// A look that a reload has overtaken would go on beside the new one else.
TEST_F(Bypass, IsNotLookedForAnyMoreWhereAReloadHasBegunAnew) {
  const Application up(io, net::ip::address_v4::loopback());
  const Application everywhere(io, other_address, up.port());
  const net::ip::address silent = net::ip::make_address("127.0.0.3");
  add_upstream("app", "127.0.0.1", up.port());
  addresses->assign(1, silent);
  check.apply(settings);
  look();
  addresses->push_back(other_address);
  for (looked_ = 0; looked_ == 0;) io.run_one();  // the silent one is being tried
  settings.bypass = config::BypassAnswer::ignore;
  check.apply(settings);
  while (io.poll() != 0) {
  }
  EXPECT_EQ(everywhere.connections(), 0U);
}

}  // namespace
}  // namespace keygate::app
