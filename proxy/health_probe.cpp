#include "proxy/health_probe.hpp"

#include <utility>

namespace keygate::proxy {
namespace {

constexpr std::size_t max_rest = 64 * 1024;
constexpr std::size_t max_line = 8 * 1024;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string request_for(const std::string& path, const std::string& authority) {
  if (path.empty()) return {};
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

bool StatusReader::read(std::string_view bytes) {
  for (const char c : bytes) {
    line_ += c;
    if (line_.size() > max_line || ++size_ > max_rest) {
      return false;
    }
    if (line_.ends_with("\r\n") && !take_line()) {
      return false;
    }
  }
  return true;
}

bool StatusReader::take_line() {
  const std::string_view line(line_.data(), line_.size() - 2);
  if (is_in_fields_) {
    is_in_fields_ = !line.empty();
  } else {
    const int status = status_in(line).value_or(0);
    const bool is_interim = status / 100 == 1 && status != 101;  // nobody asked for another protocol
    if (!is_interim || ++interim_ > max_interim) {
      status_ = is_interim ? 0 : status;
      return false;
    }
    is_in_fields_ = true;
  }
  line_.clear();
  return true;
}

HealthProbe::HealthProbe(net::io_context& io, std::shared_ptr<Endpoint> endpoint, const std::string& path,
                         std::chrono::milliseconds timeout)
    : endpoint_(std::move(endpoint)),
      request_(request_for(path, endpoint_->authority())),
      timeout_(timeout),
      session_(std::make_shared<TlsSession>()),
      stream_(io),
      limit_(io),
      share_(io) {}

void HealthProbe::cancel() {
  is_cancelled_ = true;
  limit_.cancel();
  end_try();
}

void HealthProbe::end_try() {
  stream_.cancel();
  stream_.close();
  if (waits_for_ != nullptr) {
    waits_for_->cancel();
  }
}

Awaitable<std::string> HealthProbe::ask() {
  limit();
  const std::string flaw = co_await try_once();
  co_return is_late_ && !flaw.empty() ? "no answer in time" : flaw;
}

Awaitable<void> HealthProbe::finish() {
  std::size_t size = request_.empty() ? max_rest : 0;
  while (size < max_rest && !is_late_ && !is_cancelled_) {
    const auto [error, more] = co_await stream_.read_some(net::buffer(answer_));
    if (error) {
      break;
    }
    size += more;
  }
  limit_.cancel();
  stream_.close();
}

void HealthProbe::limit() {
  is_late_ = is_our_fault_ = false;
  status_ = 0;
  limit_.expires_after(timeout_);
  limit_.async_wait([weak = weak_from_this()](error_code error) {
    const auto self = weak.lock();
    if (self && !error) {
      self->is_late_ = true;
      self->end_try();
    }
  });
}

Awaitable<std::string> HealthProbe::try_once() {
  error_code error = co_await endpoint_->find(timeout_, waits_for_);
  if (!error && is_late_) {
    error = net::error::timed_out;
  }
  if (error) {
    co_return error.message();
  }
  error = co_await open_any();
  is_our_fault_ = error == net::error::no_descriptors;
  if (error) {
    co_return error.message();
  }
  if (request_.empty()) {
    co_return std::string();
  }
  error = std::get<0>(co_await stream_.send(request_));
  if (error) {
    co_return error.message();
  }
  std::string flaw = co_await read_status();
  co_return flaw;
}

// As requests do: a name may have addresses at which nobody is, such as ::1 of an application on 127.0.0.1.
Awaitable<error_code> HealthProbe::open_any() {
  error_code error = net::error::host_not_found_try_again;
  // They may become fewer while one is tried, or none.
  for (std::size_t left = endpoint_->address_count(); left > 0 && endpoint_->address_count() > 0; --left) {
    const StreamEndpoint address = endpoint_->next_address();
    limit_one_of(left);
    error = co_await endpoint_->open(stream_, address, session_);
    share_.expires_at(SteadyClock::time_point::max());
    if (!error || is_late_ || is_cancelled_ || error == net::error::no_descriptors) {
      break;
    }
    if (error == net::error::operation_aborted) {
      error = net::error::timed_out;
    }
  }
  co_return error;
}

void HealthProbe::limit_one_of(std::size_t addresses) {
  if (addresses == 1) {
    return;  // all that is left
  }
  const SteadyClock::time_point now = SteadyClock::now();
  share_.expires_at(now + (limit_.expiry() - now) / static_cast<int>(addresses));
  share_.async_wait([weak = weak_from_this()](error_code error) {
    const auto self = weak.lock();
    const bool has_passed = self && !error && self->share_.expiry() <= SteadyClock::now();
    if (has_passed) {
      self->stream_.cancel();
      self->stream_.close();
    }
  });
}

Awaitable<std::string> HealthProbe::read_status() {
  StatusReader reader;
  for (bool goes_on = true; goes_on;) {
    const auto [error, more] = co_await stream_.read_some(net::buffer(answer_));
    if (error) {
      co_return "it closed without an answer";
    }
    goes_on = reader.read(std::string_view(answer_.data(), more));
  }
  status_ = reader.status();
  if (status_ == 0) {
    co_return "its answer is not HTTP";
  }
  std::string flaw;
  if (status_ / 100 != 2) {
    flaw = "it answered " + std::to_string(status_) + (status_ / 100 == 3 ? ", and no redirect is followed" : "");
  }
  co_return flaw;
}

}  // namespace keygate::proxy
