#include "app/key_client.hpp"

#include "app/keys_place.hpp"
#include "config/dependency_url.hpp"
#include "keys/asio.hpp"
#include "keys/secret_file.hpp"
#include "proxy/sockets.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <openssl/ssl.h>

#include <chrono>
#include <exception>
#include <optional>
#include <utility>
#include <variant>

namespace keygate::app {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace json = boost::json;
using Stream = beast::basic_stream<proxy::Tcp, Executor>;
using TlsStream = net::ssl::stream<Stream&>;
using Resolver = net::ip::basic_resolver<proxy::Tcp, Executor>;
using Request = http::request<http::string_body>;
using Parser = http::response_parser<http::string_body>;

constexpr std::chrono::seconds limit{10};
constexpr std::uint64_t max_body = 64ULL * 1024 * 1024;

Request request_for(const KeyServicePlace& place, std::string_view method, const std::string& target,
                    const json::object& body) {
  const config::ServiceUrl& url = place.url;
  Request request;
  request.version(11);
  request.method_string({method.data(), method.size()});
  request.target(target);
  const bool is_v6 = url.host.find(':') != std::string::npos;
  request.set(http::field::host, (is_v6 ? "[" + url.host + "]" : url.host) + ":" + std::to_string(url.port));
  request.set(http::field::authorization, "Bearer " + place.token);
  request.set(http::field::accept, "application/json");
  request.set(http::field::connection, "close");
  if (!body.empty()) {
    request.set(http::field::content_type, "application/json");
    request.body() = json::serialize(body);
  }
  request.prepare_payload();
  return request;
}

template <class Any>
Awaitable<error_code> exchange(Any& stream, Request& request, Parser& parser) {
  const auto [write_error, written] = co_await http::async_write(stream, request, use_tuple);
  if (write_error) {
    co_return write_error;
  }
  beast::flat_buffer buffer;
  const auto [error, read] = co_await http::async_read(stream, buffer, parser, use_tuple);
  co_return error;
}

// SNI (RFC 6066), which has no addresses. What SSL_set_tlsext_host_name is short for.
void say_host(TlsStream& tls, std::string host) {
  error_code is_no_address;
  net::ip::make_address(host, is_no_address);
  if (is_no_address)
    SSL_ctrl(tls.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data());
}

Awaitable<error_code> exchange_over_tls(Stream& stream, const KeyServicePlace& place, Request& request,
                                        Parser& parser) {
  net::ssl::context context(net::ssl::context::tls_client);
  error_code error;
  context.set_options(net::ssl::context::no_tlsv1 | net::ssl::context::no_tlsv1_1, error);
  if (place.ca_file.empty()) {
    context.set_default_verify_paths(error);
  } else {
    context.load_verify_file(place.ca_file, error);
  }
  if (error) {
    co_return error;
  }
  TlsStream tls(stream, context);
  tls.set_verify_mode(net::ssl::verify_peer, error);
  tls.set_verify_callback(net::ssl::host_name_verification(place.url.host), error);
  say_host(tls, place.url.host);
  const auto [failed] = co_await tls.async_handshake(net::ssl::stream_base::client, use_tuple);
  if (failed) {
    co_return failed;
  }
  co_return co_await exchange(tls, request, parser);
}

Awaitable<void> ask(net::io_context& io, const KeyServicePlace& place, Request& request, Parser& parser,
                    error_code& outcome) {
  Resolver resolver(io);
  const std::string port = std::to_string(place.url.port);
  const auto [resolve_error, addresses] = co_await resolver.async_resolve(place.url.host, port, use_tuple);
  outcome = resolve_error;
  if (outcome) {
    co_return;
  }
  Stream stream(io);
  stream.expires_after(limit);
  const auto [connect_error, endpoint] = co_await stream.async_connect(addresses, use_tuple);
  outcome = connect_error;
  if (outcome) {
    co_return;
  }
  if (place.url.is_tls) {
    outcome = co_await exchange_over_tls(stream, place, request, parser);
  } else {
    outcome = co_await exchange(stream, request, parser);
  }
}

json::object object_in(const std::string& body) {
  error_code error;
  json::value value = json::parse(body, error);
  return !error && value.is_object() ? std::move(value.as_object()) : json::object();
}

std::string text_in(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains({name.data(), name.size()});
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

}  // namespace

KeyServicePlace find_service(const std::string& url, const std::string& token_file, const std::string& ca_file) {
  auto parsed = config::parse_service_url(url);
  if (const auto* fault = std::get_if<config::Fault>(&parsed)) {
    throw Refusal{2, "--service: " + fault->message + (fault->hint.empty() ? "" : "; " + fault->hint)};
  }
  if (token_file.empty()) throw Refusal{2, "--service needs a token: name its file with --token-file FILE"};
  auto read = keys::read_secret({config::SecretSettings::Kind::file, token_file, {}});
  if (const auto* fault = std::get_if<config::Fault>(&read)) throw Refusal{1, "--token-file: " + fault->message};
  std::string& token = std::get<std::string>(read);
  if (token.find(' ') != std::string::npos) {
    throw Refusal{1, "--token-file: " + token_file + " has to hold one token, without blanks"};
  }
  KeyServicePlace place{std::get<config::ServiceUrl>(std::move(parsed)), std::move(token), ca_file};
  if (!ca_file.empty() && !place.url.is_tls) throw Refusal{2, "--ca-file: only https:// has certificates"};
  while (place.url.target.ends_with('/')) place.url.target.pop_back();
  return place;
}

std::string clear_text_warning(const KeyServicePlace& place) {
  if (place.url.is_tls || config::is_loopback(place.url.host)) return {};
  return "warning: the token goes to " + place.url.host + " in clear; use https://";
}

json::object ask_service(const KeyServicePlace& place, std::string_view method, const std::string& target,
                         const json::object& body) {
  net::io_context io{1};
  Request request = request_for(place, method, place.url.target + target, body);
  Parser parser;
  parser.body_limit(max_body);
  error_code outcome = net::error::timed_out;
  net::co_spawn(io, ask(io, place, request, parser, outcome), [&outcome](const std::exception_ptr& thrown) {
    if (thrown) outcome = net::error::fault;
  });
  io.run_for(limit + std::chrono::seconds{1});
  const std::string name = place.url.host + ":" + std::to_string(place.url.port);
  if (outcome) throw Refusal{1, "the key service at " + name + " does not answer: " + outcome.message()};
  if (!parser.is_done()) throw Refusal{1, "the key service at " + name + " does not answer in time"};
  const json::object answer = object_in(parser.get().body());
  const unsigned status = parser.get().result_int();
  if (status >= 200 && status < 300 && !answer.empty()) return answer;
  const std::string code = text_in(answer, "code");
  if (!code.empty()) throw Refusal{1, code + ": " + text_in(answer, "detail")};
  throw Refusal{1, "the key service at " + name + " answers " + std::to_string(status) + ", which is not an answer"};
}

}  // namespace keygate::app
