#include "proxy/tunnel.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>

#include <exception>

namespace keygate::proxy {

Tunnel::Tunnel(Client& client, UpstreamConnection& upstream, const config::LimitSettings& limits)
    : client_(client),
      upstream_(upstream),
      limits_(limits),
      up_{client.stream, upstream.stream},
      down_{upstream.stream, client.stream},
      idle_(this, [](void* self) { static_cast<Tunnel*>(self)->on_idle(); }),
      age_(this, [](void* self) { static_cast<Tunnel*>(self)->client_.cut(policy::Reason::tunnel_timeout); }),
      up_ended_(client.worker.io, SteadyClock::time_point::max()) {
  client_.awaited = &upstream_;
  client_.may_half_close = true;
}

Tunnel::~Tunnel() {
  client_.awaited = nullptr;
  client_.may_half_close = false;
}

// Up in a coroutine of its own, down in this one.
Awaitable<Tunnel::End> Tunnel::run() {
  client_.worker.arm(idle_, limits_.tunnel_idle_timeout);
  client_.worker.arm(age_, limits_.tunnel_max_age);
  is_up_running_ = true;
  net::co_spawn(client_.worker.io, carry_up(), [this](const std::exception_ptr& thrown) {
    if (thrown) {
      break_off(End::client_broke);
    }
    is_up_running_ = false;
    up_ended_.cancel();
  });
  std::exception_ptr thrown;
  try {
    co_await run_down();
  } catch (...) {
    thrown = std::current_exception();
  }
  if (thrown) {
    break_off(End::client_broke);
  }
  while (is_up_running_) {
    co_await up_ended_.async_wait(use_tuple);
  }
  idle_.disarm();
  age_.disarm();
  if (thrown) {
    std::rethrow_exception(thrown);
  }
  co_return end_;
}

Awaitable<void> Tunnel::run_down() {
  co_await carry(down_);
  if (down_.result != Result::done) {
    break_off(down_.result == Result::sink_broke ? End::client_broke : End::upstream_broke);
  }
}

// An upstream that takes no more may still have something to say, and when it has gone altogether the other direction
// hears of it: only a client that breaks ends both.
Awaitable<void> Tunnel::carry_up() {
  const std::string_view ahead = client_.unread();
  if (!ahead.empty()) {
    ++writes_;
    const auto [error, sent] = co_await up_.sink.send(ahead);
    --writes_;
    client_.skip(ahead.size());
    up_.bytes += sent;
    if (error) {
      up_.result = Result::sink_broke;
      co_return;
    }
  }
  co_await carry(up_);
  if (up_.result == Result::source_broke) {
    break_off(End::client_broke);
  }
}

// Until the source ends, which is said to the sink, or one of them breaks.
Awaitable<void> Tunnel::carry(Direction& direction) {
  Buffer buffer;
  bool is_busy = false;
  while (!is_over()) {
    if (!is_busy) {
      buffer.release();
      const auto [error] = co_await direction.source.wait_readable();
      if (error) {
        break;
      }
      if (is_over()) {
        break;
      }
      buffer = client_.worker.buffers.lease();
    }
    const auto [error, size] = co_await direction.source.read_some(net::buffer(buffer.data(), buffer.capacity()));
    if (error == net::error::eof) {
      co_await direction.sink.finish_sending();
      direction.result = Result::done;
      co_return;
    }
    if (error) {
      break;
    }
    client_.worker.arm(idle_, limits_.tunnel_idle_timeout);
    ++writes_;
    const auto [write_error, sent] = co_await direction.sink.send(std::string_view(buffer.data(), size));
    --writes_;
    direction.bytes += sent;
    if (write_error) {
      direction.result = Result::sink_broke;
      co_return;
    }
    is_busy = size == buffer.capacity();
    if (is_busy && buffer.capacity() < most_in_flight) {
      buffer = client_.worker.buffers.lease(most_in_flight);
    }
  }
  direction.result = Result::source_broke;
}

// The upstream's socket is closed, not only cancelled: a write that is between two of its parts would not notice.
void Tunnel::break_off(End why) {
  end_ = is_broken_off_ ? end_ : why;  // the first to break; the other direction breaks of this
  is_broken_off_ = true;
  upstream_.abort();
  client_.stream.cancel();
}

// Nothing was read for so long. A write that still gets somewhere, to one who reads slowly, is not nothing.
void Tunnel::on_idle() {
  const std::uint64_t acknowledged = writes_ == 0 ? 0 : client_.stream.progress() + upstream_.stream.progress();
  if (acknowledged > acknowledged_) {
    acknowledged_ = acknowledged;
    client_.worker.arm(idle_, limits_.tunnel_idle_timeout);
    return;
  }
  client_.cut(policy::Reason::tunnel_timeout);
}

}  // namespace keygate::proxy
