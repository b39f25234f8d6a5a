#include "app/health.hpp"

#include "proxy/listener.hpp"
#include "telemetry/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/rate_policy.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/none.hpp>

#include <chrono>
#include <exception>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <string>
#include <unistd.h>
#include <utility>

namespace keygate::app {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using Stream = beast::basic_stream<proxy::Tcp, Executor>;

constexpr std::chrono::seconds request_limit{10};
constexpr std::chrono::milliseconds accept_backoff{50};

http::response<http::string_body> answer(const http::request<http::empty_body>& request, const HealthChecks& checks) {
  http::response<http::string_body> response;
  response.version(request.version());
  response.keep_alive(request.keep_alive());
  response.set(http::field::content_type, "text/plain; charset=utf-8");
  response.set(http::field::cache_control, "no-store");
  const bool is_read = request.method() == http::verb::get || request.method() == http::verb::head;
  if (!is_read) {
    response.result(http::status::method_not_allowed);
    response.set(http::field::allow, "GET, HEAD");
  } else if (request.target() == "/livez") {
    const bool is_live = checks.is_live();
    response.result(is_live ? http::status::ok : http::status::service_unavailable);
    response.body() = is_live ? "live\n" : "an event loop stands still\n";
  } else if (request.target() == "/readyz") {
    const std::string reason(checks.unready());
    response.result(reason.empty() ? http::status::ok : http::status::service_unavailable);
    response.body() = (reason.empty() ? "ready" : reason) + "\n";
  } else {
    response.result(http::status::not_found);
    response.body() = "not found\n";
  }
  response.prepare_payload();
  if (request.method() == http::verb::head) {
    response.body().clear();
  }
  return response;
}

// The text, or nothing where it does not come within the request's time.
Awaitable<std::optional<std::string>> scraped(net::io_context& io, const HealthChecks& checks) {
  struct Awaited {
    explicit Awaited(net::io_context& context) : timer(context) {}
    proxy::SteadyTimer timer;
    std::optional<std::string> text;
  };
  const auto awaited = std::make_shared<Awaited>(io);
  awaited->timer.expires_after(request_limit);
  checks.metrics([awaited](std::string text) {
    awaited->text = std::move(text);
    awaited->timer.cancel();
  });
  co_await awaited->timer.async_wait(use_tuple);
  co_return std::move(awaited->text);
}

bool asks_for_metrics(const http::request<http::empty_body>& request, const HealthChecks& checks) {
  return request.target() == "/metrics" && request.method() == http::verb::get && checks.metrics != nullptr;
}

void put_metrics(http::response<http::string_body>& response, std::optional<std::string> text) {
  if (!text) {
    response.result(http::status::service_unavailable);
    return;
  }
  response.result(http::status::ok);
  response.set(http::field::content_type, "text/plain; version=0.0.4; charset=utf-8");
  response.body() = std::move(*text);
  response.prepare_payload();
}

// What an upstream says of itself, or nothing where the path is none of those that are forwarded.
Awaitable<std::optional<ForwardedProbes::Answer>> forwarded(net::io_context& io, std::string path,
                                                            const HealthChecks& checks) {
  struct Awaited {
    explicit Awaited(net::io_context& context) : timer(context, proxy::SteadyClock::time_point::max()) {}
    proxy::SteadyTimer timer;
    std::optional<ForwardedProbes::Answer> answer;
  };
  const auto awaited = std::make_shared<Awaited>(io);
  const bool is_forwarded = checks.forward(path, [awaited](ForwardedProbes::Answer answer) {
    awaited->answer = std::move(answer);
    awaited->timer.cancel();
  });
  const bool has_to_wait = is_forwarded && !awaited->answer;
  if (has_to_wait) {
    co_await awaited->timer.async_wait(use_tuple);
  }
  co_return std::move(awaited->answer);
}

// GET or HEAD of a path that is none of our own. The whole target is compared: a query makes it another one.
bool may_be_forwarded(const http::response<http::string_body>& answered, const HealthChecks& checks) {
  return answered.result() == http::status::not_found && checks.forward != nullptr;
}

void put_probe(http::response<http::string_body>& response, ForwardedProbes::Answer answer, http::verb method) {
  response.result(answer.status);
  if (response.result() == http::status::no_content) {  // nor a length (RFC 9110 §8.6)
    response.body().clear();
    response.content_length(boost::none);
    return;
  }
  const bool has_body = response.result() != http::status::reset_content;
  response.body() = has_body ? std::move(answer.text) : std::string();
  response.prepare_payload();
  if (method == http::verb::head) {
    response.body().clear();
  }
}

Awaitable<void> serve(net::io_context& io, Stream stream, HealthChecks checks) {
  beast::flat_buffer buffer(8 * 1024);
  bool keeps = true;
  while (keeps) {
    http::request_parser<http::empty_body> parser;
    stream.expires_after(request_limit);
    const auto [read_error, read] = co_await http::async_read(stream, buffer, parser, use_tuple);
    if (read_error) {
      co_return;
    }
    http::response<http::string_body> response = answer(parser.get(), checks);
    if (asks_for_metrics(parser.get(), checks)) {
      std::optional<std::string> text = co_await scraped(io, checks);
      put_metrics(response, std::move(text));
      stream.expires_after(request_limit);
    } else if (may_be_forwarded(response, checks)) {
      std::string path(parser.get().target());
      std::optional<ForwardedProbes::Answer> told = co_await forwarded(io, std::move(path), checks);
      if (told) {
        put_probe(response, std::move(*told), parser.get().method());
      }
      stream.expires_after(request_limit);
    }
    keeps = response.keep_alive();
    const auto [write_error, written] = co_await http::async_write(stream, response, use_tuple);
    if (write_error) {
      co_return;
    }
  }
}

// A descriptor that is held so that it can be let go when there is no other.
class Reserve {
 public:
  Reserve() { refill(); }
  ~Reserve() { spend(); }
  Reserve(const Reserve&) = delete;
  Reserve& operator=(const Reserve&) = delete;

  void refill() {
    if (held_ < 0) {
      held_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
  }
  // False: there was none to let go.
  bool spend() {
    const bool had_one = held_ >= 0 && ::close(held_) == 0;
    held_ = -1;
    return had_one;
  }

 private:
  int held_ = -1;
};

}  // namespace

struct HealthServer::Impl {
  Impl(net::io_context& context, proxy::TcpAcceptor opened, HealthChecks given)
      : io(context), acceptor(std::move(opened)), pause(context), checks(std::move(given)) {}

  static Awaitable<void> accept_all(std::shared_ptr<Impl> self) {
    while (self->acceptor.is_open()) {
      auto [error, socket] = co_await self->acceptor.async_accept(use_tuple);
      if (error == net::error::operation_aborted) {
        co_return;
      }
      const bool is_spent = error == net::error::no_descriptors && self->reserve.spend();
      if (is_spent) {
        continue;
      }
      if (error) {
        self->pause.expires_after(accept_backoff);
        co_await self->pause.async_wait(use_tuple);
        self->reserve.refill();
        continue;
      }
      if (self->connections == max_connections) {
        continue;  // closed at once
      }
      ++self->connections;
      Stream stream(std::move(socket));
      net::co_spawn(self->io, serve(self->io, std::move(stream), self->checks), [self](const std::exception_ptr&) {
        --self->connections;
        self->reserve.refill();
      });
    }
  }

  net::io_context& io;
  proxy::TcpAcceptor acceptor;
  proxy::SteadyTimer pause;
  HealthChecks checks;
  std::size_t connections = 0;
  Reserve reserve;
};

HealthServer::HealthServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

HealthServer::~HealthServer() {
  error_code ignored;
  impl_->acceptor.close(ignored);
}

Result<std::unique_ptr<HealthServer>> HealthServer::open(net::io_context& io, const config::ListenerSettings& settings,
                                                         HealthChecks checks) {
  if (const error_code taken = proxy::probe_address(settings)) {
    return taken;
  }
  const Result<proxy::ListeningSocket> opened = proxy::open_listener(settings);
  if (!opened) {
    return opened.error();
  }
  const bool is_v6 = settings.host.find(':') != std::string::npos;
  proxy::TcpAcceptor acceptor(io, is_v6 ? proxy::Tcp::v6() : proxy::Tcp::v4(), opened->descriptor);
  auto impl = std::make_shared<Impl>(io, std::move(acceptor), std::move(checks));
  net::co_spawn(io, Impl::accept_all(impl), [](const std::exception_ptr& thrown) {
    if (thrown) {
      telemetry::log(telemetry::Level::error, "the health listener ended by a fault");
    }
  });
  return std::unique_ptr<HealthServer>(new HealthServer(std::move(impl)));
}

}  // namespace keygate::app
