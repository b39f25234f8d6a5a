// What a client can do with TLS itself, below the requests: records without end, half a record, key updates, a reader
// that is slow to take the end. With OpenSSL in the test's own hands.
#include "tests/support/bridge.hpp"
#include "tests/support/scenario.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <sys/ioctl.h>
#include <thread>

namespace keygate::test {
namespace {

struct FreeSsl {
  void operator()(SSL* tls) const { SSL_free(tls); }
};

class TlsClient {
 public:
  TlsClient(Socket socket, const TlsSettings& settings) : socket_(std::move(socket)), tls_(SSL_new(settings.get())) {
    SSL_set_fd(tls_.get(), socket_.fd());
    if (SSL_connect(tls_.get()) != 1) throw std::runtime_error("no TLS");
  }

  SSL* tls() const { return tls_.get(); }
  const Socket& socket() const { return socket_; }
  bool send(std::string_view bytes) const {
    return SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size());
  }
  // One record; the other side is asked to do likewise, or not.
  bool update_key(int kind) const { return SSL_key_update(tls_.get(), kind) == 1 && SSL_do_handshake(tls_.get()) == 1; }
  // So many, and then `last`, as they would go over the wire. No more can be said with this client.
  std::string key_updates(int count, std::string_view last) const {
    BIO* const memory = BIO_new(BIO_s_mem());
    SSL_set0_wbio(tls_.get(), memory);
    for (int i = 0; i < count; ++i) update_key(SSL_KEY_UPDATE_NOT_REQUESTED);
    send(last);
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(memory, &bytes);
    return {bytes, static_cast<std::size_t>(size)};
  }
  // Nothing more comes, as the other side does not go on before this one reads.
  bool is_full() const {
    int last = -1, same = 0;
    return eventually([&] {
      int now = 0;
      ::ioctl(socket_.fd(), FIONREAD, &now);
      same = now == last && now > 0 ? same + 1 : 0;
      last = now;
      return same >= 100;
    });
  }
  // To the end; whether the other side said that it was the end.
  bool read_all(std::string& into) const {
    std::array<char, 16384> piece;
    int size = 0;
    while ((size = SSL_read(tls_.get(), piece.data(), piece.size())) > 0) {
      into.append(piece.data(), static_cast<std::size_t>(size));
    }
    return SSL_get_error(tls_.get(), size) == SSL_ERROR_ZERO_RETURN;
  }

 private:
  Socket socket_;
  std::unique_ptr<SSL, FreeSsl> tls_;
};

class TlsRecords : public Scenario {
 protected:
  void start_with_tls(const std::string& limits = "", const std::string& address = "") {
    const Certificate own = authority.issue({"DNS:localhost"});
    keygate.directory().write("tls.crt", own.certificate);
    keygate.directory().write("tls.key", own.private_key);
    port = free_port();
    start({.limits = limits,
           .more = "listeners:\n  - address: " + (address.empty() ? "127.0.0.1:" + std::to_string(port) : address) +
                   "\n    tls: {certificate_file: tls.crt, private_key_file: tls.key}\n"});
  }
  TlsClient client() const { return {connect_to(port), tls_client(authority.certificate())}; }
  // A body of `size` that ends with the connection.
  void answer_until_the_end(std::size_t size) {
    upstream.follow([size](Turn& turn) {
      turn.read_body();
      turn.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
      turn.send(std::string(size, 'x'));
      turn.close();
    });
  }

  CertificateAuthority authority;
  std::uint16_t port = 0;
};

// A worker has others to serve while a client updates keys for ever, which OpenSSL would read to the last.
TEST_F(TlsRecords, D07_RecordsWithoutEndHoldNobodyUp) {
  start_with_tls("header_timeout: 60s");
  std::atomic<bool> is_over{false};
  const TlsClient flooding = client();
  const std::string last = request_to("/v1/x", k1.bearer() + "Connection: close\r\n");
  const std::string flood = flooding.key_updates(is_sanitized ? 20'000 : 150'000, last);
  std::thread sender([&] {
    EXPECT_TRUE(flooding.socket().send(flood));
    std::string answer;
    EXPECT_TRUE(flooding.read_all(answer));
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
    is_over = true;
  });
  int served = 0;
  RawClient good(keygate.port());
  while (!is_over) {
    EXPECT_EQ(good.ask(request_to("/v1/x", k1.bearer())).status, 200);
    ++served;
  }
  sender.join();
  EXPECT_GE(served, is_sanitized ? 5 : 25) << "while " << flood.size() << " bytes came";
}

TEST_F(TlsRecords, D01_AHeadThatComesByHalvesOfARecordHasNoMoreTimeThanAnother) {
  start_with_tls("idle_timeout: 60s, header_timeout: 300ms");
  const TlsClient slow = client();
  // What a record begins with, past OpenSSL: type, version, length; then a byte now and then.
  ASSERT_TRUE(slow.socket().send(std::string("\x17\x03\x03\x40\x00", 5)));
  std::string answer;
  EXPECT_TRUE(eventually([&] {
    slow.socket().send("x");
    const Arrival arrival = receive(slow.socket(), answer, std::chrono::milliseconds(50));
    return arrival == Arrival::end || arrival == Arrival::reset;
  }));
}

// OpenSSL cannot answer such an update in the middle of a record; so there is no middle.
TEST_F(TlsRecords, KeyUpdatesBesideABodyThatWaitsCutNothing) {
  constexpr std::size_t all = 20'000'000;
  answer_until_the_end(all);
  start_with_tls();
  const TlsClient slow = client();
  ASSERT_TRUE(slow.send(request_to("/v1/x", k1.bearer() + "Connection: close\r\n")));
  ASSERT_TRUE(slow.is_full());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(slow.update_key(SSL_KEY_UPDATE_REQUESTED));
  std::string answer;
  EXPECT_TRUE(slow.read_all(answer));
  EXPECT_GT(answer.size(), all);
}

// Each update that is asked for is answered, to a client that reads just enough to be owed something always.
TEST_F(TlsRecords, D07_AnswersThatAreNotReadTakeNoMoreRoomThanIsOwed) {
  upstream.follow([](Turn& turn) {
    turn.read_body();
    turn.send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
    const std::string block(1'000'000, 'x');
    for (int i = 0; i < 100; ++i) turn.send(block);
  });
  start_with_tls();
  const TlsClient slow = client();
  ASSERT_TRUE(slow.send(request_to("/v1/x", k1.bearer())));
  ASSERT_TRUE(slow.is_full());
  const std::size_t before = resident_bytes(keygate.pid());
  std::array<char, 4096> piece;
  for (int round = 0; round < 400; ++round) {
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(slow.update_key(SSL_KEY_UPDATE_REQUESTED));
    ASSERT_GT(SSL_read(slow.tls(), piece.data(), piece.size()), 0);
  }
  if (!is_sanitized) {
    EXPECT_LT(resident_bytes(keygate.pid()), before + (4U << 20U));
  }
}

// A body without a length has no other sign that it is whole.
TEST_F(TlsRecords, TheEndOfABodyIsSaidToAReaderWhoIsSlowToo) {
  const TempDir folder;
  const std::string path = folder / "in.sock";
  start_with_tls("", "unix:" + path);
  for (const std::size_t size : {100'000U, 200'000U, 220'000U, 300'000U, 1'000'000U}) {
    answer_until_the_end(size);
    const TlsClient slow(connect_to_path(path), tls_client(authority.certificate()));
    ASSERT_TRUE(slow.send("GET /v1/x HTTP/1.0\r\nHost: api.local\r\n" + k1.bearer() + "\r\n"));
    ASSERT_TRUE(slow.is_full());
    std::string answer;
    EXPECT_TRUE(slow.read_all(answer)) << size;
    EXPECT_GT(answer.size(), size);
  }
}

}  // namespace
}  // namespace keygate::test
