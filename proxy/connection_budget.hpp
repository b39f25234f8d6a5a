// How many connections an upstream may have at a time, of this worker's share, and who waits for one: in order, only so
// many, and only so long. A connection counts from before it is made until it is closed, idle ones too.
#pragma once

#include "proxy/sockets.hpp"

#include <boost/intrusive/list.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>

namespace keygate::proxy {

class ConnectionBudget;
struct UpstreamConnection;

// The right to one connection.
class ConnectionSlot {
 public:
  ConnectionSlot() = default;
  explicit ConnectionSlot(ConnectionBudget& budget) : budget_(&budget) {}
  ConnectionSlot(ConnectionSlot&& other) noexcept : budget_(std::exchange(other.budget_, nullptr)) {}
  ConnectionSlot& operator=(ConnectionSlot&& other) noexcept;
  ~ConnectionSlot();

  explicit operator bool() const { return budget_ != nullptr; }

 private:
  ConnectionBudget* budget_ = nullptr;
};

class ConnectionBudget {
 public:
  explicit ConnectionBudget(std::size_t most);

  // The share of worker `index` of `workers` in `most`: at least one.
  static std::size_t share(std::size_t most, std::size_t index, std::size_t workers);

  // Empty where none is left, or others wait already.
  ConnectionSlot take();

  // What whoever has waited was given: a slot, or somebody's connection that is free now (with its slot); or nothing.
  struct Given {
    Given();
    ~Given();
    Given(Given&& other) noexcept;
    Given& operator=(Given&& other) noexcept;

    ConnectionSlot slot;
    std::unique_ptr<UpstreamConnection> connection;
  };
  // At most `most_time`. `cancel` points at what ends the wait early while it lasts. Nothing at once where as many wait
  // as there may be connections.
  Awaitable<Given> wait(net::io_context& io, std::chrono::milliseconds most_time, SteadyTimer*& cancel);

  bool has_waiting() const { return !queue_.empty(); }
  // To who has waited longest; only where somebody waits.
  void hand_over(std::unique_ptr<UpstreamConnection> connection);

  std::size_t taken() const { return taken_; }

 private:
  friend class ConnectionSlot;
  struct Waiter;
  using Queue = boost::intrusive::list<Waiter>;
  struct Waiter : boost::intrusive::list_base_hook<> {
    Waiter(net::io_context& io, Queue& waits_in) : queue(waits_in), timer(io) {}
    ~Waiter();
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;
    void leave();

    Queue& queue;
    SteadyTimer timer;
    Given given;
  };

  void release();
  Waiter& pop();

  std::size_t most_;
  std::size_t taken_ = 0;
  Queue queue_;
};

}  // namespace keygate::proxy
