#include "proxy/lingering.hpp"

#include "proxy/client.hpp"
#include "proxy/counted.hpp"

#include <boost/asio/buffer.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/socket.h>

namespace keygate::proxy {
namespace {

constexpr std::chrono::milliseconds step{1'000};  // how soon a drain is noticed, too
constexpr std::chrono::milliseconds most_silence{5'000};
constexpr std::uint64_t least_heard = 4 * 1024;  // less is as good as silence: who drips is not waited for
constexpr std::chrono::milliseconds most_time{30'000};
constexpr std::uint64_t most_bytes = 64ULL * 1024 * 1024;
constexpr std::size_t least_at_a_time = 16;  // of a worker; and an eighth of its clients
constexpr std::chrono::milliseconds unwanted_time{5'000};

// A TLS client's bytes are not deciphered for this. Returns their number; 0: it has closed, or broken off.
std::size_t discard(int socket) {
  std::array<char, 64 * 1024> scratch;
  const ssize_t size = ::recv(socket, scratch.data(), scratch.size(), MSG_DONTWAIT);
  if (size < 0) {
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 1 : 0;
  }
  return static_cast<std::size_t>(size);
}

}  // namespace

Awaitable<void> finish(Client& client) {
  client.limit(step);
  co_await client.stream.finish_sending();
  client.unlimit();
}

Awaitable<void> linger(Client& client, Patience patience) {
  Worker& worker = client.worker;
  client.release_buffer();
  co_await finish(client);
  if (worker.lingering_count >= std::max(least_at_a_time, worker.max_clients / 8)) {
    co_return;
  }
  const Counted counted(worker.lingering_count);
  const auto began = SteadyClock::now();
  auto heard = began;
  std::uint64_t taken = 0, heard_of = 0;
  bool is_over = false;
  while (!is_over) {
    client.limit(step);
    const error_code error = co_await client.stream.wait_raw();
    client.unlimit();
    const auto now = SteadyClock::now();
    if (!error) {
      const std::size_t size = discard(client.stream.native_handle());
      taken += size;
      if (taken - heard_of >= least_heard) {
        heard = now;
        heard_of = taken;
      }
      is_over = size == 0 || taken > most_bytes;
    } else {
      is_over = !client.has_timed_out;
    }
    const bool is_brief = patience == Patience::brief || worker.is_draining();
    is_over = is_over || now - heard >= most_silence || now - began >= (is_brief ? step : most_time);
  }
}

Awaitable<bool> take_unwanted(Client& client) {
  client.limit(unwanted_time);
  while (client.unwanted > 0) {
    const std::span<char> room = client.room(BufferPool::small_size);
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(room.size(), client.unwanted));
    const auto [error, size] = co_await client.stream.read_some(net::buffer(room.data(), wanted));
    if (error) {
      break;
    }
    client.unwanted -= size;
  }
  client.unlimit();
  co_return client.unwanted == 0;
}

}  // namespace keygate::proxy
