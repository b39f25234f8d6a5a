#include "tests/support/raw_client.hpp"

#include <algorithm>
#include <stdexcept>

namespace keygate::test {

bool RawClient::send_split(std::string_view bytes) {
  constexpr std::size_t one_by_one = 4096;
  std::size_t at = 0;
  while (at < bytes.size()) {
    const std::size_t size = at < one_by_one ? 1 : std::min<std::size_t>(64, bytes.size() - at);
    if (!socket_.send(bytes.substr(at, size))) {
      return false;
    }
    at += size;
  }
  return true;
}

Arrival RawClient::more(std::chrono::milliseconds limit) {
  if (is_end_) {
    return Arrival::end;
  }
  const std::size_t before = unread_.size();
  const Arrival arrival = receive(socket_, unread_, limit);
  received_.append(unread_, before);
  is_end_ = arrival == Arrival::end || arrival == Arrival::reset;
  return arrival;
}

Response RawClient::read_response(AnswerTo method) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    if (auto response = test::read_response(unread_, method, is_end_)) {
      unread_.erase(0, response->size);
      return *response;
    }
    if (is_end_) {
      throw std::runtime_error("the connection ended before a complete response; got: " + unread_.substr(0, 400));
    }
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0 || more(left) == Arrival::nothing) {
      throw std::runtime_error("no complete response in time; got: " + unread_.substr(0, 400));
    }
  }
}

Response RawClient::ask(std::string_view request, AnswerTo method) {
  send(request);
  return read_response(method);
}

std::string RawClient::read_to_end() {
  while (!is_end_) {
    if (more(patience) == Arrival::nothing) {
      throw std::runtime_error("the connection stays open; got: " + unread_.substr(0, 400));
    }
  }
  return std::move(unread_);
}

bool RawClient::is_ended(std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!is_end_ && unread_.empty()) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0 || more(left) == Arrival::nothing) {
      return false;
    }
  }
  return is_end_ && unread_.empty();
}

const std::string& RawClient::unread() {
  more(std::chrono::milliseconds(0));
  return unread_;
}

Response ask(std::uint16_t port, std::string_view request, AnswerTo method) {
  RawClient client(port);
  return client.ask(request, method);
}

}  // namespace keygate::test
