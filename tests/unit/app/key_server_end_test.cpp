// How a key server ends while the system is still looking up the name of its Redis, which nobody can interrupt.
#include "app/key_server.hpp"
#include "keys/redis_revocations.hpp"
#include "tests/unit/keys/temp_folder.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <dlfcn.h>
#include <memory>
#include <netdb.h>
#include <signal.h>
#include <string>
#include <string_view>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

constexpr std::string_view black_hole = "black-hole.test";
std::atomic<bool> is_looking{false};

}  // namespace

// In place of the C library's, for this binary: one name is never answered.
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** found) {
  using LookUp = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  if (name != nullptr && name == black_hole) {
    is_looking = true;
    for (;;) ::pause();
  }
  const auto original = reinterpret_cast<LookUp>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  return original(name, service, hints, found);
}

namespace keygate::app {
namespace {

// In a process of its own, which ends here or is ended by the alarm.
[[noreturn]] void serve_and_end(const std::string& store) {
  ::alarm(20);
  config::Settings settings;
  config::ListenerSettings listener;
  listener.port = 0;
  settings.listeners.push_back(listener);
  settings.resolution.store = config::StoreSettings{store, {}};
  settings.limits.drain_delay = std::chrono::milliseconds{0};
  auto rules = std::make_shared<ApiRules>();
  rules->settings = std::make_shared<const config::Settings>(std::move(settings));
  KeyServer::Parts parts;
  parts.rules = rules;
  parts.make_sink = [](net::io_context& io) {
    keys::RedisLinkSettings link;
    link.redis.address.host = black_hole;
    link.redis.address.port = 6379;
    return std::make_unique<keys::RedisRevocations>(io, link, std::vector<std::string>{}, std::chrono::seconds{60});
  };
  int status = EXIT_FAILURE;
  {
    KeyServer server(std::move(parts));
    if (const auto fault = server.start()) std::_Exit(3);
    std::thread stopping([] {
      while (!is_looking) std::this_thread::yield();
      ::kill(::getpid(), SIGTERM);
    });
    status = server.run();
    stopping.join();
  }
  std::_Exit(status == EXIT_SUCCESS ? 4 : 5);  // it did not end with the server: nothing was under way
}

TEST(KeyServerEnd, DoesNotWaitForANameThatNobodyAnswers) {
  const keys::TempFolder folder;
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(serve_and_end(folder.file("keys.db")), testing::ExitedWithCode(EXIT_SUCCESS), "name look-up");
}

}  // namespace
}  // namespace keygate::app
