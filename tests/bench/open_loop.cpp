// What do clients wait who ask when they please, and not when the last answer has come? Requests are due at random
// times (a Poisson process of the given rate). Each goes over whichever of the connections is free, or waits for one;
// what it waited is counted from the time it was due, so that a proxy that stands still is not spared the requests it
// would have got. Run by `./dev bench --latency`. Usage: open_loop PORT PATH RATE SECONDS CONNECTIONS [HEADER…]; the
// first half second is not counted.
#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <iostream>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;
using Seconds = std::chrono::duration<double>;

constexpr Seconds warm_up{0.5};
constexpr Seconds patience{10};  // for answers that are still to come at the end

struct Plan {
  std::uint16_t port = 0;
  std::string request;
  double rate = 0;
  Seconds length{};
  std::size_t connections = 0;
};

[[noreturn]] void fail(const std::string& what) { throw std::system_error(errno, std::generic_category(), what); }

class Connection {
 public:
  explicit Connection(std::uint16_t port) : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("connect");
    const int on = 1;
    ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~Connection() { ::close(descriptor_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int descriptor() const { return descriptor_; }
  Clock::time_point due() const { return due_; }

  void ask(const std::string& request, Clock::time_point due) {
    due_ = due;
    answer_.clear();
    // The socket's buffer is empty, so there is room for it.
    if (::send(descriptor_, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
      fail("send");
  }

  // Whether the answer is complete now.
  bool read() {
    std::array<char, 16384> part;
    const ssize_t size = ::recv(descriptor_, part.data(), part.size(), MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN) return false;
    if (size < 0) fail("recv");
    if (size == 0) throw std::runtime_error("the connection was closed after: " + answer_.substr(0, 200));
    answer_.append(part.data(), static_cast<std::size_t>(size));
    const std::size_t end = answer_.find("\r\n\r\n");
    return end != std::string::npos &&
           answer_.size() >= end + 4 + content_length(std::string_view(answer_).substr(0, end));
  }

 private:
  static std::size_t content_length(std::string_view head) {
    constexpr std::string_view name = "\r\ncontent-length: ";
    if (!head.starts_with("HTTP/1.1 200"))
      throw std::runtime_error("the answer is: " + std::string(head.substr(0, 200)));
    const auto is_same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + ('a' - 'A') : a) == b; };
    const auto at = std::search(head.begin(), head.end(), name.begin(), name.end(), is_same);
    if (at == head.end()) throw std::runtime_error("an answer without Content-Length: " + std::string(head));
    std::size_t length = 0;
    std::from_chars(at + name.size(), head.end(), length);
    return length;
  }

  int descriptor_;
  Clock::time_point due_;
  std::string answer_;
};

class Load {
 public:
  explicit Load(const Plan& plan) : plan_(plan), gap_(plan.rate), epoll_(::epoll_create1(0)) {
    ::prctl(PR_SET_TIMERSLACK, 1UL);  // or a wait is 50 us longer than asked
    for (std::size_t i = 0; i < plan.connections; ++i) {
      free_.push_back(&connections_.emplace_back(plan.port));
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.ptr = free_.back();
      if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, free_.back()->descriptor(), &event) != 0) fail("epoll_ctl");
    }
  }
  ~Load() { ::close(epoll_); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  void run() {
    const Clock::time_point begin = Clock::now();
    const Clock::time_point last = begin + std::chrono::duration_cast<nanoseconds>(warm_up + plan_.length);
    counted_from_ = begin + std::chrono::duration_cast<nanoseconds>(warm_up);
    Clock::time_point next = begin;
    while (true) {
      const Clock::time_point now = Clock::now();
      for (; next <= now && next < last; next += std::chrono::duration_cast<nanoseconds>(Seconds(gap_(random_)))) {
        waiting_.push_back(next);
      }
      send_waiting();
      if (next >= last && waiting_.empty() && free_.size() == connections_.size()) return;
      if (now > last + std::chrono::duration_cast<nanoseconds>(patience))
        throw std::runtime_error("answers are missing");
      wait(next < last ? next - Clock::now() : nanoseconds(std::chrono::milliseconds(100)));
    }
  }

  // One line of JSON, in microseconds.
  void report() {
    std::sort(waits_.begin(), waits_.end());
    std::cout << "{\"answered\": " << waits_.size() << ", \"late\": " << late_;
    for (const auto& [name, share] :
         {std::pair("p50", 0.5), {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1.0}}) {
      const auto at = static_cast<std::size_t>(share * static_cast<double>(waits_.size() - 1));
      std::cout << ", \"" << name << "\": " << static_cast<double>(waits_.at(at)) / 1000;
    }
    std::cout << "}\n";
  }

 private:
  void send_waiting() {
    while (!waiting_.empty() && !free_.empty()) {
      Connection* connection = free_.back();
      free_.pop_back();
      connection->ask(plan_.request, waiting_.front());
      waiting_.pop_front();
    }
    if (!waiting_.empty()) ++late_;  // no connection is free: the rate is more than is borne
  }

  void wait(nanoseconds most) {
    const auto time = std::max(most, nanoseconds(0)).count();
    const timespec limit{.tv_sec = time / 1'000'000'000, .tv_nsec = time % 1'000'000'000};
    std::array<epoll_event, 256> events;
    const int count = ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &limit, nullptr);
    if (count < 0 && errno != EINTR) fail("epoll_pwait2");
    for (int i = 0; i < count; ++i) {
      auto* connection = static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
      if (!connection->read()) continue;
      if (connection->due() >= counted_from_) waits_.push_back((Clock::now() - connection->due()).count());
      free_.push_back(connection);
    }
  }

  const Plan& plan_;
  std::mt19937_64 random_{1};
  std::exponential_distribution<double> gap_;
  int epoll_;
  std::deque<Connection> connections_;
  std::vector<Connection*> free_;
  std::deque<Clock::time_point> waiting_;  // when each was due
  std::vector<std::int64_t> waits_;        // nanoseconds
  std::size_t late_ = 0;
  Clock::time_point counted_from_;
};

Plan plan_of(const std::vector<std::string>& words) {
  if (words.size() < 5) throw std::runtime_error("usage: open_loop PORT PATH RATE SECONDS CONNECTIONS [HEADER…]");
  Plan plan;
  plan.port = static_cast<std::uint16_t>(std::stoul(words[0]));
  plan.rate = std::stod(words[2]);
  plan.length = Seconds(std::stod(words[3]));
  plan.connections = std::stoul(words[4]);
  plan.request = "GET " + words[1] + " HTTP/1.1\r\nHost: api.example.com\r\n";
  for (std::size_t i = 5; i < words.size(); ++i) plan.request += words[i] + "\r\n";
  plan.request += "\r\n";
  return plan;
}

}  // namespace

int main(int count, char** words) {
  try {
    const Plan plan = plan_of({words + 1, words + count});
    Load load(plan);
    load.run();
    load.report();
  } catch (const std::exception& error) {
    std::cerr << "open_loop: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
