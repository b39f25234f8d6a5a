#include "keys/http_connection.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <openssl/crypto.h>
#include <openssl/ssl.h>

#include <charconv>
#include <optional>
#include <sys/socket.h>

namespace keygate::keys {

namespace {

namespace http = boost::beast::http;
using Tcp = net::ip::tcp;
using TcpSocket = net::basic_stream_socket<Tcp, Executor>;
using TlsStream = net::ssl::stream<TcpSocket&>;
using Timer =
    net::basic_waitable_timer<std::chrono::steady_clock, net::wait_traits<std::chrono::steady_clock>, Executor>;
using Kind = HttpFailure::Kind;
using Parser = http::response_parser<http::string_body>;

HttpFailure failure_of(Kind kind, std::string_view what, const error_code& error) {
  return {kind, std::string(what) + ": " + error.message()};
}

// A response that ends too early says that the server is in trouble; one that is wrong, that it is no such server.
HttpFailure read_failure(const error_code& error) {
  if (error == http::error::body_limit) return {Kind::unfit, "its body is over 64 KiB"};
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return {Kind::unfit, "its head is over 16 KiB"};
  }
  const bool is_cut_off = error == http::error::end_of_stream || error == http::error::partial_message;
  if (is_cut_off) return {Kind::broken, "the connection was closed before its end"};
  const bool is_malformed = error.category() == make_error_code(http::error::bad_version).category();
  return failure_of(is_malformed ? Kind::unfit : Kind::broken, "it cannot be read", error);
}

HttpFailure head_failure(const Parser& parser) {
  const auto& head = parser.get();
  if (head.result_int() == 101) return {Kind::unfit, "it switches protocols"};
  for (const auto& field : head) {
    const bool is_encoding = field.name() == http::field::content_encoding;
    if (is_encoding && !boost::beast::iequals(field.value(), "identity")) return {Kind::unfit, "it is compressed"};
  }
  return {};
}

std::optional<std::chrono::seconds> retry_after(std::string_view value) {
  unsigned seconds = 0;
  const auto [rest, fault] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (fault != std::errc{} || rest != value.data() + value.size()) return std::nullopt;
  return std::chrono::seconds(seconds);
}

HttpResponse response_of(Parser& parser) {
  auto& message = parser.get();
  HttpResponse response;
  response.status = message.result_int();
  response.content_type = std::string(message[http::field::content_type]);
  const auto wait = message[http::field::retry_after];
  response.retry_after = retry_after({wait.data(), wait.size()});
  response.body = std::move(message.body());
  return response;
}

template <class Stream, class Buffer>
Awaitable<HttpReading> read_response(Stream& stream, Buffer& buffer) {
  HttpReading reading;
  for (int interim = 0; interim <= max_interim_responses; ++interim) {
    Parser parser;
    parser.header_limit(max_response_head);
    parser.body_limit(max_response_body);
    const auto [head_error, head_size] = co_await http::async_read_header(stream, buffer, parser, use_tuple);
    reading.has_begun = reading.has_begun || parser.got_some() || head_size > 0;
    reading.failure = head_error ? read_failure(head_error) : head_failure(parser);
    if (reading.failure) co_return reading;
    if (parser.get().result_int() < 200) continue;

    const auto [error, size] = co_await http::async_read(stream, buffer, parser, use_tuple);
    if (error) {
      reading.failure = read_failure(error);
      OPENSSL_cleanse(parser.get().body().data(), parser.get().body().size());
      co_return reading;
    }
    reading.may_be_kept = parser.keep_alive() && buffer.size() == 0;
    reading.response = response_of(parser);
    co_return reading;
  }
  reading.failure = {Kind::unfit, "more than 8 interim responses came before it"};
  co_return reading;
}

}  // namespace

struct HttpConnection::Impl {
  explicit Impl(net::io_context& io) : socket(io), connect_limit(io) {}
  ~Impl() { wipe_buffer(); }

  void wipe_buffer() {
    buffer.clear();
    const auto all = buffer.prepare(buffer.capacity());
    OPENSSL_cleanse(all.data(), all.size());
  }

  TcpSocket socket;
  std::optional<TlsStream> tls;
  Timer connect_limit;
  boost::beast::flat_buffer buffer{max_response_head + 8 * 1024};
};

HttpConnection::HttpConnection(net::io_context& io) : impl_(std::make_unique<Impl>(io)) {}
HttpConnection::~HttpConnection() = default;

Awaitable<HttpFailure> HttpConnection::connect(Endpoint endpoint, std::chrono::steady_clock::duration limit) {
  impl_->connect_limit.expires_after(limit);
  const auto wait_is_over = std::make_shared<bool>(false);
  impl_->connect_limit.async_wait([impl = impl_.get(), wait_is_over](error_code failed) {
    if (failed || *wait_is_over) return;
    *wait_is_over = true;
    error_code ignored;
    impl->socket.close(ignored);
  });
  const auto [error] = co_await impl_->socket.async_connect(endpoint, use_tuple);
  const bool is_late = std::exchange(*wait_is_over, true);
  impl_->connect_limit.cancel();
  if (is_late) co_return HttpFailure{Kind::broken, "it cannot be connected to: no answer in time"};
  if (error) co_return failure_of(Kind::broken, "it cannot be connected to", error);
  error_code ignored;
  impl_->socket.set_option(Tcp::no_delay(true), ignored);
  co_return HttpFailure{};
}

Awaitable<HttpFailure> HttpConnection::secure(const ClientTls& tls, const std::string& host) {
  TlsStream& stream = impl_->tls.emplace(impl_->socket, tls.context());
  if (!expect_host(stream.native_handle(), host)) {
    co_return HttpFailure{Kind::broken, "no certificate can have its name"};
  }
  const auto [error] = co_await stream.async_handshake(net::ssl::stream_base::client, use_tuple);
  if (!error) co_return HttpFailure{};
  const long verified = SSL_get_verify_result(stream.native_handle());
  if (verified == X509_V_OK) co_return failure_of(Kind::broken, "the TLS handshake failed", error);
  const std::string why = X509_verify_cert_error_string(verified);
  co_return HttpFailure{Kind::broken, "its certificate is not trusted: " + why};
}

Awaitable<HttpFailure> HttpConnection::send(std::string_view request) {
  error_code error;
  std::size_t size = 0;
  const auto bytes = net::buffer(request);
  if (impl_->tls) {
    std::tie(error, size) = co_await net::async_write(*impl_->tls, bytes, use_tuple);
  } else {
    std::tie(error, size) = co_await net::async_write(impl_->socket, bytes, use_tuple);
  }
  if (error) co_return failure_of(Kind::broken, "the request cannot be sent", error);
  co_return HttpFailure{};
}

Awaitable<HttpReading> HttpConnection::read() {
  if (impl_->tls) co_return co_await read_response(*impl_->tls, impl_->buffer);
  co_return co_await read_response(impl_->socket, impl_->buffer);
}

void HttpConnection::abort() {
  error_code ignored;
  impl_->socket.close(ignored);
}

bool HttpConnection::is_stale() {
  char byte = 0;
  const auto count = ::recv(impl_->socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return count >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

}  // namespace keygate::keys
