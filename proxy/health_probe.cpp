#include "proxy/health_probe.hpp"

#include <utility>

namespace keygate::proxy {
namespace {

constexpr std::size_t max_rest = 64 * 1024;

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

HealthProbe::HealthProbe(net::io_context& io, std::shared_ptr<Endpoint> endpoint, const std::string& path,
                         std::chrono::milliseconds timeout)
    : endpoint_(std::move(endpoint)),
      request_(request_for(path, endpoint_->authority())),
      timeout_(timeout),
      session_(std::make_shared<TlsSession>()),
      stream_(io),
      limit_(io) {}

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
  const StreamEndpoint address = endpoint_->next_address();
  error = co_await endpoint_->open(stream_, address, session_);
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

Awaitable<std::string> HealthProbe::read_status() {
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
    status_ = *status;
    co_return *status / 100 == 2 ? std::string() : "it answered " + std::to_string(*status);
  }
  co_return "its answer is not HTTP";
}

}  // namespace keygate::proxy
