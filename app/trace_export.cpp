#include "app/trace_export.hpp"

#include "app/version.hpp"
#include "keys/source.hpp"
#include "telemetry/log.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <unistd.h>
#include <utility>

namespace keygate::app {
namespace {

using std::chrono::milliseconds;
using telemetry::Level;

constexpr milliseconds gather{1'000};  // how long spans wait for others
constexpr milliseconds first_wait{1'000}, longest_wait{60'000};
constexpr milliseconds limit{10'000};  // of one request
constexpr keys::HttpLimits one_at_a_time{1, 1};

// Of the specification (OTLP/HTTP, failures): these are tried again, all others are not.
bool is_worth_another_try(unsigned status) { return status == 429 || status == 502 || status == 503 || status == 504; }

std::string instance_id() {
  char host[256] = {};
  const bool has_name = ::gethostname(host, sizeof host - 1) == 0;
  return std::string(has_name ? host : "") + ':' + std::to_string(::getpid());
}

// An answer that came, and that is none: a proxy's page, compressed, or without an end. The next would be the same.
bool is_no_answer(const keys::HttpAnswer& answer) { return answer.error == keys::errc::invalid_answer; }

}  // namespace

// A worker that puts the first span into an empty queue wakes the control thread. By then this may be gone.
TraceExport::TraceExport(net::io_context& io)
    : io_(io),
      self_(std::make_shared<TraceExport*>(this)),
      queue_([&io, weak = std::weak_ptr<TraceExport*>(self_)] {
        net::post(io, [weak] {
          if (const auto self = weak.lock()) (*self)->wake();
        });
      }),
      backoff_(first_wait, longest_wait),
      random_(std::random_device{}()),
      timer_(io) {
  resource_.service_version = version();
  resource_.instance_id = instance_id();
}

TraceExport::~TraceExport() = default;

void TraceExport::apply(const config::TracingSettings& settings, std::shared_ptr<const keys::ClientTls> tls) {
  resource_.service_name = settings.service_name;
  const bool is_same_tls = tls_ == nullptr || tls == nullptr ? tls_ == tls : tls_->is_same(*tls);
  if (endpoint_ == settings.endpoint && is_same_tls) return;
  endpoint_ = settings.endpoint;
  tls_ = tls;
  client_.reset();  // what is under way is not heard of any more, and is sent again: twice is better than never
  timer_.cancel();
  is_waiting_ = is_sending_ = has_failed_ = is_unreachable_ = false;
  backoff_.reset();
  if (!endpoint_) return drop_all();
  client_ = std::make_unique<keys::HttpClient>(io_, *endpoint_, std::move(tls), one_at_a_time);
  if (!backlog_.empty() || !queue_.empty()) send_in(gather);
}

// One that could not be reached a moment ago is not sought again: looking up its name can take longer than a drain has.
void TraceExport::finish(std::function<void()> done) {
  on_end_ = std::move(done);
  if (is_sending_) return;
  if (is_unreachable_) return end();
  send();
}

TraceFigures TraceExport::figures() const {
  return {client_ != nullptr, exported_, dropped_ + queue_.dropped_spans(), rejected_, too_old_};
}

void TraceExport::drop_all() {
  dropped_ += backlog_.drop();
  backlog_.refill(queue_, Clock::now());
  dropped_ += backlog_.drop();
}

// There is something in the queue now, or half of what it can hold: that is not waited on, unless the collector fails.
void TraceExport::wake() {
  if (client_ == nullptr) {
    drop_all();
  } else if (!is_sending_ && !has_failed_ && queue_.is_half_full()) {
    send();
  } else if (!is_waiting_ && !is_sending_) {
    send_in(gather);
  }
}

void TraceExport::send_in(milliseconds wait) {
  is_waiting_ = true;
  timer_.expires_after(wait);
  timer_.async_wait([this](error_code cancelled) {
    if (cancelled) return;  // `this` may be gone
    is_waiting_ = false;
    if (!is_sending_) send();
  });
}

void TraceExport::send() {
  if (client_ == nullptr) return end();
  backlog_.refill(queue_, Clock::now());
  if (backlog_.empty()) return end();
  timer_.cancel();
  is_waiting_ = false;
  const std::string body = telemetry::otlp_json(backlog_.batch(), resource_);
  keys::HttpRequestParts parts;
  parts.content_type = "application/json";
  parts.body = body;
  is_sending_ = true;
  client_->send(keys::write_http_request(*endpoint_, parts), limit,
                [this](const keys::HttpAnswer& answer) { hear(answer); });
}

void TraceExport::hear(const keys::HttpAnswer& answer) {
  is_sending_ = false;
  const unsigned status = answer.error ? 0 : answer.response.status;
  if ((answer.error && !is_no_answer(answer)) || is_worth_another_try(status)) {
    is_unreachable_ = static_cast<bool>(answer.error);
    const milliseconds asked = answer.response.retry_after.value_or(std::chrono::seconds(0));
    const milliseconds own = backoff_.next(std::uniform_real_distribution<double>(0, 1)(random_));
    return fail(answer.error ? answer.cause : "it answers with status " + std::to_string(status),
                std::max(own, std::min(asked, longest_wait)));
  }
  const std::uint64_t spans = telemetry::spans_of(backlog_.batch());
  backlog_.next();
  backoff_.reset();
  has_failed_ = is_unreachable_ = false;
  if (status >= 200 && status < 300) {
    const std::uint64_t refused = std::min(spans, telemetry::rejected_spans(answer.response.body));
    exported_ += spans - refused;
    rejected_ += refused;
  } else {
    rejected_ += spans;
    const std::string what = answer.error ? "gives no answer that can be read (" + answer.cause + ")"
                                          : "refuses spans with status " + std::to_string(status);
    telemetry::log_seldom(Level::warn, "traces_refused",
                          "the trace collector " + endpoint_->authority + ' ' + what + ": they are let go");
  }
  // What has come meanwhile has waited long enough.
  send();
}

void TraceExport::fail(const std::string& why, milliseconds wait) {
  telemetry::log_seldom(
      Level::warn, "traces_failed",
      "the trace collector " + endpoint_->authority + " takes no spans, which are kept for a while: " + why);
  has_failed_ = true;
  if (on_end_) return end();
  if (backlog_.is_too_old(Clock::now())) too_old_ += backlog_.drop();
  send_in(wait);
}

void TraceExport::end() {
  if (!on_end_) return;
  drop_all();
  std::exchange(on_end_, nullptr)();
}

}  // namespace keygate::app
