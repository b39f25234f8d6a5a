// Client connections that say nothing between two requests. One that has been silent for a while has no session and no
// state in Asio any more, only a few words here, and its socket in an epoll set that stands for all of them. When
// something comes, a session takes it up where the last one left it. Not for TLS, whose state is kept by its session.
#pragma once

#include "proxy/sockets.hpp"

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/intrusive/list.hpp>

#include <chrono>
#include <memory>

namespace keygate::proxy {

class Client;
class Worker;

class ParkingLot {
 public:
  explicit ParkingLot(Worker& worker);
  ~ParkingLot();
  ParkingLot(const ParkingLot&) = delete;
  ParkingLot& operator=(const ParkingLot&) = delete;

  // Takes the connection out of `client`, whose session then ends; it is closed if it stays silent for `limit` more.
  // False: it cannot be parked, and is as it was.
  bool take_in(Client& client, std::chrono::milliseconds limit);

  // Who is here leaves, but for those from whom something has come in this very moment.
  void close_idle();
  // The same for those who came by another door than there is now.
  void on_other_door();
  void close_all();

 private:
  struct Parked;

  bool open();
  void watch();
  void on_ready();
  // Its next session begins.
  void resume(Parked& parked);
  // It is closed, unless something has come from it in this very moment.
  void let_go(Parked& parked);
  std::unique_ptr<Parked> take_out(Parked& parked);

  Worker& worker_;
  boost::intrusive::list<Parked, boost::intrusive::base_hook<boost::intrusive::list_base_hook<>>> all_;
  net::posix::basic_stream_descriptor<Executor> set_;  // of epoll
  bool is_watched_ = false;
};

}  // namespace keygate::proxy
