#include "app/admin_client.hpp"

#include "app/explain_paper.hpp"
#include "app/keys_place.hpp"
#include "config/address.hpp"
#include "config/loader.hpp"
#include "keys/secret_file.hpp"
#include "proxy/sockets.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <array>
#include <exception>
#include <optional>
#include <utility>
#include <variant>

namespace keygate::app {

namespace http = boost::beast::http;

namespace {

using Stream = boost::beast::basic_stream<proxy::StreamProtocol, Executor>;
using Request = http::request<http::string_body>;

constexpr std::chrono::seconds begin_limit{10};
constexpr std::chrono::seconds silence_limit{30};  // the events have a sign of life twice a second
constexpr std::uint64_t max_body = 64U << 20U;

proxy::StreamEndpoint endpoint_of(const config::ListenerSettings& address) {
  if (!address.socket.empty()) return net::local::stream_protocol::endpoint(address.socket);
  const bool is_any = address.host == "0.0.0.0" || address.host == "::";
  const std::string host = is_any ? (address.host == "::" ? "::1" : "127.0.0.1") : address.host;
  return net::ip::tcp::endpoint(net::ip::make_address(host), address.port);
}

std::string host_of(const config::ListenerSettings& address) {
  return address.socket.empty() ? name_of(address) : "localhost";
}

Refusal nobody_there(const config::ListenerSettings& address, const error_code& error) {
  return Refusal{1, name_of(address) + ": " + error.message()};
}

http::request<http::string_body> request_of(const config::ListenerSettings& address, const std::string& token,
                                            std::string_view method, std::string_view target, std::string_view body) {
  http::request<http::string_body> request;
  request.method_string({method.data(), method.size()});
  request.target({target.data(), target.size()});
  request.version(11);
  request.keep_alive(false);
  request.set(http::field::host, host_of(address));
  if (!token.empty()) request.set(http::field::authorization, "Bearer " + token);
  if (!body.empty()) request.set(http::field::content_type, "application/json");
  request.body() = body;
  request.prepare_payload();
  return request;
}

void rethrow(const std::exception_ptr& thrown) {
  if (thrown) std::rethrow_exception(thrown);
}

Awaitable<void> exchange(net::io_context& io, const config::ListenerSettings& address, const Request& request,
                         std::chrono::seconds limit, AdminReply& reply, error_code& failed) {
  Stream stream(io);
  stream.expires_after(limit);
  const proxy::StreamEndpoint endpoint = endpoint_of(address);
  const auto [connect_error] = co_await stream.async_connect(endpoint, use_tuple);
  failed = connect_error;
  if (failed) {
    co_return;
  }
  const auto [write_error, written] = co_await http::async_write(stream, request, use_tuple);
  failed = write_error;
  if (failed) {
    co_return;
  }
  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(max_body);
  const auto [read_error, read] = co_await http::async_read(stream, buffer, parser, use_tuple);
  failed = read_error;
  if (!failed) {
    reply.status = static_cast<int>(parser.get().result_int());
    reply.body = parser.get().body();
  }
}

// How a stream of events began, and why it ended.
struct Followed {
  int status = 0;  // 0: nobody answered
  std::string body;
  error_code error;
};

// What is whole of `text`, event by event, taken from it. False: no more is wanted.
bool tell(std::string& text, const std::string& begin, const std::function<bool(std::string_view)>& on_event) {
  for (auto end = text.find("\n\n"); end != std::string::npos; end = text.find("\n\n")) {
    const std::string_view event(text.data(), end);
    if (event.starts_with(begin) && !on_event(event.substr(begin.size()))) return false;
    text.erase(0, end + 2);
  }
  return true;
}

Awaitable<void> follow_events(net::io_context& io, const config::ListenerSettings& address, const Request& request,
                              const std::string& begin, const std::function<bool(std::string_view)>& on_event,
                              Followed& followed) {
  Stream stream(io);
  stream.expires_after(begin_limit);
  const proxy::StreamEndpoint endpoint = endpoint_of(address);
  const auto [connect_error] = co_await stream.async_connect(endpoint, use_tuple);
  followed.error = connect_error;
  if (followed.error) {
    co_return;
  }
  const auto [write_error, written] = co_await http::async_write(stream, request, use_tuple);
  followed.error = write_error;
  if (followed.error) {
    co_return;
  }
  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  const auto [read_error, read] = co_await http::async_read_header(stream, buffer, parser, use_tuple);
  followed.error = read_error;
  if (followed.error) {
    co_return;
  }
  followed.status = static_cast<int>(parser.get().result_int());
  std::string text = boost::beast::buffers_to_string(buffer.data());
  if (followed.status != 200) {
    followed.body = text;
    co_return;
  }
  std::array<char, 16 * 1024> room;
  while (!followed.error && tell(text, begin, on_event)) {
    stream.expires_after(silence_limit);
    const auto place = net::buffer(room);
    const auto [error, size] = co_await stream.async_read_some(place, use_tuple);
    followed.error = error;
    text.append(room.data(), size);
  }
}

std::string token_in(const config::SecretSettings& secret) {
  auto read = keys::read_secret(secret);
  if (const auto* fault = std::get_if<config::Fault>(&read)) throw Refusal{2, fault->message};
  return std::get<std::string>(read);
}

config::ListenerSettings parsed_address(const std::string& text) {
  auto parsed = config::parse_listener_address(text);
  if (const auto* fault = std::get_if<config::Fault>(&parsed)) throw Refusal{2, "--admin: " + fault->message};
  return std::get<config::ListenerSettings>(parsed);
}

}  // namespace

AdminClient AdminClient::from(const AdminPlace& place, bool may_be_health) {
  AdminClient client;
  std::optional<config::SecretSettings> token;
  if (!place.token_file.empty())
    token = config::SecretSettings{config::SecretSettings::Kind::file, place.token_file, {}};
  if (!place.address.empty()) {
    client.address_ = parsed_address(place.address);
  } else if (!place.config.empty()) {
    const config::Loaded loaded = config::load_file(place.config);
    const auto settings = loaded.settings ? loaded.settings : loaded.draft;
    if (!settings) throw Refusal{2, place.config + " cannot be read: keygate check -c " + place.config + " says why"};
    if (settings->admin) {
      client.address_ = settings->admin->address;
      if (!token) token = settings->admin->token;
    } else if (may_be_health && settings->health) {
      client.address_ = settings->health->address;
    } else {
      throw Refusal{2, place.config + " has no admin listener: write admin: {address: unix:/run/keygate/admin.sock}"};
    }
  } else {
    throw Refusal{2, "say which proxy: -c FILE, or --admin ADDRESS"};
  }
  if (token) client.token_ = token_in(*token);
  return client;
}

AdminReply AdminClient::ask(std::string_view method, std::string_view target, std::string_view body,
                            std::chrono::seconds limit) const {
  net::io_context io{1};
  const auto request = request_of(address_, method == "POST" ? token_ : std::string(), method, target, body);
  AdminReply reply;
  error_code error;
  net::co_spawn(io, exchange(io, address_, request, limit, reply, error), rethrow);
  io.run();
  if (error) throw nobody_there(address_, error);
  return reply;
}

void AdminClient::follow(std::string_view target, std::string_view name,
                         const std::function<bool(std::string_view data)>& on_event) const {
  net::io_context io{1};
  const auto request = request_of(address_, {}, "GET", target, {});
  const std::string begin = "event: " + std::string(name) + "\ndata: ";
  Followed followed;
  net::co_spawn(io, follow_events(io, address_, request, begin, on_event, followed), rethrow);
  io.run();
  if (followed.status == 0) throw nobody_there(address_, followed.error);
  if (followed.status != 200) {
    throw Refusal{1,
                  name_of(address_) + " answers " + std::to_string(followed.status) + ": " + harmless(followed.body)};
  }
}

}  // namespace keygate::app
