#include "proxy/session.hpp"

#include "proxy/address_seats.hpp"
#include "proxy/client.hpp"
#include "proxy/counted.hpp"
#include "proxy/door.hpp"
#include "proxy/exchange.hpp"
#include "proxy/greeting.hpp"
#include "proxy/lingering.hpp"
#include "telemetry/log.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace keygate::proxy {
namespace {

constexpr std::chrono::milliseconds park_after = DeadlineWheel::tick;  // a busy client's next request comes sooner
constexpr std::size_t max_refusals = 16;                               // at a time, a worker

// What reading a head came to: its size, or why there is none.
struct HeadRead {
  std::size_t size = 0;
  std::optional<policy::Reason> refusal;  // answered, then closed; neither: the client is gone or has nothing to say
};

// Waits without a buffer until there is something to read, where the session has to stay for it. False: nothing came in
// time, or the client left.
Awaitable<bool> wait_parked(Client& client, std::chrono::milliseconds limit) {
  client.release_buffer();
  client.limit(limit);
  const auto [error] = co_await client.stream.wait_readable();
  client.unlimit();
  co_return !error;
}

Awaitable<HeadRead> read_head(Client& client, const config::LimitSettings& limits) {
  HeadRead result;
  std::size_t searched = 0;
  std::size_t blank = 0;    // of the empty lines before the request line, however they are cut into packets
  bool is_limited = false;  // header_timeout runs from the first byte, however slowly the others come (D-01)
  while (true) {
    if (searched == 0) {
      const std::size_t skipped = leading_blank_size(client.unread(), blank);
      client.skip(skipped);
      blank += skipped;
    }
    if (blank == max_leading_blank && client.unread().starts_with('\r')) {
      client.unlimit();
      result.refusal = policy::Reason::bad_request;
      co_return result;
    }
    result.size = client.unread() == "\r" ? 0 : head_size(client.unread(), searched);
    if (result.size > 0) {
      client.unlimit();
      if (result.size > limits.header_bytes) {
        result.refusal = policy::Reason::header_too_large;
      }
      co_return result;
    }
    if (client.unread().empty() && !is_limited) {
      client.is_idle = true;
      client.limit(std::min(park_after, limits.idle_timeout));
    } else if (!is_limited) {
      client.limit(limits.header_timeout);
      is_limited = true;
    }
    const std::span<char> room = client.room(limits.header_bytes);
    if (room.empty() || client.unread().size() >= limits.header_bytes) {
      client.unlimit();
      result.refusal = policy::Reason::header_too_large;
      co_return result;
    }
    const auto [error, size] = co_await client.stream.read_some(net::buffer(room.data(), room.size()));
    const bool was_idle = std::exchange(client.is_idle, false);
    client.end += size;
    if (was_idle) {
      client.unlimit();
    }
    if (error && was_idle && client.has_timed_out && !client.is_leaving && limits.idle_timeout > park_after) {
      // Another session takes it up when it speaks; one that has sent empty lines is not to have them forgotten.
      if (blank == 0 && client.worker.parking.take_in(client, limits.idle_timeout - park_after)) {
        co_return result;
      }
      client.is_idle = true;
      const bool has_come = co_await wait_parked(client, limits.idle_timeout - park_after);
      client.is_idle = false;
      if (has_come) {
        // A part of a TLS record is none of a head yet, and its time runs all the same (D-01).
        if (client.stream.is_secure()) {
          client.limit(limits.header_timeout);
          is_limited = true;
        }
        continue;
      }
      co_return result;
    }
    if (error) {
      client.unlimit();
      if (client.has_timed_out && !client.unread().empty()) {
        result.refusal = policy::Reason::request_timeout;
      }
      co_return result;
    }
  }
}

// An exchange in memory that the worker lends for it.
class LentExchange {
 public:
  LentExchange(Client& client, std::shared_ptr<const Generation> generation)
      : worker_(client.worker), room_(worker_.take_room()) {
    ++client.served;
    room_->exchange.emplace(client, room_->parts, std::move(generation));
  }
  ~LentExchange() {
    room_->exchange.reset();
    worker_.give_back(std::move(room_));
  }
  LentExchange(const LentExchange&) = delete;
  LentExchange& operator=(const LentExchange&) = delete;

  Exchange* operator->() { return &*room_->exchange; }

 private:
  Worker& worker_;
  std::unique_ptr<ExchangeRoom> room_;
};

// limits.connections_per_ip. Trusted proxies speak for many, and over a unix socket nobody has an address.
bool take_seat(Client& client) {
  const Snapshot& snapshot = *client.worker.current()->snapshot;
  const std::size_t most = snapshot.settings->limits.connections_per_ip;
  if (most == 0 || client.worker.seats == nullptr || client.peer.is_unspecified() ||
      snapshot.trusted.contains(client.peer) || client.seat.take(*client.worker.seats, client.peer, most)) {
    return true;
  }
  telemetry::log_seldom(telemetry::Level::warn, "connections_per_ip",
                        "limits.connections_per_ip reached by " + client.peer_text + ": its new connections get 503");
  return false;
}

// 503 without reading a request. The answer is all that counts: nobody who is one too many is waited out for long, nor
// are more than a few let shake hands for it.
Awaitable<void> turn_away(Client& client, const Door* door) {
  Worker& worker = client.worker;
  if (worker.refusal_count >= max_refusals) {
    co_return;
  }
  const Counted counted(worker.refusal_count);
  if (door != nullptr) {
    const bool is_in = co_await shake_hands(client, *door);
    if (!is_in) {
      co_return;
    }
  }
  After after = After::close;
  {
    LentExchange exchange(client, worker.current());
    after = co_await exchange->refuse(policy::Reason::overloaded);
  }
  if (after == After::linger) {
    co_await linger(client, Patience::brief);
  }
}

// The listener by which it came is gone: it is answered once more at most.
bool has_lost_its_door(const Client& client) { return client.doorway && client.doorway->is_gone; }

Awaitable<void> serve(Worker& worker, Visitor visitor) {
  const bool is_new = !visitor.was_parked;
  Client client(worker, std::move(visitor));
  const std::shared_ptr<const Door> door = is_new ? client.door : nullptr;
  if (door) {
    const bool is_known = co_await learn_peer(client, *door);
    if (!is_known) {
      co_return;
    }
  }
  const bool is_seated = !is_new || take_seat(client);
  if (!is_seated) {
    co_await turn_away(client, door.get());
    co_return;
  }
  if (door) {
    const bool is_in = co_await shake_hands(client, *door);
    if (!is_in) {
      co_return;
    }
  }
  After after = After::keep;
  bool has_spoken = !is_new;  // what it came back with is answered, even where its door is another since
  while (after == After::keep && !client.is_leaving && (has_spoken || !client.is_at_another_door())) {
    has_spoken = false;
    const std::shared_ptr<const Generation> generation = worker.current();
    HeadRead head = co_await read_head(client, generation->snapshot->settings->limits);
    if (head.size == 0 && !head.refusal) {
      if (client.stream.is_secure()) {
        co_await finish(client);
      }
      co_return;
    }
    if (client.is_at_another_door()) {
      head.refusal = policy::Reason::draining;  // it came while the head was read: nobody asks for this any more
    }
    {
      // A reload may have come while the head was read: a request is judged by what is in force when it is whole.
      LentExchange exchange(client, worker.current());
      if (head.refusal) {
        after = co_await exchange->refuse(*head.refusal);
      } else {
        after = co_await exchange->run(head.size);
      }
    }
    if (after == After::keep && client.unwanted > 0) {
      const bool is_taken = co_await take_unwanted(client);
      after = is_taken ? After::keep : After::linger;
    }
    if (after == After::keep && has_lost_its_door(client)) {
      after = After::linger;
    }
  }
  const bool is_sent_away = after == After::keep && client.is_at_another_door();
  if (after == After::linger || is_sent_away) {
    co_await linger(client);
  }
}

Awaitable<void> refuse(Worker& worker, Visitor visitor) {
  Client client(worker, std::move(visitor));
  const std::shared_ptr<const Door> door = client.door;
  if (door) {
    const bool is_known = co_await learn_peer(client, *door);
    if (!is_known) {
      co_return;
    }
  }
  co_await turn_away(client, door.get());
}

void log_fault(const std::exception_ptr& thrown) {
  if (!thrown) {
    return;
  }
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& error) {
    telemetry::log_seldom(telemetry::Level::error, "session",
                          std::string("a connection ended by a fault: ") + error.what());
  }
}

}  // namespace

void start_session(Worker& worker, Visitor visitor) {
  if (!visitor.is_local && !visitor.was_parked) {
    error_code ignored;
    visitor.socket.set_option(Tcp::no_delay(true), ignored);
  }
  net::co_spawn(worker.io, serve(worker, std::move(visitor)), log_fault);
}

void start_refusal(Worker& worker, Visitor visitor) {
  if (worker.client_count < worker.max_clients + max_refusals) {
    net::co_spawn(worker.io, refuse(worker, std::move(visitor)), log_fault);
  }
}

}  // namespace keygate::proxy
