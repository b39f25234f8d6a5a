#include "keys/http_client.hpp"

#include "keys/host_addresses.hpp"
#include "keys/http_connection.hpp"
#include "keys/source.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <deque>
#include <exception>
#include <unordered_set>
#include <utility>
#include <vector>

namespace keygate::keys {

namespace {

using Clock = std::chrono::steady_clock;
using Timer = net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor>;
using Kind = HttpFailure::Kind;

constexpr std::chrono::seconds idle_life{30};  // shorter than most servers give a connection

// One request from its coming to its answer.
struct Job {
  Job(net::io_context& io, WipedText text, Clock::time_point limit, HttpClient::Done then)
      : request(std::move(text)), came_at(Clock::now()), deadline(limit), done(std::move(then)), timer(io, limit) {}

  bool is_over() const { return !done; }
  // Whether the server had at least half of the time.
  bool was_tried() const { return begun_at != Clock::time_point{} && begun_at - came_at <= (deadline - came_at) / 2; }

  const WipedText request;
  const Clock::time_point came_at;
  const Clock::time_point deadline;
  Clock::time_point begun_at{};  // when it came to its turn
  HttpClient::Done done;
  Timer timer;
  std::shared_ptr<HttpConnection> connection;
  const char* doing = "waiting for a connection";
};

struct Idle {
  std::shared_ptr<HttpConnection> connection;
  Clock::time_point since;
};

HttpAnswer answer_of(HttpReading reading) {
  HttpAnswer answer;
  if (reading.failure) {
    answer.error = reading.failure.kind == Kind::unfit ? errc::invalid_answer : errc::unavailable;
    answer.cause = std::move(reading.failure.cause);
  } else {
    answer.response = std::move(reading.response);
  }
  return answer;
}

HttpAnswer refusal(errc error, std::string cause) {
  HttpAnswer answer;
  answer.error = error;
  answer.cause = std::move(cause);
  answer.was_tried = false;
  return answer;
}

}  // namespace

// Outlives the client in the frames of coroutines that are ending; `is_closed` then.
struct HttpClient::State : std::enable_shared_from_this<State> {
  State(net::io_context& context, const config::ServiceUrl& url, std::shared_ptr<const ClientTls> trust,
        HttpLimits bounds)
      : io(context),
        host(url.host),
        tls(std::move(trust)),
        limits(bounds),
        addresses(std::make_shared<HostAddresses>(context, url.host, url.port)),
        idle_timer(context) {}

  void add(std::shared_ptr<Job> job);
  void start(std::shared_ptr<Job> job);
  void end(const std::shared_ptr<Job>& job);
  void expire(const std::shared_ptr<Job>& job);
  void close();

  std::shared_ptr<HttpConnection> take_idle();
  void give_back(std::shared_ptr<HttpConnection> connection);
  void drop_old();

  static void finish(Job& job, HttpAnswer answer);
  static Awaitable<void> run(std::shared_ptr<State> self, std::shared_ptr<Job> job);
  static Awaitable<HttpFailure> connect(std::shared_ptr<State> self, std::shared_ptr<Job> job);

  net::io_context& io;
  const std::string host;
  const std::shared_ptr<const ClientTls> tls;
  const HttpLimits limits;
  const std::shared_ptr<HostAddresses> addresses;
  std::unordered_set<std::shared_ptr<Job>> running;
  std::deque<std::shared_ptr<Job>> waiting;
  std::vector<Idle> idle;  // the one used last is last
  Timer idle_timer;
  HttpCounters counters;
  bool is_closed = false;
};

void HttpClient::State::finish(Job& job, HttpAnswer answer) {
  if (job.is_over()) return;
  const Done done = std::exchange(job.done, nullptr);
  job.timer.cancel();
  done(std::move(answer));
}

void HttpClient::State::add(std::shared_ptr<Job> job) {
  ++counters.requests;
  if (running.size() >= limits.max_in_flight && waiting.size() >= limits.max_waiting) {
    net::post(io, [self = weak_from_this(), job] {
      if (self.lock()) finish(*job, refusal(errc::overloaded, "too many look-ups wait for it"));
    });
    return;
  }
  job->timer.async_wait([weak = weak_from_this(), weak_job = std::weak_ptr<Job>(job)](error_code cancelled) {
    const auto self = weak.lock();
    const auto late = weak_job.lock();
    if (!cancelled && self && late) self->expire(late);
  });
  if (running.size() < limits.max_in_flight) {
    start(std::move(job));
  } else {
    waiting.push_back(std::move(job));
  }
}

void HttpClient::State::start(std::shared_ptr<Job> job) {
  running.insert(job);
  job->begun_at = Clock::now();
  net::co_spawn(io, run(shared_from_this(), job), [self = weak_from_this(), job](const std::exception_ptr&) {
    if (const auto state = self.lock()) state->end(job);
  });
}

void HttpClient::State::end(const std::shared_ptr<Job>& job) {
  running.erase(job);
  job->connection.reset();
  // Only where the coroutine threw: memory is short.
  finish(*job, refusal(errc::unavailable, "it could not be asked"));
  while (!waiting.empty() && running.size() < limits.max_in_flight) {
    auto next = std::move(waiting.front());
    waiting.pop_front();
    start(std::move(next));
  }
}

void HttpClient::State::expire(const std::shared_ptr<Job>& job) {
  if (job->is_over()) return;
  if (job->connection) job->connection->abort();
  HttpAnswer late;
  late.error = errc::timed_out;
  late.cause = std::string("no answer in time, while ") + job->doing;
  late.was_tried = job->was_tried();
  std::erase(waiting, job);
  finish(*job, std::move(late));
}

void HttpClient::State::close() {
  is_closed = true;
  for (const auto& job : waiting) job->done = nullptr;
  waiting.clear();
  for (const auto& job : running) {
    job->done = nullptr;
    job->timer.cancel();
    if (job->connection) job->connection->abort();
  }
  idle.clear();
  idle_timer.cancel();
}

std::shared_ptr<HttpConnection> HttpClient::State::take_idle() {
  while (!idle.empty()) {
    auto connection = std::move(idle.back().connection);
    idle.pop_back();
    if (!connection->is_stale()) return connection;
  }
  return nullptr;
}

void HttpClient::State::give_back(std::shared_ptr<HttpConnection> connection) {
  if (is_closed) return;
  idle.push_back({std::move(connection), Clock::now()});
  if (idle.size() == 1) drop_old();
}

// One timer while anything is idle. The one that is idle longest is first.
void HttpClient::State::drop_old() {
  const auto oldest = Clock::now() - idle_life;
  const auto young = std::ranges::find_if(idle, [oldest](const Idle& entry) { return entry.since > oldest; });
  idle.erase(idle.begin(), young);
  if (idle.empty()) return;
  idle_timer.expires_at(idle.front().since + idle_life);
  idle_timer.async_wait([weak = weak_from_this()](error_code cancelled) {
    const auto self = weak.lock();
    if (self && !cancelled) self->drop_old();
  });
}

// Each address gets half of the time that is left, the last one all of it.
Awaitable<HttpFailure> HttpClient::State::connect(std::shared_ptr<State> self, std::shared_ptr<Job> job) {
  job->doing = "resolving its name";
  const error_code unknown = co_await HostAddresses::wait(self->addresses, job->deadline);
  if (unknown) co_return HttpFailure{Kind::broken, "its name cannot be resolved: " + unknown.message()};
  const auto candidates = self->addresses->all();
  HttpFailure failure;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (job->is_over()) co_return failure;
    job->doing = "connecting";
    job->connection = std::make_shared<HttpConnection>(self->io);
    const auto connection = job->connection;
    const auto left = job->deadline - Clock::now();
    const auto limit = i + 1 == candidates.size() ? left : left / 2;
    failure = co_await connection->connect(candidates[i], limit);
    if (failure) continue;
    self->addresses->prefer(candidates[i]);
    ++self->counters.connections;
    if (self->tls) {
      job->doing = "shaking hands";
      failure = co_await connection->secure(*self->tls, self->host);
    }
    co_return failure;
  }
  self->addresses->doubt();
  co_return failure;
}

Awaitable<void> HttpClient::State::run(std::shared_ptr<State> self, std::shared_ptr<Job> job) {
  co_await net::post(self->io, net::use_awaitable_t<Executor>{});  // `done` is not called from within send
  for (bool may_be_stale = true; !job->is_over();) {
    job->connection = may_be_stale ? self->take_idle() : nullptr;
    may_be_stale = job->connection != nullptr;
    if (!may_be_stale) {
      HttpFailure failure = co_await connect(self, job);
      if (failure) {
        HttpReading unconnected;
        unconnected.failure = std::move(failure);
        finish(*job, answer_of(std::move(unconnected)));
        co_return;
      }
    }
    if (job->is_over()) co_return;
    const auto connection = job->connection;
    HttpReading reading;
    job->doing = "sending the request";
    reading.failure = co_await connection->send(job->request.view());
    if (!reading.failure) {
      job->doing = "waiting for the response";
      reading = co_await connection->read();
    }
    if (job->is_over()) co_return;
    const bool was_stale = may_be_stale && reading.failure.kind == Kind::broken && !reading.has_begun;
    if (was_stale) {
      may_be_stale = false;
      ++self->counters.retries;
      continue;
    }
    job->connection.reset();
    if (!reading.failure && reading.may_be_kept) self->give_back(connection);
    finish(*job, answer_of(std::move(reading)));
    co_return;
  }
}

HttpClient::HttpClient(net::io_context& io, const config::ServiceUrl& url, std::shared_ptr<const ClientTls> tls,
                       HttpLimits limits)
    : state_(std::make_shared<State>(io, url, std::move(tls), limits)) {}

HttpClient::~HttpClient() { state_->close(); }

void HttpClient::send(WipedText request, std::chrono::milliseconds limit, Done done) {
  state_->add(std::make_shared<Job>(state_->io, std::move(request), Clock::now() + limit, std::move(done)));
}

std::size_t HttpClient::in_flight() const { return state_->running.size(); }
std::size_t HttpClient::waiting() const { return state_->waiting.size(); }
std::size_t HttpClient::idle() const { return state_->idle.size(); }
const HttpCounters& HttpClient::counters() const { return state_->counters; }

}  // namespace keygate::keys
