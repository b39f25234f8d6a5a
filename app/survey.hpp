// How are all workers? Asks each on its own thread, and hands over what they say together. On the control thread; used
// by the metrics and the admin listener.
#pragma once

#include "app/worker_thread.hpp"
#include "proxy/worker_figures.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace keygate::app {

class Survey {
 public:
  static constexpr std::chrono::milliseconds patience{500};

  using Figures = std::vector<proxy::WorkerFigures>;
  using Done = std::function<void(const Figures&)>;

  // Both outlive it.
  Survey(net::io_context& control, const std::vector<std::unique_ptr<WorkerThread>>& workers);

  // `done` is called once, on the control thread and not before this returns, within `patience`: of a worker that
  // stands still with what it said last. Those who ask while others wait share one answer.
  void ask(Done done);

  // Who has ended since; `seen` is what the last call gave, or empty. A worker that stands still is left out.
  using RecentDone = std::function<void(std::vector<proxy::Recent>)>;
  void ask_recent(std::vector<std::uint64_t> seen, RecentDone done);

 private:
  void hear(std::uint64_t round, std::size_t worker, proxy::WorkerFigures figures);
  void finish();

  net::io_context& control_;
  const std::vector<std::unique_ptr<WorkerThread>>& workers_;
  proxy::SteadyTimer timer_;
  std::vector<Done> waiting_;
  Figures latest_;
  std::uint64_t round_ = 0;
  std::size_t missing_ = 0;
};

}  // namespace keygate::app
