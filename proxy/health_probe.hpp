// One question to an endpoint, on a connection of its own with nothing of any client's: can it be reached, and is it
// well? Asked by health_check again and again, by app/forwarded_probes, and once by `keygate check --connect`.
#pragma once

#include "proxy/endpoint.hpp"
#include "proxy/stream.hpp"

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace keygate::proxy {

// The status that the first line of a response states; nullopt: it is no such line. Pure.
std::optional<int> status_in(std::string_view line);

// Finds the status of the final answer behind interim ones (RFC 9110 §15.2), in whatever pieces they come. Pure.
class StatusReader {
 public:
  static constexpr int max_interim = 8;

  // False: that was enough. A status that is still 0 is then none: this is not HTTP.
  bool read(std::string_view bytes);
  int status() const { return status_; }

 private:
  bool take_line();

  std::string line_;
  std::size_t size_ = 0;
  int status_ = 0, interim_ = 0;
  bool is_in_fields_ = false;  // of an interim answer
};

class HealthProbe : public std::enable_shared_from_this<HealthProbe> {
 public:
  // `path`: what is asked for with GET; empty: whoever takes a connection, TLS included, is well.
  HealthProbe(net::io_context& io, std::shared_ptr<Endpoint> endpoint, const std::string& path,
              std::chrono::milliseconds timeout);

  // Why it is not well, or an empty text; within `timeout`, from the name to the status: each address of it in turn
  // until one is open, and none takes more than its share of that time. Held by its caller meanwhile.
  Awaitable<std::string> ask();
  // What it answered last: what stands in its first line; 0: nothing that is HTTP.
  int status() const { return status_; }
  // What is left of the answer, so that the endpoint is not reset while it still writes; then the connection is closed.
  Awaitable<void> finish();

  // Ends what is under way.
  void cancel();
  // There was no descriptor to ask with: its flaw says nothing of the endpoint.
  bool is_our_fault() const { return is_our_fault_; }

 private:
  Awaitable<std::string> try_once();
  Awaitable<error_code> open_any();
  Awaitable<std::string> read_status();
  void limit();
  void limit_one_of(std::size_t addresses);
  void end_try();

  const std::shared_ptr<Endpoint> endpoint_;
  const std::string request_;
  const std::chrono::milliseconds timeout_;
  const std::shared_ptr<TlsSession> session_;
  Stream stream_;
  SteadyTimer limit_, share_;
  SteadyTimer* waits_for_ = nullptr;
  std::array<char, 1024> answer_;
  int status_ = 0;
  bool is_late_ = false, is_cancelled_ = false, is_our_fault_ = false;
};

}  // namespace keygate::proxy
