#include "keys/http_client.hpp"

#include "keys/source.hpp"
#include "tests/unit/keys/scripted_server.hpp"
#include "tests/unit/keys/temp_folder.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace keygate::keys {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

constexpr auto patience = 30s;
const std::string no_body = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

class ConcurrentHttpClient : public testing::Test {
 protected:
  static config::ServiceUrl url_of(const ScriptedServer& server, const std::string& host = "127.0.0.1") {
    config::ServiceUrl url;
    url.host = host;
    url.port = server.port();
    url.target = "/verify";
    url.authority = host + ":" + std::to_string(server.port());
    return url;
  }

  void connect_to(const ScriptedServer& server, HttpLimits limits = {}, const std::string& host = "127.0.0.1",
                  const std::shared_ptr<const ClientTls>& tls = nullptr) {
    url = url_of(server, host);
    client = std::make_unique<HttpClient>(io, url, tls, limits);
  }

  std::shared_ptr<const ClientTls> trust(const TestCertificate& certificate) {
    certificate.write_to(folder.file("ca.pem"));
    auto loaded = ClientTls::load(folder.file("ca.pem"));
    return std::get<std::shared_ptr<const ClientTls>>(loaded);
  }

  std::size_t ask(std::chrono::milliseconds limit = patience) {
    HttpRequestParts parts;
    parts.content_type = "application/json";
    parts.body = "{}";
    const std::size_t number = answers.size();
    answers.emplace_back();
    client->send(write_http_request(url, parts), limit, [this, number](HttpAnswer answer) {
      EXPECT_FALSE(answers[number].has_value()) << "exactly once";
      answers[number] = std::move(answer);
    });
    EXPECT_FALSE(answers[number].has_value()) << "never before send returns";
    return number;
  }

  const HttpAnswer& answer(std::size_t number) {
    io.restart();
    const auto work = net::make_work_guard(io);
    const auto limit = std::chrono::steady_clock::now() + patience;
    while (!answers[number] && std::chrono::steady_clock::now() < limit) io.run_one_for(patience);
    if (!answers[number]) throw std::runtime_error("no answer");
    return *answers[number];
  }

  const HttpAnswer& ask_and_wait(std::chrono::milliseconds limit = patience) { return answer(ask(limit)); }

  // What comes back where the server says this to the first request.
  HttpAnswer answer_to(const std::string& text) {
    ScriptedServer server([&text](Wire& wire, int) {
      wire.read_request();
      wire.send(text);
    });
    connect_to(server);
    HttpAnswer result = ask_and_wait();
    client.reset();
    return result;
  }

  TempFolder folder;
  net::io_context io{1};
  config::ServiceUrl url;
  std::unique_ptr<HttpClient> client;
  std::vector<std::optional<HttpAnswer>> answers;
};

TEST_F(ConcurrentHttpClient, SendsOneRequestAndReadsOneResponse) {
  std::string seen;
  ScriptedServer server([&seen](Wire& wire, int) {
    seen = wire.read_request();
    wire.send("HTTP/1.1 503 Busy\r\nContent-Type: text/plain\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nno");
  });
  connect_to(server);
  const HttpAnswer& got = ask_and_wait();
  EXPECT_FALSE(got.error) << got.cause;
  EXPECT_EQ(got.response.status, 503U);
  EXPECT_EQ(got.response.content_type, "text/plain");
  EXPECT_EQ(got.response.retry_after, 7s);
  EXPECT_EQ(got.response.body, "no");
  server.stop();
  EXPECT_EQ(seen, "POST /verify HTTP/1.1\r\nHost: " + url.authority +
                      "\r\nUser-Agent: keygate\r\nAccept: application/json\r\nAccept-Encoding: identity\r\n"
                      "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
}

TEST_F(ConcurrentHttpClient, KeepsAConnectionForTheNextRequest) {
  ScriptedServer server(always("{}"));
  connect_to(server);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(ask_and_wait().response.body, "{}");
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(client->idle(), 1U);
  EXPECT_EQ(client->counters().requests, 10U);
}

TEST_F(ConcurrentHttpClient, AsksAgainOnceWhereAKeptConnectionHadBeenClosed) {
  ScriptedServer server([](Wire& wire, int) {
    if (!wire.read_request().empty()) wire.send_json("{}");
    wire.read_request();  // and closes without a word
  });
  connect_to(server);
  EXPECT_FALSE(ask_and_wait().error);
  EXPECT_FALSE(ask_and_wait().error);
  EXPECT_EQ(server.connections(), 2);
  EXPECT_EQ(client->counters().retries, 1U);
}

TEST_F(ConcurrentHttpClient, F22_ANewConnectionThatIsClosedIsNotTriedAgain) {
  std::atomic<int> requests{0};
  ScriptedServer server([&requests](Wire& wire, int) { requests += wire.read_request().empty() ? 0 : 1; });
  connect_to(server);
  EXPECT_EQ(ask_and_wait().error, errc::unavailable);
  server.stop();
  EXPECT_EQ(requests, 1);
}

TEST_F(ConcurrentHttpClient, AKeptConnectionThatBreaksInItsAnswerIsNotTriedAgain) {
  std::atomic<int> requests{0};
  ScriptedServer server([&requests](Wire& wire, int) {
    if (!wire.read_request().empty()) ++requests;
    wire.send_json("{}");
    if (!wire.read_request().empty()) ++requests;
    wire.send("HTTP/1.1 2");
  });
  connect_to(server);
  EXPECT_FALSE(ask_and_wait().error);
  EXPECT_EQ(ask_and_wait().error, errc::unavailable);
  client.reset();
  server.stop();
  EXPECT_EQ(requests, 2);
}

TEST_F(ConcurrentHttpClient, F20_ARefusedConnectionIsSaidAtOnce) {
  ScriptedServer server(always("{}"));
  connect_to(server);
  server.stop();
  const auto start = std::chrono::steady_clock::now();
  const HttpAnswer& got = ask_and_wait();
  EXPECT_EQ(got.error, errc::unavailable);
  EXPECT_THAT(got.cause, HasSubstr("Connection refused"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s) << "not when the time is over";
}

TEST_F(ConcurrentHttpClient, F21_ABlackHoleHoldsNoMoreThanItsShare) {
  constexpr std::size_t in_flight = 64;
  constexpr std::size_t waiting = 256;
  ScriptedServer server([](Wire& wire, int) { wire.wait_for_close(); });
  connect_to(server, {in_flight, waiting});
  for (std::size_t i = 0; i < in_flight + waiting + 50; ++i) ask(2s);
  for (std::size_t i = in_flight + waiting; i < answers.size(); ++i) {
    EXPECT_EQ(answer(i).error, errc::overloaded);
    EXPECT_FALSE(answer(i).was_tried);
  }
  EXPECT_EQ(client->in_flight(), in_flight);
  EXPECT_EQ(client->waiting(), waiting);
  EXPECT_LE(server.connections(), static_cast<int>(in_flight));
  for (std::size_t i = 0; i < in_flight + waiting; ++i) EXPECT_EQ(answer(i).error, errc::timed_out);
  EXPECT_TRUE(answers[0]->was_tried);
  EXPECT_THAT(answers[0]->cause, HasSubstr("waiting for the response"));
  EXPECT_FALSE(answers[in_flight + waiting - 1]->was_tried);
  io.restart();
  io.poll();
  EXPECT_EQ(client->in_flight(), 0U);
  EXPECT_EQ(client->waiting(), 0U);
}

TEST_F(ConcurrentHttpClient, WhoWaitsIsServedInTurnOnTheSameConnection) {
  ScriptedServer server(always("{}"));
  connect_to(server, {1, 100});
  for (int i = 0; i < 50; ++i) ask();
  for (std::size_t i = 0; i < 50; ++i) EXPECT_FALSE(answer(i).error);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(ConcurrentHttpClient, F24_ADripDoesNotLastLongerThanTheLimit) {
  ScriptedServer server([](Wire& wire, int) {
    wire.read_request();
    wire.send("HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n");
    while (!wire.is_closed_within(5ms) && wire.send("x")) {
    }
  });
  connect_to(server);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(ask_and_wait(300ms).error, errc::timed_out);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
}

TEST_F(ConcurrentHttpClient, C11_F24_AnEndlessBodyIsBrokenOff) {
  std::atomic<std::size_t> sent{0};
  ScriptedServer server([&sent](Wire& wire, int) {
    wire.read_request();
    wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "1000\r\n" + std::string(0x1000, 'x') + "\r\n";
    while (sent < (1U << 30U) && wire.send(chunk)) sent += chunk.size();
  });
  connect_to(server);
  const HttpAnswer& got = ask_and_wait();
  EXPECT_EQ(got.error, errc::invalid_answer);
  EXPECT_THAT(got.cause, HasSubstr("64 KiB"));
  client.reset();
  server.stop();
  EXPECT_LT(sent, 16U << 20U) << "what fits into the system's buffers";
}

TEST_F(ConcurrentHttpClient, F24_BodiesUpTo64KibibytesPass) {
  const std::string largest(64 * 1024, 'x');
  const auto sized = [](std::size_t size) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n";
  };
  EXPECT_EQ(answer_to(sized(largest.size()) + largest).response.body, largest);
  EXPECT_EQ(answer_to(sized(largest.size() + 1) + largest + "x").error, errc::invalid_answer);
  EXPECT_EQ(answer_to(sized(1U << 30U)).error, errc::invalid_answer) << "at once: there is no body to wait for";
  EXPECT_EQ(answer_to("HTTP/1.1 200 OK\r\n\r\n" + largest).response.body, largest);
  EXPECT_EQ(answer_to("HTTP/1.1 200 OK\r\n\r\n" + largest + "x").error, errc::invalid_answer);
}

TEST_F(ConcurrentHttpClient, F24_HeadsUpTo16KibibytesPass) {
  const auto padded = [](std::size_t size) {
    return "HTTP/1.1 200 OK\r\nX: " + std::string(size, 'x') + "\r\nContent-Length: 0\r\n\r\n";
  };
  EXPECT_FALSE(answer_to(padded(15'000)).error);
  EXPECT_EQ(answer_to(padded(17'000)).error, errc::invalid_answer);
  EXPECT_EQ(answer_to(padded(1'000'000)).error, errc::invalid_answer);
}

TEST_F(ConcurrentHttpClient, F24_CompressedAnswersAreRefused) {
  const HttpAnswer got = answer_to("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(got.error, errc::invalid_answer);
  EXPECT_THAT(got.cause, HasSubstr("compressed"));
  EXPECT_FALSE(answer_to("HTTP/1.1 200 OK\r\nContent-Encoding: Identity\r\nContent-Length: 0\r\n\r\n").error);
}

TEST_F(ConcurrentHttpClient, F25_ProtocolsAreNotSwitchedAndRedirectsNotFollowed) {
  EXPECT_EQ(answer_to("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" + no_body).error,
            errc::invalid_answer);
  EXPECT_EQ(answer_to("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n").response.status, 302U);
  EXPECT_EQ(answer_to("HTTP/1.1 204 No Content\r\n\r\n").response.status, 204U);
}

TEST_F(ConcurrentHttpClient, InterimResponsesArePassedOver) {
  std::string interim;
  for (int i = 0; i < 8; ++i) interim += "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
  EXPECT_EQ(answer_to(interim + no_body).response.status, 200U);
  const HttpAnswer ninth = answer_to(interim + "HTTP/1.1 100 Continue\r\n\r\n" + no_body);
  EXPECT_EQ(ninth.error, errc::invalid_answer);
  EXPECT_THAT(ninth.cause, HasSubstr("interim"));
}

TEST_F(ConcurrentHttpClient, F23_WhatIsNoHttpIsRefused) {
  EXPECT_EQ(answer_to("SSH-2.0-OpenSSH_9.2\r\n\r\n").error, errc::invalid_answer);
  EXPECT_EQ(answer_to("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef").error,
            errc::invalid_answer);
  EXPECT_EQ(answer_to("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").error,
            errc::invalid_answer);
  EXPECT_EQ(answer_to("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n").error, errc::invalid_answer);
  EXPECT_EQ(answer_to("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort").error, errc::unavailable);
  EXPECT_EQ(answer_to("").error, errc::unavailable);
}

TEST_F(ConcurrentHttpClient, WhatFollowsAResponseIsNotTheNextOne) {
  ScriptedServer server([](Wire& wire, int number) {
    wire.read_request();
    wire.send(number == 0 ? no_body + "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother" : no_body);
    wire.read_request();
  });
  connect_to(server);
  EXPECT_EQ(ask_and_wait().response.body, "");
  EXPECT_EQ(ask_and_wait().response.body, "");
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(ConcurrentHttpClient, ResolvesNames) {
  ScriptedServer server(always("{}"));
  connect_to(server, {}, "localhost");  // ::1 may come first, where nobody listens
  EXPECT_EQ(ask_and_wait().response.body, "{}");
}

TEST_F(ConcurrentHttpClient, TlsIsForTheNameOrAddressInTheCertificate) {
  const TestCertificate certificate("DNS:localhost,IP:127.0.0.1");
  ScriptedServer server(always("{}"), &certificate);
  connect_to(server, {}, "127.0.0.1", trust(certificate));
  EXPECT_EQ(ask_and_wait().response.body, "{}") << answers.back()->cause;
  EXPECT_EQ(ask_and_wait().response.body, "{}");
  EXPECT_EQ(server.connections(), 1);
  connect_to(server, {}, "localhost", trust(certificate));
  EXPECT_EQ(ask_and_wait().response.body, "{}") << answers.back()->cause;
}

TEST_F(ConcurrentHttpClient, ACertificateForAnotherNameIsRefused) {
  std::atomic<int> requests{0};
  const TestCertificate certificate("DNS:keys.test,DNS:local*,IP:127.0.0.2");
  const auto count = [&requests](Wire& wire, int) { requests += wire.read_request().empty() ? 0 : 1; };
  ScriptedServer server(count, &certificate);
  for (const char* const host : {"localhost", "127.0.0.1"}) {
    connect_to(server, {}, host, trust(certificate));
    const HttpAnswer& got = ask_and_wait();
    EXPECT_EQ(got.error, errc::unavailable);
    EXPECT_THAT(got.cause, StartsWith("its certificate is not trusted"));
  }
  client.reset();
  server.stop();
  EXPECT_EQ(requests, 0);
}

TEST_F(ConcurrentHttpClient, ACertificateThatNobodyVouchesForIsRefused) {
  const TestCertificate certificate("IP:127.0.0.1");
  const TestCertificate other("IP:127.0.0.1");
  ScriptedServer server(always("{}"), &certificate);
  connect_to(server, {}, "127.0.0.1", trust(other));
  EXPECT_THAT(ask_and_wait().cause, StartsWith("its certificate is not trusted"));
  connect_to(server, {}, "127.0.0.1", std::get<std::shared_ptr<const ClientTls>>(ClientTls::load("")));
  EXPECT_THAT(ask_and_wait().cause, StartsWith("its certificate is not trusted"));
}

TEST_F(ConcurrentHttpClient, WithTlsNothingGoesOutInClear) {
  std::string seen;
  ScriptedServer server([&seen](Wire& wire, int) { seen = wire.read_request(); });
  const TestCertificate certificate("IP:127.0.0.1");
  connect_to(server, {}, "127.0.0.1", trust(certificate));
  EXPECT_EQ(ask_and_wait(200ms).error, errc::timed_out);
  EXPECT_THAT(answers.back()->cause, HasSubstr("shaking hands"));
  client.reset();
  server.stop();
  EXPECT_EQ(seen, "");
}

TEST_F(ConcurrentHttpClient, AFileWithoutCertificatesIsAFaultThatNamesIt) {
  const auto loaded = ClientTls::load(folder.file("gone.pem"));
  ASSERT_TRUE(std::holds_alternative<config::Fault>(loaded));
  EXPECT_THAT(std::get<config::Fault>(loaded).message, HasSubstr("gone.pem"));
}

TEST_F(ConcurrentHttpClient, WhoWaitsWhenTheClientGoesIsDropped) {
  ScriptedServer server([](Wire& wire, int) { wire.wait_for_close(); });
  connect_to(server, {1, 10});
  ask();
  ask();
  io.poll();
  client.reset();
  io.restart();
  io.run_for(patience);
  EXPECT_TRUE(io.stopped()) << "nothing of it is left";
  EXPECT_FALSE(answers[0].has_value());
  EXPECT_FALSE(answers[1].has_value());
}

}  // namespace
}  // namespace keygate::keys
