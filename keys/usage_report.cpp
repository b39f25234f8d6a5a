#include "keys/usage_report.hpp"

#include "telemetry/log.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace keygate::keys {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

constexpr milliseconds pause{5'000}, first_wait{5'000}, longest_wait{60'000};
constexpr milliseconds limit{5'000};         // of one request
constexpr std::size_t max_body = 48 * 1024;  // the bundled service takes 64 KiB
constexpr HttpLimits one_at_a_time{1, 1};

json::object as_json(const KeyUse& use) {
  json::array scopes;
  for (const std::string& scope : use.scopes) scopes.emplace_back(scope);
  return {{"digest", to_hex(use.digest)}, {"at", use.at}, {"scopes", std::move(scopes)}};
}

// As many of `uses` as fit, from the back; what is told is moved to `told`.
std::string take_body(std::vector<KeyUse>& uses, std::vector<KeyUse>& told) {
  std::string body = "{\"uses\":[";
  while (!uses.empty()) {
    const std::string one = json::serialize(as_json(uses.back()));
    if (!told.empty() && body.size() + one.size() > max_body) break;
    if (!told.empty()) body += ',';
    body += one;
    told.push_back(std::move(uses.back()));
    uses.pop_back();
  }
  return body += "]}";
}

bool is_no_such_thing(unsigned status) { return status == 404 || status == 405 || status == 501; }

}  // namespace

UsageReport::UsageReport(net::io_context& io, std::shared_ptr<const ServiceAccess> access)
    : io_(io), backoff_(first_wait, longest_wait), random_(std::random_device{}()), timer_(io) {
  apply(std::move(access));
}

UsageReport::~UsageReport() = default;

void UsageReport::apply(std::shared_ptr<const ServiceAccess> access) {
  access_ = std::move(access);
  const config::ServiceUrl& url = *access_->settings.usage_url;
  // What is under way is not heard of any more: it may have been told, and is not told again.
  client_ = std::make_unique<HttpClient>(io_, url, url.is_tls ? access_->tls : nullptr, one_at_a_time);
  is_sending_ = is_refused_ = false;
  backoff_.reset();
}

void UsageReport::note(const KeyDigest& digest, std::int64_t unix_seconds, std::string_view scopes) {
  if (is_refused_) return;
  uses_.note(digest, unix_seconds, scopes);
  if (!is_waiting_ && !is_sending_) send_in(pause);
}

void UsageReport::send_now() {
  if (!is_sending_ && !is_refused_) send();
}

void UsageReport::send_in(milliseconds wait) {
  is_waiting_ = true;
  timer_.expires_after(wait);
  timer_.async_wait([this](error_code cancelled) {
    if (cancelled) return;  // `this` may be gone
    is_waiting_ = false;
    if (!is_sending_) send();
  });
}

void UsageReport::send() {
  if (rest_.empty()) rest_ = uses_.take();
  if (rest_.empty()) return;
  std::vector<KeyUse> told;
  const std::string body = take_body(rest_, told);
  HttpRequestParts parts;
  parts.content_type = "application/json";
  parts.token = access_->token;
  parts.body = body;
  is_sending_ = true;
  client_->send(write_http_request(*access_->settings.usage_url, parts), limit,
                [this, told = std::move(told)](const HttpAnswer& answer) mutable { hear(std::move(told), answer); });
}

void UsageReport::hear(std::vector<KeyUse> told, const HttpAnswer& answer) {
  is_sending_ = false;
  const unsigned status = answer.error ? 0 : answer.response.status;
  if (status >= 200 && status < 300) {
    counters_.reported += told.size();
    backoff_.reset();
    return send();
  }
  ++counters_.failed;
  const std::string where = "the key service " + access_->settings.usage_url->authority;
  if (is_no_such_thing(status)) {
    is_refused_ = true;
    rest_.clear();
    uses_.take();
    return telemetry::log_seldom(telemetry::Level::warn, "usage_refused",
                                 where + " takes no reports of which keys are used (status " + std::to_string(status) +
                                     "): none are sent any more");
  }
  telemetry::log_seldom(telemetry::Level::warn, "usage_failure",
                        where + " could not be told which keys are used, so it will be later: " +
                            (answer.error ? answer.cause : "it answers with status " + std::to_string(status)));
  uses_.give_back(std::move(told));
  uses_.give_back(std::exchange(rest_, {}));
  send_in(backoff_.next(std::uniform_real_distribution<double>(0, 1)(random_)));
}

}  // namespace keygate::keys
