// One client of the key server, from accept to close: its requests one after the other, each within its limits.
#pragma once

#include "app/key_api.hpp"
#include "app/key_seats.hpp"
#include "app/key_store_thread.hpp"
#include "keys/asio.hpp"
#include "keys/revocation_sink.hpp"
#include "proxy/sockets.hpp"

#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace keygate::app {

struct KeyConnection {
  explicit KeyConnection(proxy::TcpSocket socket) : stream(std::move(socket)) {}
  boost::beast::basic_stream<proxy::Tcp, Executor> stream;
  boost::beast::flat_buffer buffer;
  bool is_idle = true;  // between two requests
};

// What all sessions share. On the server's one thread.
struct KeyServerState {
  explicit KeyServerState(net::io_context& context) : io(context) {}

  net::io_context& io;
  std::shared_ptr<const ApiRules> rules;
  std::unique_ptr<keys::RevocationSink> sink;  // null: nobody can be told
  std::unique_ptr<KeyStoreThread> store;
  std::vector<KeyConnection*> connections;
  KeySeats seats;  // of calls in the managing lane
  bool is_draining = false;
};

// Ends when the client leaves, a limit passes, or the state drains.
Awaitable<void> serve(std::shared_ptr<KeyConnection> connection, std::shared_ptr<KeyServerState> state);

}  // namespace keygate::app
