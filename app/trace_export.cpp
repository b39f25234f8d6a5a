#include "app/trace_export.hpp"

#include "app/version.hpp"
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
constexpr milliseconds limit{10'000};      // of one request
constexpr std::size_t most_records = 256;  // of one request: some 500 KiB at most
constexpr keys::HttpLimits one_at_a_time{1, 1};

// Of the specification (OTLP/HTTP, failures): these are tried again, all others are not.
bool is_worth_another_try(unsigned status) { return status == 429 || status == 502 || status == 503 || status == 504; }

std::string instance_id() {
  char host[256] = {};
  const bool has_name = ::gethostname(host, sizeof host - 1) == 0;
  return std::string(has_name ? host : "") + ':' + std::to_string(::getpid());
}

std::uint64_t spans_of(const std::vector<telemetry::TraceRecord>& records) {
  std::uint64_t count = 0;
  for (const auto& record : records) count += record.spans();
  return count;
}

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
  settings_ = settings;
  resource_.service_name = settings.service_name;
  client_.reset();  // what is under way is not heard of any more, and is sent again: twice is better than never
  is_sending_ = false;
  has_failed_ = false;
  backoff_.reset();
  if (!settings.endpoint) {
    dropped_ += spans_of(std::exchange(batch_, {}));
    while (!queue_.empty()) dropped_ += spans_of(queue_.take(most_records));
    return;
  }
  client_ = std::make_unique<keys::HttpClient>(io_, *settings.endpoint, std::move(tls), one_at_a_time);
  if (!batch_.empty() || !queue_.empty()) send_in(gather);
}

void TraceExport::finish(std::function<void()> done) {
  on_end_ = std::move(done);
  if (!is_sending_) send();
}

TraceFigures TraceExport::figures() const {
  return {client_ != nullptr, exported_, dropped_ + queue_.dropped_spans(), rejected_};
}

// There is something in the queue now, or half of what it can hold: that is not waited on, unless the collector fails.
void TraceExport::wake() {
  if (client_ == nullptr) {
    while (!queue_.empty()) dropped_ += spans_of(queue_.take(most_records));
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
  if (batch_.empty()) batch_ = queue_.take(most_records);
  if (batch_.empty() || client_ == nullptr) {
    if (on_end_) std::exchange(on_end_, nullptr)();
    return;
  }
  timer_.cancel();
  is_waiting_ = false;
  const std::string body = telemetry::otlp_json(batch_, resource_);
  keys::HttpRequestParts parts;
  parts.content_type = "application/json";
  parts.body = body;
  is_sending_ = true;
  client_->send(keys::write_http_request(*settings_.endpoint, parts), limit,
                [this, spans = spans_of(batch_)](const keys::HttpAnswer& answer) { hear(spans, answer); });
}

void TraceExport::hear(std::uint64_t spans, const keys::HttpAnswer& answer) {
  is_sending_ = false;
  const unsigned status = answer.error ? 0 : answer.response.status;
  if (answer.error || is_worth_another_try(status)) {
    const milliseconds asked = answer.response.retry_after.value_or(std::chrono::seconds(0));
    const milliseconds own = backoff_.next(std::uniform_real_distribution<double>(0, 1)(random_));
    return fail(answer.error ? answer.cause : "it answers with status " + std::to_string(status),
                std::max(own, std::min(asked, longest_wait)));
  }
  batch_.clear();
  backoff_.reset();
  has_failed_ = false;
  if (status >= 200 && status < 300) {
    const std::uint64_t refused = std::min(spans, telemetry::rejected_spans(answer.response.body));
    exported_ += spans - refused;
    rejected_ += refused;
  } else {
    rejected_ += spans;
    telemetry::log_seldom(Level::warn, "traces_refused",
                          "the trace collector " + settings_.endpoint->authority + " refuses spans with status " +
                              std::to_string(status) + ": they are let go");
  }
  // What has come meanwhile has waited long enough.
  send();
}

void TraceExport::fail(const std::string& why, milliseconds wait) {
  telemetry::log_seldom(
      Level::warn, "traces_failed",
      "the trace collector " + settings_.endpoint->authority + " takes no spans, which are kept for a while: " + why);
  has_failed_ = true;
  if (!on_end_) return send_in(wait);
  dropped_ += spans_of(std::exchange(batch_, {}));
  std::exchange(on_end_, nullptr)();
}

}  // namespace keygate::app
