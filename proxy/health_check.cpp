#include "proxy/health_check.hpp"

#include "telemetry/log.hpp"

#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <utility>

namespace keygate::proxy {
namespace {

constexpr std::size_t max_rest = 64 * 1024;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string request_for(const std::string& path, const std::string& authority) {
  return "GET " + path + " HTTP/1.1\r\nHost: " + authority +
         "\r\nUser-Agent: keygate-health-check\r\nAccept: */*\r\nConnection: close\r\n\r\n";
}

}  // namespace

std::optional<int> status_in(std::string_view line) {
  const bool is_http = line.starts_with("HTTP/1.1 ") || line.starts_with("HTTP/1.0 ");
  if (!is_http || line.size() < 12 || !is_digit(line[9]) || !is_digit(line[10]) || !is_digit(line[11]) ||
      (line.size() > 12 && line[12] != ' ')) {
    return std::nullopt;
  }
  return (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
}

HealthCheck::HealthCheck(net::io_context& io, const config::HealthCheckSettings& settings, Subject subject,
                         std::uint64_t seed)
    : io_(io),
      settings_(settings),
      subject_(std::move(subject)),
      request_(request_for(settings_.path, subject_.endpoint->authority())),
      tally_(settings_.unhealthy_after, settings_.healthy_after),
      random_(static_cast<std::minstd_rand::result_type>(seed)),
      session_(std::make_shared<TlsSession>()),
      stream_(io),
      pause_(io),
      limit_(io) {}

void HealthCheck::start() {
  net::co_spawn(io_, run(shared_from_this()), [](const std::exception_ptr&) {});
}

void HealthCheck::stop() {
  is_stopped_ = true;
  pause_.cancel();
  limit_.cancel();
  end_try();
}

void HealthCheck::end_try() {
  stream_.cancel();
  stream_.close();
  if (waits_for_ != nullptr) {
    waits_for_->cancel();
  }
}

// A tenth more or less than the interval each time, so that many proxies do not ask at once.
Awaitable<void> HealthCheck::run(std::shared_ptr<HealthCheck> self) {
  while (!self->is_stopped_) {
    co_await self->check();
    if (self->is_stopped_) {
      break;
    }
    std::uniform_int_distribution<std::int64_t> around(-100, 100);
    self->pause_.expires_after(self->settings_.interval + self->settings_.interval * around(self->random_) / 1000);
    co_await self->pause_.async_wait(use_tuple);
  }
}

Awaitable<void> HealthCheck::check() {
  limit();
  const std::string flaw = co_await ask();
  const std::string said = is_late_ && !flaw.empty() ? "no answer in time" : flaw;
  if (!is_stopped_ && !is_our_fault_) {
    take(said);
    if (flaw.empty()) {
      co_await read_rest();
    }
  }
  limit_.cancel();
  stream_.close();
}

// All of a check, from the name to the answer.
void HealthCheck::limit() {
  is_late_ = is_our_fault_ = false;
  limit_.expires_after(settings_.timeout);
  limit_.async_wait([weak = weak_from_this()](error_code error) {
    const auto self = weak.lock();
    if (self && !error) {
      self->is_late_ = true;
      self->end_try();
    }
  });
}

// Empty: it is well.
Awaitable<std::string> HealthCheck::ask() {
  error_code error = co_await subject_.endpoint->find(settings_.timeout, waits_for_);
  if (!error && is_late_) {
    error = net::error::timed_out;
  }
  if (error) {
    co_return error.message();
  }
  const StreamEndpoint address = subject_.endpoint->next_address();
  error = co_await subject_.endpoint->open(stream_, address, session_);
  is_our_fault_ = error == net::error::no_descriptors;
  if (error) {
    co_return error.message();
  }
  error = std::get<0>(co_await stream_.send(request_));
  if (error) {
    co_return error.message();
  }
  std::string flaw = co_await read_status();
  co_return flaw;
}

Awaitable<std::string> HealthCheck::read_status() {
  std::size_t size = 0;
  while (size < answer_.size()) {
    const auto [error, more] = co_await stream_.read_some(net::buffer(answer_.data() + size, answer_.size() - size));
    if (error) {
      co_return "it closed without an answer";
    }
    size += more;
    const std::string_view bytes(answer_.data(), size);
    const std::size_t end = bytes.find("\r\n");
    if (end == bytes.npos) {
      continue;
    }
    const auto status = status_in(bytes.substr(0, end));
    if (!status) {
      break;
    }
    co_return *status / 100 == 2 ? std::string() : "it answered " + std::to_string(*status);
  }
  co_return "its answer is not HTTP";
}

// So that it is not reset while it still writes: a log full of these would be our doing.
Awaitable<void> HealthCheck::read_rest() {
  std::size_t size = 0;
  while (size < max_rest && !is_late_ && !is_stopped_) {
    const auto [error, more] = co_await stream_.read_some(net::buffer(answer_));
    if (error) {
      break;
    }
    size += more;
  }
}

void HealthCheck::take(const std::string& flaw) {
  const auto verdict = tally_.note(flaw.empty());
  if (!verdict) {
    return;
  }
  subject_.health->set_sick(subject_.number, *verdict);
  const std::string who = "upstream " + subject_.upstream + ": " + name_of(subject_.endpoint->settings());
  if (*verdict) {
    telemetry::log(telemetry::Level::warn, who + " is unhealthy: " + flaw);
  } else {
    telemetry::log(telemetry::Level::info, who + " is healthy again");
  }
}

}  // namespace keygate::proxy
