// The key server's store on its thread, and a session over it: who hears of which change, and what DELETE says of it.
#include "app/key_store_thread.hpp"

#include "app/key_session.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <unistd.h>
#include <utility>
#include <variant>
#include <vector>

namespace keygate::app {
namespace {

using keys::KeyChange;
using testing::HasSubstr;

std::int64_t unix_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

keys::NewKey new_key() {
  keys::NewKey key;
  key.organization = "org_1";
  key.scopes = {"projects:read"};
  return key;
}

class ConcurrentKeyStore : public testing::Test {
 protected:
  ConcurrentKeyStore() { std::filesystem::create_directory(folder_); }
  ~ConcurrentKeyStore() override { std::filesystem::remove_all(folder_); }

  KeyStoreThread::OnChanges listener() {
    return [this](const std::vector<keys::Store::Change>& changes) {
      const std::lock_guard lock(mutex_);
      for (const auto& one : changes) heard_.emplace_back(one.digest, one.change);
    };
  }

  bool hears(const keys::KeyDigest& digest, KeyChange change) {
    const auto is_heard = [&] {
      const std::lock_guard lock(mutex_);
      return std::ranges::find(heard_, std::pair(digest, change)) != heard_.end();
    };
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!is_heard() && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
    return is_heard();
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("keygate-keyserver-" + std::to_string(::getpid()));
  const std::string path_ = (folder_ / "keys.db").string();
  std::mutex mutex_;
  std::vector<std::pair<keys::KeyDigest, KeyChange>> heard_;
};

TEST_F(ConcurrentKeyStore, HearsOfWhatAnotherProcessDoesToTheFile) {
  const auto thread = std::move(*KeyStoreThread::start(path_, std::chrono::seconds(60), listener()));
  keys::Store other = *keys::Store::open(path_);
  const keys::CreatedKey key = *other.create(new_key(), unix_now());
  ASSERT_TRUE(other.rotate(key.stored.id, 3600, unix_now()).has_value());
  EXPECT_TRUE(hears(key.stored.digest, KeyChange::changed));
  ASSERT_TRUE(other.revoke(key.stored.id, unix_now()).has_value());
  EXPECT_TRUE(hears(key.stored.digest, KeyChange::revoked));
}

TEST_F(ConcurrentKeyStore, TellsAgainWhatMayHaveBeenMissedAndNothingOlder) {
  keys::KeyDigest old, recent;
  {
    keys::Store store = *keys::Store::open(path_);
    const auto revoked = [&](std::int64_t at) { return store.revoke(store.create(new_key(), at)->stored.id, at); };
    old = revoked(unix_now() - 3600)->digest;
    recent = revoked(unix_now() - 5)->digest;
  }
  const auto thread = std::move(*KeyStoreThread::start(path_, std::chrono::seconds(60), listener()));
  EXPECT_TRUE(hears(recent, KeyChange::revoked));
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(heard_.size(), 1U);
}

TEST_F(ConcurrentKeyStore, DoesWhatWaitsAndWritesUsesBeforeItEnds) {
  auto thread = std::move(*KeyStoreThread::start(path_, std::chrono::seconds(60), listener()));
  std::string id;
  keys::KeyDigest digest;
  keys::NotedUses& uses = thread->uses();
  ASSERT_TRUE(thread->add(StoreLane::manage, [&](keys::Store& store) {
    const keys::CreatedKey key = *store.create(new_key(), unix_now());
    id = key.stored.id;
    digest = key.stored.digest;
    uses.note(digest, unix_now(), "projects:read");
    ASSERT_TRUE(store.revoke(id, unix_now()).has_value());
  }));
  thread.reset();
  keys::Store store = *keys::Store::open(path_);
  EXPECT_TRUE(store.show(id)->last_used_at);
  EXPECT_EQ(store.uses(std::nullopt)->at(0).required.size(), 1U);
  EXPECT_EQ(heard_.size(), 1U);
}

// Holds the managing thread inside a call until it goes.
class LongCall {
 public:
  explicit LongCall(KeyStoreThread& store) {
    // The call owns what it touches: it may still be about to wait when this object is gone.
    auto is_under_way = std::make_shared<std::promise<void>>();
    auto has_begun = is_under_way->get_future();
    const bool is_taken =
        store.add(StoreLane::manage, [is_under_way, may_end = may_end_.get_future().share()](keys::Store&) {
          is_under_way->set_value();
          may_end.wait();
        });
    EXPECT_TRUE(is_taken);
    has_begun.wait();
  }
  ~LongCall() { may_end_.set_value(); }
  LongCall(const LongCall&) = delete;
  LongCall& operator=(const LongCall&) = delete;

 private:
  std::promise<void> may_end_;
};

TEST_F(ConcurrentKeyStore, VerifyingDoesNotWaitForWhatIsDoneToKeys) {
  const auto thread = std::move(*KeyStoreThread::start(path_, std::chrono::seconds(60), listener()));
  keys::Store other = *keys::Store::open(path_);
  const keys::CreatedKey key = *other.create(new_key(), unix_now());
  std::promise<policy::KeyAnswer::State> found;
  auto answer = found.get_future();
  const LongCall call(*thread);
  ASSERT_TRUE(thread->add(StoreLane::verify, [&](keys::Store& store) {
    found.set_value(store.verify(key.stored.digest, unix_now())->state);
  }));
  ASSERT_EQ(answer.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  EXPECT_EQ(answer.get(), policy::KeyAnswer::State::valid);
}

TEST_F(ConcurrentKeyStore, AtMost1024WaitInEachLane) {
  const auto thread = std::move(*KeyStoreThread::start(path_, std::chrono::seconds(60), listener()));
  const LongCall call(*thread);
  const auto nothing = [](keys::Store&) {};
  for (int i = 0; i < 1024; ++i) ASSERT_TRUE(thread->add(StoreLane::manage, nothing));
  EXPECT_FALSE(thread->add(StoreLane::manage, nothing));
  EXPECT_TRUE(thread->add(StoreLane::verify, nothing));
}

// Says of each change what it was told to say; silent: never answers.
class FakeSink final : public keys::RevocationSink {
 public:
  enum class Says { pushed, failed, nothing };
  FakeSink(net::io_context& io, Says says) : io_(io), says_(says) {}
  void changed(const keys::KeyDigest& digest, KeyChange change, Done done) override {
    told.emplace_back(digest, change);
    if (done && says_ != Says::nothing) net::post(io_, [done, says = says_] { done(says == Says::pushed); });
  }
  std::vector<std::pair<keys::KeyDigest, KeyChange>> told;

 private:
  net::io_context& io_;
  Says says_;
};

// A key server without its listeners: requests over a real socket, one a connection.
class ConcurrentKeySession : public ConcurrentKeyStore {
 protected:
  ConcurrentKeySession() {
    const std::string token = (folder_ / "token").string();
    std::ofstream(token) << "admin-token-0123456789abcdefghijkl";
    auto rules = std::make_shared<ApiRules>();
    rules->settings = std::make_shared<const config::Settings>();
    const config::SecretSettings file{config::SecretSettings::Kind::file, token, {}};
    rules->tokens = std::get<KeyTokens>(KeyTokens::read({std::nullopt, std::nullopt, file}));
    state_->rules = rules;
    state_->store = std::move(*KeyStoreThread::start(path_, std::chrono::seconds(60), listener()));
  }

  static std::string request(const std::string& line, const std::string& body = "") {
    return line + " HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer admin-token-0123456789abcdefghijkl\r\n" +
           "Connection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

  std::string ask(const std::string& request) {
    proxy::TcpSocket client(io_);
    client.connect(acceptor_.local_endpoint());
    auto connection = std::make_shared<KeyConnection>(acceptor_.accept());
    net::co_spawn(io_, serve(connection, state_), [](const std::exception_ptr&) {});
    net::write(client, net::buffer(request));
    std::string answer;
    net::async_read(client, net::dynamic_buffer(answer), [](error_code, std::size_t) {});
    io_.restart();
    io_.run_for(std::chrono::seconds(20));
    return answer;
  }

  net::io_context io_{1};
  const std::shared_ptr<KeyServerState> state_ = std::make_shared<KeyServerState>(io_);
  proxy::TcpAcceptor acceptor_{io_, proxy::Tcp::endpoint(net::ip::address_v4::loopback(), 0)};
};

TEST_F(ConcurrentKeySession, AKeyIsVerifiedWhileACallThatManagesKeysTakesLong) {
  const LongCall call(*state_->store);
  const std::string answer = ask(request("POST /v1/keys/verify", R"({"key": "kg_nobody"})"));
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 200 OK"));
  EXPECT_THAT(answer, HasSubstr("\"code\":\"unknown\""));
}

TEST_F(ConcurrentKeySession, ThereAreOnlySoManyCallsThatManageKeysAtOnce) {
  std::vector<KeySeats::Seat> taken;
  for (std::size_t i = 0; i < KeySeats::most; ++i) taken.push_back(std::move(*state_->seats.take("")));
  EXPECT_THAT(ask(request("GET /v1/keys")), testing::AllOf(HasSubstr("HTTP/1.1 503"), HasSubstr("\"overloaded\"")));
  EXPECT_THAT(ask(request("POST /v1/keys/verify", R"({"key": "kg_nobody"})")), HasSubstr("HTTP/1.1 200 OK"));
  taken.pop_back();
  EXPECT_THAT(ask(request("GET /v1/keys")), HasSubstr("HTTP/1.1 200 OK"));
  EXPECT_THAT(ask(request("GET /v1/keys")), HasSubstr("HTTP/1.1 200 OK")) << "it has given its seat back";
}

class ConcurrentRevocation : public ConcurrentKeySession,
                             public testing::WithParamInterface<std::pair<FakeSink::Says, bool>> {
 protected:
  // DELETE of a new key; what was answered.
  std::string revoke() {
    auto sink = std::make_unique<FakeSink>(io_, GetParam().first);
    const FakeSink& spy = *sink;
    state_->sink = std::move(sink);
    keys::Store other = *keys::Store::open(path_);
    const keys::CreatedKey key = *other.create(new_key(), unix_now());
    const std::string answer = ask(request("DELETE /v1/keys/" + key.stored.id));
    EXPECT_THAT(spy.told, testing::Contains(std::pair(key.stored.digest, KeyChange::revoked)));
    EXPECT_EQ(other.verify(key.stored.digest, unix_now())->state, policy::KeyAnswer::State::revoked);
    return answer;
  }
};

TEST_P(ConcurrentRevocation, SaysWhetherProxiesHaveBeenTold) {
  const std::string answer = revoke();
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 200 OK"));
  EXPECT_THAT(answer, HasSubstr(GetParam().second ? "\"pushed\":true" : "\"pushed\":false"));
}

INSTANTIATE_TEST_SUITE_P(Sinks, ConcurrentRevocation,
                         testing::Values(std::pair(FakeSink::Says::pushed, true),
                                         std::pair(FakeSink::Says::failed, false),
                                         std::pair(FakeSink::Says::nothing, false)));

}  // namespace
}  // namespace keygate::app
