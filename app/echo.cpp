#include "app/echo.hpp"

#include "proxy/sockets.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <exception>
#include <string>
#include <thread>
#include <utility>

namespace keygate::app {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using Stream = beast::basic_stream<proxy::Tcp, Executor>;

constexpr std::chrono::minutes idle_limit{5};
constexpr std::uint64_t max_body = 16U << 20U;

std::string describe(const http::request<http::string_body>& request) {
  boost::json::object headers;
  for (const auto& field : request) {
    headers[boost::json::string_view(field.name_string().data(), field.name_string().size())] =
        boost::json::string_view(field.value().data(), field.value().size());
  }
  boost::json::object out;
  out["you_are_talking_to"] = "keygate's built-in echo upstream";
  out["method"] = std::string(request.method_string());
  out["target"] = std::string(request.target());
  out["headers"] = std::move(headers);
  out["body_bytes"] = request.body().size();
  return boost::json::serialize(out) + "\n";
}

Awaitable<void> serve(Stream stream) {
  beast::flat_buffer buffer;
  bool keeps = true;
  while (keeps) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(max_body);
    stream.expires_after(idle_limit);
    const auto [read_error, read] = co_await http::async_read(stream, buffer, parser, use_tuple);
    if (read_error) {
      co_return;
    }
    const http::request<http::string_body>& request = parser.get();
    http::response<http::string_body> response(http::status::ok, 11);
    response.set(http::field::content_type, "application/json");
    response.keep_alive(request.keep_alive());
    response.body() = describe(request);
    response.prepare_payload();
    if (request.method() == http::verb::head) {
      response.body().clear();
    }
    keeps = response.keep_alive();
    const auto [write_error, written] = co_await http::async_write(stream, response, use_tuple);
    if (write_error) {
      co_return;
    }
  }
}

Awaitable<void> accept_all(net::io_context& io, proxy::TcpAcceptor& acceptor) {
  while (acceptor.is_open()) {
    auto [error, socket] = co_await acceptor.async_accept(use_tuple);
    if (error) {
      continue;
    }
    Stream stream(std::move(socket));
    net::co_spawn(io, serve(std::move(stream)), [](const std::exception_ptr&) {});
  }
}

}  // namespace

struct EchoUpstream::Impl {
  net::io_context io{1};
  proxy::TcpAcceptor acceptor{io, proxy::Tcp::endpoint(net::ip::address_v4::loopback(), 0)};
  std::thread thread;
};

EchoUpstream::EchoUpstream() : impl_(std::make_unique<Impl>()) {
  net::co_spawn(impl_->io, accept_all(impl_->io, impl_->acceptor), [](const std::exception_ptr&) {});
  impl_->thread = std::thread([this] { impl_->io.run(); });
}

EchoUpstream::~EchoUpstream() {
  impl_->io.stop();
  impl_->thread.join();
}

std::uint16_t EchoUpstream::port() const { return impl_->acceptor.local_endpoint().port(); }

}  // namespace keygate::app
