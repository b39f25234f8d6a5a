// The socket types of the data path: all on the one executor type (keys/asio.hpp).
#pragma once

#include "keys/asio.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>

namespace keygate::proxy {

using Tcp = net::ip::tcp;
using TcpSocket = net::basic_stream_socket<Tcp, Executor>;
using TcpAcceptor = net::basic_socket_acceptor<Tcp, Executor>;
// TCP or a unix socket, told apart while the process runs: no operation costs more for it.
using StreamProtocol = net::generic::stream_protocol;
using StreamEndpoint = StreamProtocol::endpoint;
using StreamSocket = net::basic_stream_socket<StreamProtocol, Executor>;
using StreamAcceptor = net::basic_socket_acceptor<StreamProtocol, Executor>;
using SteadyClock = std::chrono::steady_clock;
using SteadyTimer = net::basic_waitable_timer<SteadyClock, net::wait_traits<SteadyClock>, Executor>;

}  // namespace keygate::proxy
