#include "app/key_session.hpp"

#include "app/key_audit.hpp"
#include "app/key_call.hpp"
#include "keys/base62.hpp"
#include "telemetry/audit_log.hpp"
#include "telemetry/log.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/json/serialize.hpp>
#include <openssl/crypto.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>
#include <variant>

namespace keygate::app {
namespace {

namespace http = boost::beast::http;
using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;
using Parser = http::request_parser<http::string_body>;

constexpr std::uint32_t max_header = 16 * 1024;
constexpr std::uint64_t max_body = 64 * 1024;
constexpr std::size_t read_size = 4096;
constexpr std::chrono::seconds store_limit{10};  // the store waits 5 s for another process's lock
constexpr std::chrono::seconds push_limit{1};
constexpr std::chrono::seconds linger_limit{1};
constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

std::int64_t unix_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string new_request_id() {
  std::string id(22, '0');
  keys::fill_with_random_base62(id);
  return id;
}

// What another thread, or the sink, will bring to a session that waits for it.
template <class T>
struct Awaited {
  explicit Awaited(net::io_context& io) : timer(io) {}
  void bring(T brought) {
    value = std::move(brought);
    timer.cancel();
  }
  proxy::SteadyTimer timer;
  std::optional<T> value;  // still empty once the timer has ended: too late
};

Awaitable<Answer> done_by_store(std::shared_ptr<KeyServerState> state, Judged judged) {
  Answer none;
  none.problem = ApiProblem{ApiReason::store_unavailable, {}, {}};
  if (!state->store) {
    co_return none;  // the server is ending
  }
  const auto awaited = std::make_shared<Awaited<Answer>>(state->io);
  awaited->timer.expires_after(store_limit);
  auto& uses = state->store->uses();
  auto& io = state->io;
  const bool is_taken = state->store->add(judged.operation->lane, [awaited, judged, &uses, &io](keys::Store& store) {
    Answer answer = perform(*judged.operation, *judged.call, store, uses);
    net::post(io, [awaited, answer = std::move(answer)]() mutable { awaited->bring(std::move(answer)); });
  });
  if (!is_taken) {
    none.problem = ApiProblem{ApiReason::overloaded, {}, {}};
    co_return none;
  }
  co_await awaited->timer.async_wait(use_tuple);
  if (awaited->value) {
    co_return std::move(*awaited->value);
  }
  co_return none;
}

Awaitable<bool> pushed(std::shared_ptr<KeyServerState> state, keys::KeyDigest digest) {
  if (!state->sink) {
    co_return false;
  }
  const auto awaited = std::make_shared<Awaited<bool>>(state->io);
  awaited->timer.expires_after(push_limit);
  state->sink->changed(digest, keys::KeyChange::revoked, [awaited](bool is_pushed) { awaited->bring(is_pushed); });
  co_await awaited->timer.async_wait(use_tuple);
  co_return awaited->value.value_or(false);
}

void put_problem(Response& response, const ApiProblem& problem) {
  const ApiRow& known = row(problem.reason);
  response.result(static_cast<unsigned>(known.status));
  response.set(http::field::content_type, "application/problem+json");
  response.body() = boost::json::serialize(problem_json(problem, new_request_id())) + "\n";
  if (known.status == 401) {
    const bool is_missing = problem.reason == ApiReason::missing_credential;
    response.set(http::field::www_authenticate,
                 is_missing ? "Bearer realm=\"keygate\"" : "Bearer realm=\"keygate\", error=\"invalid_token\"");
  }
  if (known.status == 503) response.set(http::field::retry_after, "1");
}

void put_answer(Response& response, const Answer& answer) {
  if (answer.problem) return put_problem(response, *answer.problem);
  response.result(static_cast<unsigned>(answer.status));
  response.set(http::field::content_type, "application/json");
  response.body() = boost::json::serialize(answer.body) + "\n";
}

void log_call(const Judged& judged, const Answer& answer) {
  if (judged.operation == nullptr || !judged.call) return;
  const auto line = audit_line(*judged.operation, *judged.call, answer);
  if (!line) return;
  // Whoever has no token can have no lines without end.
  if (judged.call->asker == Asker::nobody) return telemetry::log_seldom(telemetry::Level::warn, "no_token", *line);
  telemetry::audit(*line);
}

// An answer, and the right to have it made, until it has been sent.
struct Reply {
  Response response;
  std::optional<KeySeats::Seat> seat;
};

bool has_seat(KeyServerState& state, const Judged& judged, Reply& reply) {
  if (judged.operation->lane == StoreLane::verify) return true;
  reply.seat = state.seats.take(judged.call->on_behalf.organization);
  return reply.seat.has_value();
}

Awaitable<void> answer_call(std::shared_ptr<KeyServerState> state, Judged judged, Reply& reply) {
  Answer answer;
  if (has_seat(*state, judged, reply)) {
    answer = co_await done_by_store(state, judged);
  } else {
    answer.problem = ApiProblem{ApiReason::overloaded, {}, {}};
  }
  if (answer.revoked) {
    const bool is_pushed = co_await pushed(state, *answer.revoked);
    answer.body["pushed"] = is_pushed;
  }
  log_call(judged, answer);
  put_answer(reply.response, answer);
}

Awaitable<void> answer_request(std::shared_ptr<KeyServerState> state, Request& request, Reply& reply) {
  if (request.target() == boost::beast::string_view(document_path.data(), document_path.size()) &&
      request.method() == http::verb::get) {
    Answer document;
    document.body = openapi_document();
    put_answer(reply.response, document);
    co_return;
  }
  auto made = judged(request, state->rules, unix_now());
  if (const auto* refused = std::get_if<Refused>(&made)) {
    Answer answer;
    answer.problem = refused->problem;
    log_call(refused->asked, answer);
    put_answer(reply.response, answer);
    if (!refused->allowed.empty()) reply.response.set(http::field::allow, refused->allowed);
    co_return;
  }
  const Judged ready = std::get<Judged>(std::move(made));
  co_await answer_call(state, ready, reply);
}

// Waits for a request's first bytes; false: the client has gone, or waited too long.
Awaitable<bool> has_more(KeyConnection& connection, std::chrono::milliseconds limit) {
  if (connection.buffer.size() > 0) {
    co_return true;
  }
  connection.is_idle = true;
  connection.stream.expires_after(limit);
  const auto place = connection.buffer.prepare(read_size);
  const auto [error, size] = co_await connection.stream.async_read_some(place, use_tuple);
  connection.buffer.commit(size);
  connection.is_idle = false;
  co_return !error;
}

// nullopt: there is nobody to answer.
std::optional<ApiReason> reason_for(boost::system::error_code error) {
  if (error == http::error::end_of_stream || error == http::error::partial_message) return std::nullopt;
  if (error == http::error::body_limit) return ApiReason::body_too_large;
  if (error == http::error::header_limit || error == http::error::buffer_overflow) return ApiReason::header_too_large;
  const bool is_of_http = error.category() == make_error_code(http::error::bad_value).category();
  return is_of_http ? std::optional(ApiReason::bad_request) : std::nullopt;
}

// A request as it came: all of it, or what is wrong with it, or neither, as there is nobody to answer.
struct Arrived {
  bool is_whole = false;
  std::optional<ApiProblem> flaw;
};

Arrived broken_off(error_code error) {
  const auto reason = reason_for(error);
  return {false, reason ? std::optional(ApiProblem{*reason, {}, {}}) : std::nullopt};
}

Awaitable<Arrived> read_request(KeyConnection& connection, Parser& parser, const config::LimitSettings& limits) {
  parser.header_limit(max_header);
  parser.body_limit(max_body);
  connection.stream.expires_after(limits.header_timeout);
  const auto [head_error, head] =
      co_await http::async_read_header(connection.stream, connection.buffer, parser, use_tuple);
  if (head_error) {
    co_return broken_off(head_error);
  }
  Arrived arrived;
  arrived.flaw = head_flaw(parser.get());
  if (arrived.flaw) {
    co_return arrived;
  }
  connection.stream.expires_after(limits.body_idle_timeout);
  if (boost::beast::iequals(parser.get()[http::field::expect], "100-continue")) {
    const auto line = net::buffer(continue_line);
    const auto [sent_error, sent] = co_await net::async_write(connection.stream, line, use_tuple);
    if (sent_error) {
      co_return arrived;
    }
  }
  const auto [error, size] = co_await http::async_read(connection.stream, connection.buffer, parser, use_tuple);
  if (error) {
    co_return broken_off(error);
  }
  arrived.is_whole = true;
  co_return arrived;
}

// Closing with unread bytes in the socket would reset it, and the answer might be lost on its way.
Awaitable<void> let_it_read(KeyConnection& connection) {
  error_code ignored;
  connection.stream.socket().shutdown(proxy::Tcp::socket::shutdown_send, ignored);
  connection.stream.expires_after(linger_limit);
  for (std::size_t left = max_body; left > 0;) {
    connection.buffer.clear();
    const auto place = connection.buffer.prepare(read_size);
    const auto [error, size] = co_await connection.stream.async_read_some(place, use_tuple);
    if (error) {
      co_return;
    }
    left -= std::min(left, size);
  }
}

}  // namespace

Awaitable<void> serve(std::shared_ptr<KeyConnection> connection, std::shared_ptr<KeyServerState> state) {
  for (bool keeps = true; keeps;) {
    const auto rules = state->rules;
    const config::LimitSettings& limits = rules->settings->limits;
    const bool is_there = co_await has_more(*connection, limits.idle_timeout);
    if (!is_there) {
      co_return;
    }
    Parser parser;
    const Arrived arrived = co_await read_request(*connection, parser, limits);
    Reply reply;
    Response& response = reply.response;
    response.version(11);
    response.set(http::field::cache_control, "no-store");
    if (arrived.is_whole) {
      co_await answer_request(state, parser.get(), reply);
    } else if (arrived.flaw) {
      put_problem(response, *arrived.flaw);
    } else {
      co_return;
    }
    keeps = arrived.is_whole && parser.get().keep_alive() && !state->is_draining;
    response.keep_alive(keeps);
    response.prepare_payload();
    // An answer to HEAD has no body, whatever it says of its length (RFC 9110, 9.3.2).
    if (parser.get().method() == http::verb::head) response.body().clear();
    connection->stream.expires_after(limits.body_idle_timeout);
    const auto [write_error, size] = co_await http::async_write(connection->stream, response, use_tuple);
    OPENSSL_cleanse(response.body().data(), response.body().size());  // a new key may stand in it
    if (write_error) {
      co_return;
    }
  }
  co_await let_it_read(*connection);
}

}  // namespace keygate::app
