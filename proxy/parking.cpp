#include "proxy/parking.hpp"

#include "proxy/client.hpp"
#include "proxy/door.hpp"
#include "proxy/session.hpp"
#include "telemetry/log.hpp"

#include <array>
#include <memory>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace keygate::proxy {
namespace {

constexpr std::size_t most_at_once = 64;

// Something to read, its end, or an error.
bool has_come(int socket) {
  pollfd state{socket, POLLIN, 0};
  return ::poll(&state, 1, 0) > 0;
}

}  // namespace

// All that outlives a session.
struct ParkingLot::Parked : boost::intrusive::list_base_hook<> {
  explicit Parked(ParkingLot& where)
      : lot(where), deadline(this, [](void* self) {
          auto& parked = *static_cast<Parked*>(self);
          parked.lot.let_go(parked);
        }) {}
  ~Parked() {
    if (socket >= 0) {
      ::close(socket);
    }
  }
  Parked(const Parked&) = delete;
  Parked& operator=(const Parked&) = delete;

  // Everything but the descriptor.
  void keep(Client& client) {
    address = client.peer;
    is_local = client.stream.is_local();
    doorway = std::move(client.doorway);
    door = std::move(client.door);
    served = client.served;
    seat = std::move(client.seat);
    counted = std::move(client.counted);
  }
  bool has_lost_its_door() const { return doorway && (doorway->is_gone || !is_alike(door.get(), doorway->door.get())); }

  ParkingLot& lot;
  Deadline deadline;
  int socket = -1;
  bool is_local = false;
  Address address;
  std::shared_ptr<const Doorway> doorway;
  std::shared_ptr<const Door> door;
  std::uint64_t served = 0;
  AddressSeat seat;
  Counted counted;
};

ParkingLot::ParkingLot(Worker& worker) : worker_(worker), set_(worker.io) {}

ParkingLot::~ParkingLot() { close_all(); }

bool ParkingLot::take_in(Client& client, std::chrono::milliseconds limit) {
  if (client.stream.is_secure() || !client.stream.is_open() || !open()) {
    return false;
  }
  auto parked = std::make_unique<Parked>(*this);
  const int socket = client.stream.native_handle();
  epoll_event event{EPOLLIN, {.ptr = parked.get()}};
  if (::epoll_ctl(set_.native_handle(), EPOLL_CTL_ADD, socket, &event) != 0) {
    return false;
  }
  parked->socket = client.stream.release();
  parked->keep(client);
  worker_.arm(parked->deadline, limit);
  all_.push_back(*parked.release());
  watch();
  return true;
}

bool ParkingLot::open() {
  if (set_.is_open()) {
    return true;
  }
  const int set = ::epoll_create1(EPOLL_CLOEXEC);
  error_code error;
  if (set >= 0) {
    set_.assign(set, error);
  }
  if (error) {
    ::close(set);
  }
  return set_.is_open();
}

// While nobody is here nothing is waited for, or the worker would never end.
void ParkingLot::watch() {
  if (is_watched_ || all_.empty()) {
    return;
  }
  set_.async_wait(net::posix::descriptor_base::wait_read, [this](error_code error) {
    is_watched_ = false;
    if (!error) {
      on_ready();
    }
    watch();
  });
  is_watched_ = true;
}

void ParkingLot::on_ready() {
  std::array<epoll_event, most_at_once> events;
  const int count = ::epoll_wait(set_.native_handle(), events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < count; ++i) {
    resume(*static_cast<Parked*>(events[static_cast<std::size_t>(i)].data.ptr));
  }
}

void ParkingLot::resume(Parked& parked) {
  const std::unique_ptr<Parked> gone = take_out(parked);
  // Of its family Asio needs to know nothing any more.
  const StreamProtocol protocol(gone->is_local ? AF_UNIX : AF_INET, gone->is_local ? 0 : IPPROTO_TCP);
  StreamSocket socket(worker_.io);
  error_code error;
  socket.assign(protocol, gone->socket, error);
  if (error) {
    telemetry::log_seldom(telemetry::Level::error, "session", "a connection ended by a fault: " + error.message());
    return;
  }
  gone->socket = -1;
  Visitor visitor(std::move(socket));
  visitor.address = gone->address;
  visitor.is_local = gone->is_local;
  visitor.was_parked = true;
  visitor.doorway = std::move(gone->doorway);
  visitor.door = std::move(gone->door);
  visitor.seat = std::move(gone->seat);
  visitor.counted = std::move(gone->counted);
  visitor.served = gone->served;
  start_session(worker_, std::move(visitor));
}

std::unique_ptr<ParkingLot::Parked> ParkingLot::take_out(Parked& parked) {
  ::epoll_ctl(set_.native_handle(), EPOLL_CTL_DEL, parked.socket, nullptr);
  all_.erase(all_.iterator_to(parked));
  if (all_.empty() && is_watched_) {
    error_code ignored;
    set_.cancel(ignored);
  }
  return std::unique_ptr<Parked>(&parked);
}

void ParkingLot::let_go(Parked& parked) {
  if (has_come(parked.socket)) {
    resume(parked);
  } else {
    take_out(parked);
  }
}

void ParkingLot::close_idle() {
  for (auto it = all_.begin(); it != all_.end();) {
    let_go(*it++);
  }
}

void ParkingLot::on_other_door() {
  for (auto it = all_.begin(); it != all_.end();) {
    Parked& parked = *it++;
    if (parked.has_lost_its_door()) {
      let_go(parked);
    }
  }
}

void ParkingLot::close_all() {
  while (!all_.empty()) {
    take_out(all_.front());
  }
}

}  // namespace keygate::proxy
