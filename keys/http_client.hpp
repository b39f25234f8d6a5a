// One HTTP server as one worker asks it: its addresses, a pool of connections (last in, first out), and a limit on each
// request from its coming to its answer. Used by service_source, on its worker's thread only.
#pragma once

#include "config/resolution_settings.hpp"
#include "keys/asio.hpp"
#include "keys/client_tls.hpp"
#include "keys/http_message.hpp"
#include "keys/wiped_text.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace keygate::keys {

struct HttpLimits {
  std::size_t max_in_flight = 64;  // connections in use
  std::size_t max_waiting = 256;   // requests that wait for one
};

struct HttpAnswer {
  error_code error;       // errc, or none
  std::string cause;      // of the error, for the log: "it cannot be connected to: Connection refused"
  bool was_tried = true;  // false: it mostly waited for its turn, and its error says nothing of the server
  HttpResponse response;
};

struct HttpCounters {
  std::uint64_t requests = 0, connections = 0, retries = 0;
};

class HttpClient {
 public:
  using Done = std::function<void(HttpAnswer)>;

  // `url` is where to connect and whose name the certificate has to have; `tls` is null where it is http://.
  HttpClient(net::io_context& io, const config::ServiceUrl& url, std::shared_ptr<const ClientTls> tls,
             HttpLimits limits);
  ~HttpClient();  // `done` of what is under way is dropped
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Sends and reads one response. `done` is called once, never before this returns, and within `limit`. A pooled
  // connection that turns out to be closed before a byte has come is replaced once; nothing else is tried again, but
  // connecting, at each address of the name. Errors: unavailable, timed_out, overloaded at once where too many wait,
  // invalid_answer for a response that is not taken (http_connection.hpp). Redirects are answers like others.
  void send(WipedText request, std::chrono::milliseconds limit, Done done);

  std::size_t in_flight() const;
  std::size_t waiting() const;
  std::size_t idle() const;
  const HttpCounters& counters() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace keygate::keys
