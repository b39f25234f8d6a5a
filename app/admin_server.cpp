#include "app/admin_server.hpp"

#include "app/admin_answer.hpp"
#include "app/admin_gate.hpp"
#include "proxy/listening_socket.hpp"
#include "proxy/sockets.hpp"
#include "telemetry/audit_log.hpp"
#include "telemetry/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <exception>
#include <list>
#include <netinet/in.h>
#include <sys/socket.h>
#include <utility>

namespace keygate::app {

namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace json = boost::json;

struct AdminServer::State {
  State(net::io_context& context, proxy::StreamAcceptor opened, std::shared_ptr<proxy::SocketFile> name, AdminDesk of)
      : io(context), acceptor(std::move(opened)), file(std::move(name)), pause(context), desk(std::move(of)) {}

  net::io_context& io;
  proxy::StreamAcceptor acceptor;
  std::shared_ptr<proxy::SocketFile> file;  // of a unix socket
  proxy::SteadyTimer pause;
  AdminDesk desk;
  std::size_t connections = 0, streams = 0;
  // Of the connections those that owe us a request, oldest first: they go where there are too many.
  std::list<beast::basic_stream<proxy::StreamProtocol, Executor>*> waiting{};
};

namespace {

using State = AdminServer::State;
using Stream = beast::basic_stream<proxy::StreamProtocol, Executor>;
using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

constexpr std::chrono::seconds request_limit{10};
constexpr std::chrono::seconds first_limit{5};  // for the first request: who connects has something to ask
constexpr std::chrono::seconds idle_limit{60};
constexpr std::chrono::milliseconds accept_backoff{50};
constexpr std::chrono::milliseconds event_interval{500};
constexpr unsigned events_an_update = 2;
constexpr std::uint32_t max_header = 16 * 1024;
constexpr std::uint64_t max_body = 64 * 1024;
constexpr std::size_t routes_in_update = 100;

std::string_view view_of(beast::string_view text) { return {text.data(), text.size()}; }

std::optional<AdminRefusal> refusal_for(const State& state, const Request& request, const AdminRequest& asked) {
  AdminCall call;
  call.is_local = state.file != nullptr;
  call.changes = changes_something(asked.method, asked.path);
  call.host = view_of(request[http::field::host]);
  call.origin = view_of(request[http::field::origin]);
  call.fetch_site = view_of(request["Sec-Fetch-Site"]);
  call.authorization = view_of(request[http::field::authorization]);
  call.content_type = view_of(request[http::field::content_type]);
  call.has_body = !request.body().empty();
  return refusal_of(call, state.desk.snapshot()->secrets.admin_token);
}

AdminRequest asked_in(const Request& request) {
  AdminRequest asked;
  asked.method = view_of(request.method_string());
  const std::string_view target = view_of(request.target());
  const auto question = target.find('?');
  asked.path = target.substr(0, question);
  if (question != std::string_view::npos) asked.query = target.substr(question + 1);
  asked.body = request.body();
  return asked;
}

void put(Response& response, AdminAnswer answer) {
  response.result(static_cast<unsigned>(answer.status));
  response.set(http::field::content_type, answer.type);
  response.set(http::field::cache_control, "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  response.set("X-Frame-Options", "DENY");
  response.set("Referrer-Policy", "no-referrer");
  response.set("Cross-Origin-Resource-Policy", "same-origin");
  response.set("Content-Security-Policy", answer.type.starts_with("text/html")
                                              ? beast::string_view(admin_page_policy())
                                              : beast::string_view("default-src 'none'; frame-ancestors 'none'"));
  if (!answer.allow.empty()) response.set(http::field::allow, answer.allow);
  if (answer.status == 401) response.set(http::field::www_authenticate, "Bearer realm=\"keygate-admin\"");
  response.body() = std::move(answer.body);
}

std::string event_text(std::string_view name, const json::value& data) {
  return "event: " + std::string(name) + "\ndata: " + json::serialize(data) + "\n\n";
}

// How many exchanges were gone before anybody could see them.
std::uint64_t count_missed(const std::vector<proxy::Recent>& recent, const std::vector<std::uint64_t>& seen) {
  std::uint64_t missed = 0;
  for (std::size_t i = 0; i < recent.size(); ++i) {
    const std::uint64_t before = i < seen.size() ? seen[i] : recent[i].last;
    missed += recent[i].last - before > recent[i].lines.size() ? recent[i].last - before - recent[i].lines.size() : 0;
  }
  return missed;
}

// Status, dependencies and routes each second; decisions as they come. `seen`: how many of each worker's have been
// told.
Awaitable<std::string> next_events(std::shared_ptr<State> state, DecisionFilter filter, bool is_update,
                                   std::vector<std::uint64_t>& seen) {
  std::string text;
  if (is_update) {
    const std::shared_ptr<const Totals> totals = co_await surveyed(state->io, state->desk);
    const auto snapshot = state->desk.snapshot();
    json::object update;
    update["status"] = status_json(state->desk, *totals);
    update["dependencies"] = dependencies_json(*snapshot, *totals);
    update["routes"] = routes_json(*snapshot, *totals, routes_in_update);
    text += event_text("update", update);
  }
  const std::vector<proxy::Recent> recent = co_await surveyed_recent(state->io, state->desk, seen);
  std::uint64_t missed = count_missed(recent, seen);
  seen.resize(recent.size());
  for (std::size_t i = 0; i < recent.size(); ++i) seen[i] = recent[i].last;
  json::object told;
  std::uint64_t left_out = 0;
  told["decisions"] = decisions_json(recent, filter, &left_out);
  missed += left_out;
  told["missed"] = missed;
  const bool is_worth_telling = missed > 0 || !told["decisions"].get_array().empty();
  if (is_worth_telling) {
    text += event_text("decisions", told);
  }
  co_return text;
}

Awaitable<void> stream_events(std::shared_ptr<State> state, Stream& stream, DecisionFilter filter) {
  static constexpr std::string_view head =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
      "X-Content-Type-Options: nosniff\r\nCross-Origin-Resource-Policy: same-origin\r\nConnection: close\r\n\r\n"
      "retry: 1000\n\n";
  stream.expires_after(request_limit);
  const auto head_bytes = net::buffer(head.data(), head.size());
  const auto [head_error, head_size] = co_await net::async_write(stream, head_bytes, use_tuple);
  bool has_failed = static_cast<bool>(head_error);
  std::vector<std::uint64_t> seen;
  proxy::SteadyTimer pause(state->io);
  for (unsigned round = 0; !has_failed && state->acceptor.is_open(); ++round) {
    std::string text = co_await next_events(state, filter, round % events_an_update == 0, seen);
    if (text.empty()) {
      text = ":\n\n";  // so that one who has left is noticed
    }
    stream.expires_after(request_limit);
    const auto bytes = net::buffer(text);
    const auto [error, size] = co_await net::async_write(stream, bytes, use_tuple);
    has_failed = static_cast<bool>(error);
    pause.expires_after(event_interval);
    co_await pause.async_wait(use_tuple);
  }
}

Awaitable<AdminAnswer> answer_to(std::shared_ptr<State> state, const Request& request) {
  AdminRequest asked = asked_in(request);
  if (const auto refused = refusal_for(*state, request, asked)) {
    if (refused->status == 401) {
      telemetry::log_seldom(telemetry::Level::warn, "admin_token",
                            "the admin listener refused a call without its token");
    }
    co_return admin_problem(refused->status, refused->code, refused->detail);
  }
  if (changes_something(asked.method, asked.path)) {
    telemetry::audit("admin: " + asked.method + " " + asked.path);
  }
  co_return co_await admin_answer(state->io, state->desk, std::move(asked));
}

// The filter, where the call is one for events and may be answered.
std::optional<DecisionFilter> events_wanted(const State& state, const Request& request) {
  const AdminRequest asked = asked_in(request);
  DecisionFilter filter;
  const bool is_one = asked.path == "/api/events" && asked.method == "GET" &&
                      state.streams < AdminServer::max_streams && !refusal_for(state, request, asked) &&
                      !DecisionFilter::read(asked.query, filter);
  return is_one ? std::optional(std::move(filter)) : std::nullopt;
}

Awaitable<void> serve(std::shared_ptr<State> state, Stream stream) {
  beast::flat_buffer buffer(max_header + max_body);
  auto limit = first_limit;
  for (bool keeps = true; keeps;) {
    http::request_parser<http::string_body> parser;
    parser.header_limit(max_header);
    parser.body_limit(max_body);
    stream.expires_after(limit);
    limit = idle_limit;
    state->waiting.push_back(&stream);
    const auto [read_error, read] = co_await http::async_read(stream, buffer, parser, use_tuple);
    state->waiting.remove(&stream);
    if (read_error) {
      co_return;
    }
    const Request& request = parser.get();
    if (auto filter = events_wanted(*state, request)) {
      ++state->streams;
      DecisionFilter wanted = std::move(*filter);
      co_await stream_events(state, stream, std::move(wanted));
      --state->streams;
      co_return;
    }
    AdminAnswer answer;
    if (asked_in(request).path == "/api/events" && state->streams >= AdminServer::max_streams) {
      answer = admin_problem(503, "overloaded", "As many follow the events as may.");
    } else {
      answer = co_await answer_to(state, request);
    }
    Response response;
    response.version(11);
    put(response, std::move(answer));
    keeps = request.keep_alive();
    response.keep_alive(keeps);
    response.prepare_payload();
    stream.expires_after(request_limit);
    const auto [write_error, written] = co_await http::async_write(stream, response, use_tuple);
    if (write_error) {
      co_return;
    }
  }
}

Awaitable<void> accept_all(std::shared_ptr<State> state) {
  while (state->acceptor.is_open()) {
    auto [error, socket] = co_await state->acceptor.async_accept(use_tuple);
    if (error == net::error::operation_aborted) {
      co_return;
    }
    if (error) {
      state->pause.expires_after(accept_backoff);
      co_await state->pause.async_wait(use_tuple);
      continue;
    }
    if (state->connections >= AdminServer::max_connections) {
      if (state->waiting.empty()) {
        continue;  // closed at once
      }
      state->waiting.front()->close();  // so that nobody shuts us out by connecting and saying nothing
      state->waiting.pop_front();
    }
    ++state->connections;
    Stream stream(std::move(socket));
    net::co_spawn(state->io, serve(state, std::move(stream)), [state](const std::exception_ptr& thrown) {
      --state->connections;
      if (thrown) telemetry::log(telemetry::Level::error, "a call of the admin listener ended by a fault");
    });
  }
}

}  // namespace

AdminServer::AdminServer(std::shared_ptr<State> state) : state_(std::move(state)) {}

AdminServer::~AdminServer() {
  error_code ignored;
  state_->acceptor.close(ignored);
}

Result<std::unique_ptr<AdminServer>> AdminServer::open(net::io_context& io, const config::AdminSettings& settings,
                                                       AdminDesk desk) {
  const config::ListenerSettings& address = settings.address;
  if (const error_code taken = proxy::probe_address(address)) {
    return taken;
  }
  Result<proxy::ListeningSocket> opened = proxy::open_listener(address, 0600);
  if (!opened) {
    return opened.error();
  }
  const bool is_v6 = address.host.find(':') != std::string::npos;
  const int family = opened->file ? AF_UNIX : is_v6 ? AF_INET6 : AF_INET;
  proxy::StreamAcceptor acceptor(io, proxy::StreamProtocol(family, opened->file ? 0 : IPPROTO_TCP), opened->descriptor);
  auto state = std::make_shared<State>(io, std::move(acceptor), std::move(opened->file), std::move(desk));
  net::co_spawn(io, accept_all(state), [](const std::exception_ptr& thrown) {
    if (thrown) telemetry::log(telemetry::Level::error, "the admin listener ended by a fault");
  });
  return std::unique_ptr<AdminServer>(new AdminServer(std::move(state)));
}

}  // namespace keygate::app
