// Certificates that are renewed under way: each new one is shown to whoever connects next, and a bad one never.
#include "tests/support/mounted_folder.hpp"
#include "tests/support/tls_client.hpp"
#include "tests/support/tls_scenario.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>
#include <vector>

namespace keygate::test {
namespace {

using testing::HasSubstr;

class CertificateSwap : public TlsScenario {
 protected:
  CertificateSwap() : mounted(keygate.directory().path() / "certs") {}

  // With its certificate in a folder as Kubernetes mounts it.
  void start_mounted(unsigned threads) {
    tls_port = free_port();
    const Certificate first = issue("0");
    mounted.publish({{"tls.crt", first.certificate}, {"tls.key", first.private_key}});
    start({.more = "listeners:\n  - address: 127.0.0.1:" + std::to_string(tls_port) +
                   "\n    tls: {certificate_file: certs/tls.crt, private_key_file: certs/tls.key}\n",
           .threads = threads});
  }
  Certificate issue(const std::string& name) const { return authority.issue({"DNS:localhost"}, -60, 3600, name); }
  void swap(const Certificate& next) {
    mounted.publish({{"tls.crt", next.certificate}, {"tls.key", next.private_key}});
  }
  static void write_in_place(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  }
  std::string shown() const { return TlsClient(tls_port, client()).peer(); }
  bool is_shown(const std::string& name) const {
    return eventually([&] { return shown() == name; });
  }

  MountedFolder mounted;
};

TEST_F(CertificateSwap, F65_EachOfFiftyIsSeenHoweverItComes) {
  start_mounted(2);
  for (int i = 1; i <= 50; ++i) {
    const Certificate next = issue(std::to_string(i));
    if (i % 3 == 0) {
      write_in_place(mounted / "tls.crt", next.certificate);
      write_in_place(mounted / "tls.key", next.private_key);
    } else {
      swap(next);
    }
    ASSERT_TRUE(is_shown(std::to_string(i))) << i << keygate.errors();
  }
}

TEST_F(CertificateSwap, F65_OneRenamedOverAnotherIsSeen) {
  start_with_tls();
  for (int i = 1; i <= 5; ++i) {
    show(issue(std::to_string(i)));
    ASSERT_TRUE(is_shown(std::to_string(i))) << i << keygate.errors();
  }
}

TEST_F(CertificateSwap, F65_ABadPairChangesNothing) {
  start_mounted(1);
  Certificate mixed = issue("mixed");
  mixed.private_key = issue("other").private_key;
  swap(mixed);
  EXPECT_TRUE(eventually([&] { return keygate.errors().find("is not the key of") != std::string::npos; }));
  EXPECT_EQ(shown(), "0");
  swap(authority.issue({"DNS:localhost"}, -7200, -3600, "expired"));
  EXPECT_TRUE(eventually([&] { return keygate.errors().find("has expired") != std::string::npos; }));
  swap({"rubbish", "rubbish"});
  EXPECT_TRUE(
      eventually([&] { return keygate.errors().find("cannot be read as a certificate") != std::string::npos; }));
  EXPECT_EQ(shown(), "0");
  EXPECT_THAT(keygate.errors(), HasSubstr("reload refused, generation 1 stays in force"));
  swap(issue("good"));
  EXPECT_TRUE(is_shown("good")) << keygate.errors();
}

TEST_F(CertificateSwap, F65_UnderLoadNobodyIsCutOrRefused) {
  start_mounted(2);
  std::atomic<bool> is_over{false};
  std::atomic<std::size_t> good{0}, bad{0};
  const auto ask_all_the_time = [&](bool stays) {
    try {
      const TlsSettings settings = client();
      std::unique_ptr<TlsClient> visitor;
      while (!is_over) {
        if (!visitor || !stays) visitor = std::make_unique<TlsClient>(tls_port, settings);
        ++(visitor->ask(request_with_body("/v1/x", "hello", k1.bearer())).status == 200 ? good : bad);
      }
    } catch (const std::exception& failure) {
      ADD_FAILURE() << failure.what();
    }
  };
  std::vector<std::thread> clients;
  for (const bool stays : {true, true, false, false}) clients.emplace_back(ask_all_the_time, stays);
  for (int i = 1; i <= 8; ++i) {
    swap(issue(std::to_string(i)));
    EXPECT_TRUE(is_shown(std::to_string(i))) << i << keygate.errors();
  }
  is_over = true;
  for (std::thread& visitor : clients) visitor.join();
  EXPECT_EQ(bad, 0U);
  EXPECT_GT(good, 50U);
}

}  // namespace
}  // namespace keygate::test
