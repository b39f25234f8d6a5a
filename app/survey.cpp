#include "app/survey.hpp"

#include <utility>

namespace keygate::app {
namespace {

struct RecentRound {
  explicit RecentRound(net::io_context& control) : timer(control) {}

  void finish() {
    if (auto then = std::exchange(done, nullptr)) then(std::move(all));
    timer.cancel();
  }

  std::vector<proxy::Recent> all;
  std::size_t missing = 0;
  Survey::RecentDone done;
  proxy::SteadyTimer timer;
};

}  // namespace

Survey::Survey(net::io_context& control, const std::vector<std::unique_ptr<WorkerThread>>& workers)
    : control_(control), workers_(workers), timer_(control) {}

void Survey::ask(Done done) {
  waiting_.push_back(std::move(done));
  if (waiting_.size() > 1) return;
  latest_.resize(workers_.size());
  missing_ = workers_.size();
  ++round_;
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    workers_[i]->post([this, i, round = round_](WorkerThread& thread) {
      net::post(control_, [this, i, round, figures = thread.worker().figures()]() mutable {
        hear(round, i, std::move(figures));
      });
    });
  }
  timer_.expires_after(patience);
  timer_.async_wait([this, round = round_](error_code error) {
    if (!error && round == round_) finish();
  });
}

void Survey::hear(std::uint64_t round, std::size_t worker, proxy::WorkerFigures figures) {
  latest_[worker] = std::move(figures);
  if (round == round_ && missing_ > 0 && --missing_ == 0) {
    timer_.cancel();
    finish();
  }
}

void Survey::finish() {
  missing_ = 0;
  for (const Done& done : std::exchange(waiting_, {})) done(latest_);
}

void Survey::ask_recent(std::vector<std::uint64_t> seen, RecentDone done) {
  auto round = std::make_shared<RecentRound>(control_);
  seen.resize(workers_.size());
  round->all.resize(workers_.size());
  for (std::size_t i = 0; i < seen.size(); ++i) round->all[i].last = seen[i];
  round->missing = workers_.size();
  round->done = std::move(done);
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    workers_[i]->post([this, i, round, since = seen[i]](WorkerThread& thread) {
      net::post(control_, [i, round, recent = thread.worker().recent(since)]() mutable {
        if (!round->done) return;
        round->all[i] = std::move(recent);
        if (--round->missing == 0) round->finish();
      });
    });
  }
  round->timer.expires_after(patience);
  round->timer.async_wait([round](error_code error) {
    if (!error) round->finish();
  });
}

}  // namespace keygate::app
