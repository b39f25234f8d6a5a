#include "proxy/client.hpp"

#include "proxy/door.hpp"
#include "proxy/vigil.hpp"

#include <algorithm>
#include <cstring>
#include <poll.h>

namespace keygate::proxy {

Client::Client(Worker& owner, Visitor visitor)
    : worker(owner),
      stream(std::move(visitor.socket), visitor.is_local),
      doorway(std::move(visitor.doorway)),
      door(std::move(visitor.door)),
      decides(door ? door->decides : std::nullopt),
      seat(std::move(visitor.seat)),
      counted(visitor.was_parked ? std::move(visitor.counted) : Counted(worker.client_count)),
      deadline(this,
               [](void* self) {
                 auto& client = *static_cast<Client*>(self);
                 client.has_timed_out = true;
                 client.stream.cancel();
               }),
      send_deadline(stream, has_left),
      served(visitor.served) {
  set_peer(visitor.address);
  worker.residents.push_back(*this);
}

void Client::set_peer(const Address& address) {
  const bool is_mapped = address.is_v6() && address.to_v6().is_v4_mapped();
  peer = is_mapped ? Address(net::ip::make_address_v4(net::ip::v4_mapped, address.to_v6())) : address;
  peer_text = peer.is_unspecified() ? "unknown" : peer.to_string();
}

std::span<char> Client::room(std::size_t limit_bytes) {
  if (!in) {
    in = worker.buffers.lease();
    begin = end = 0;
  }
  if (begin > 0) {
    std::memmove(in.data(), in.data() + begin, end - begin);
    end -= begin;
    begin = 0;
  }
  if (end == in.capacity() && in.capacity() < limit_bytes) {
    Buffer larger = worker.buffers.lease(limit_bytes);
    std::memcpy(larger.data(), in.data(), end);
    in = std::move(larger);
  }
  return in.span().subspan(end);
}

void Client::release_buffer() {
  in.release();
  begin = end = 0;
}

void Client::replace_unread(Buffer buffer, std::size_t from, std::size_t to) {
  in = std::move(buffer);
  begin = from;
  end = to;
}

void Client::limit(std::chrono::milliseconds after) {
  has_timed_out = false;
  worker.arm(deadline, after);
}

// A client that has closed its side outside a tunnel has left (F-44): looked for once a tick, because a read that waits
// for it would cost a system call a request.
void Client::on_tick() {
  if (vigil != nullptr) {
    vigil->on_tick();
  }
  if (awaited == nullptr || may_half_close) {
    return;
  }
  pollfd state{stream.native_handle(), POLLRDHUP, 0};
  if (!has_left) {
    has_left = ::poll(&state, 1, 0) > 0 && (state.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
  }
  if (has_left) {  // each tick anew: there may have been nothing to cancel the last time
    awaited->cancel();
  }
}

void Client::on_drain() {
  if (!is_idle) {
    return;
  }
  pollfd state{stream.native_handle(), POLLIN, 0};
  if (::poll(&state, 1, 0) > 0) {
    return;  // a request has arrived in this very moment: it is served
  }
  is_leaving = true;
  stream.cancel();
}

bool Client::is_at_another_door() const { return doorway && !is_alike(door.get(), doorway->door.get()); }

void Client::on_other_door() {
  if (is_at_another_door() || (doorway && doorway->is_gone)) {
    on_drain();
  }
}

void Client::on_change(const keys::KeyDigest& digest) {
  if (vigil != nullptr) {
    vigil->on_change(digest);
  }
}

void Client::abort() { end_now(policy::Reason::draining); }

void Client::cut(policy::Reason why) {
  if (awaited == nullptr || has_answer_begun) {
    return end_now(why);
  }
  // Nothing has been said to it yet: it hears why, once the upstream's connection has ended.
  is_leaving = true;
  was_cut = was_cut.value_or(why);
  awaited->abort();
}

void Client::end_now(policy::Reason why) {
  is_leaving = has_left = true;
  was_cut = was_cut.value_or(why);
  stream.close();
  if (awaited != nullptr) {
    awaited->abort();
  }
}

}  // namespace keygate::proxy
