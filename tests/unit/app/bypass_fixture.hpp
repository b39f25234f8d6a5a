// A check that looks every other millisecond. 127.0.0.2 stands for the address of this machine that others reach.
#pragma once

#include "app/bypass_check.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace keygate::app {

using Tcp = net::ip::tcp;

inline const net::ip::address other_address = net::ip::make_address("127.0.0.2");

inline std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

// Something that takes connections there, at `port` or any free one.
class Application {
 public:
  Application(net::io_context& io, const net::ip::address& address, std::uint16_t port = 0)
      : acceptor_(io, Tcp::endpoint(address, port)) {
    accept();
  }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  std::size_t connections() const { return connections_; }

 private:
  void accept() {
    acceptor_.async_accept([this](error_code error, const Tcp::socket&) {
      if (error) return;
      ++connections_;
      accept();
    });
  }
  Tcp::acceptor acceptor_;
  std::size_t connections_ = 0;
};

class Bypass : public testing::Test {
 protected:
  void add_upstream(const std::string& name, const std::string& host, std::uint16_t port) {
    config::EndpointSettings endpoint;
    endpoint.host = host;
    endpoint.port = port;
    settings.upstreams.emplace_back();
    settings.upstreams.back().name = name;
    settings.upstreams.back().endpoints.push_back(endpoint);
  }
  void listen_at(const std::string& host, std::uint16_t port) {
    settings.listeners.emplace_back();
    settings.listeners.back().host = host;
    settings.listeners.back().port = port;
  }
  // What is known once it has been looked `times` times: the look after them has begun.
  const std::vector<BypassCheck::Finding>& look(std::size_t times = 1) {
    for (looked_ = 0; looked_ <= times;) {
      if (io.run_one_for(std::chrono::seconds(10)) == 0) break;
    }
    return check.findings();
  }

  net::io_context io{1};
  config::Settings settings;
  std::size_t looked_ = 0;
  std::optional<std::vector<net::ip::address>> addresses{{other_address}};
  BypassCheck check{io,
                    [this] {
                      ++looked_;
                      return addresses;
                    },
                    std::chrono::milliseconds(1)};
};

}  // namespace keygate::app
