#include "keys/service_source.hpp"

#include "telemetry/log.hpp"

#include <boost/asio/post.hpp>
#include <openssl/crypto.h>

#include <chrono>
#include <utility>
#include <variant>

namespace keygate::keys {

namespace {

using telemetry::Level;
using Clock = std::chrono::steady_clock;
using Outcome = ServiceHealth::Outcome;

bool asks_for_time(unsigned status) { return status == 429 || status == 503; }

// What an answer says of the service. One that cannot be used says that it is alive: what a key brings about must not
// keep others from being looked up.
Outcome outcome_of(const HttpAnswer& answer) {
  if (!answer.error)
    return answer.response.status >= 500 || answer.response.status == 429 ? Outcome::failed : Outcome::alive;
  if (!answer.was_tried) return Outcome::untold;
  return answer.error == errc::invalid_answer ? Outcome::alive : Outcome::failed;
}

std::string cause_of(const HttpAnswer& answer) {
  return answer.error ? answer.cause : "it answers with status " + std::to_string(answer.response.status);
}

}  // namespace

// What a look-up began with, whatever is configured meanwhile.
struct ServiceSource::Asked {
  std::shared_ptr<const Mapping> mapping;
  std::shared_ptr<const Secret> secret;
  std::string host;
  const HttpClient* client = nullptr;  // another one, once there is a new configuration
};

struct ServiceSource::Waiting {
  std::shared_ptr<const Secret> secret;
  Done done;
  Clock::time_point deadline;
};

ServiceSource::ServiceSource(net::io_context& io, std::shared_ptr<const ServiceAccess> access, CredentialRole role,
                             HttpLimits limits)
    : io_(io), role_(role), limits_(limits), random_(std::random_device{}()) {
  set_up(std::move(access));
}

ServiceSource::~ServiceSource() = default;

void ServiceSource::set_up(std::shared_ptr<const ServiceAccess> access) {
  access_ = std::move(access);
  const config::ServiceSettings& settings = access_->settings;
  const bool is_session = role_ == CredentialRole::session && settings.session_url;
  url_ = is_session ? &*settings.session_url : &settings.url;
  mapping_ = std::make_shared<const Mapping>(make_mapping(settings, role_));
  client_ = std::make_shared<HttpClient>(io_, *url_, url_->is_tls ? access_->tls : nullptr, limits_);
}

void ServiceSource::apply(std::shared_ptr<const ServiceAccess> access) {
  const bool is_same_service = access->settings.url.authority == access_->settings.url.authority;
  retired_.push_back(std::move(client_));
  std::erase_if(retired_, [](const auto& client) { return client->in_flight() + client->waiting() == 0; });
  if (!is_same_service) health_ = ServiceHealth();
  set_up(std::move(access));
  let_in();
}

void ServiceSource::post(Result<Found> found, Done done) {
  net::post(io_, [life = std::weak_ptr(life_), result = std::move(found), then = std::move(done)] {
    if (life.lock()) then(result);
  });
}

void ServiceSource::look_up(const KeyDigest&, std::shared_ptr<const Secret> secret, Done done) {
  const auto now = Clock::now();
  if (const auto permit = health_.enter(now)) {
    return ask(*permit, std::move(secret), access_->settings.timeout, std::move(done));
  }
  // One that has just come back is asked a few at a time, which is no reason to refuse the others (F-26).
  if (health_.is_recovering() && waiting_.size() < limits_.max_waiting) {
    waiting_.push_back({std::move(secret), std::move(done), now + access_->settings.timeout});
    return;
  }
  ++counters_.spared;
  post(make_error_code(errc::unavailable), std::move(done));
}

// Those who wait, as far as the service's health goes; all of them where it has failed again.
void ServiceSource::let_in() {
  while (!waiting_.empty()) {
    const auto now = Clock::now();
    const auto permit = health_.enter(now);
    if (!permit && health_.is_recovering()) return;
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    const auto left = std::chrono::floor<std::chrono::milliseconds>(next.deadline - now);
    if (permit && left.count() > 0) {
      ask(*permit, std::move(next.secret), left, std::move(next.done));
      continue;
    }
    if (permit) health_.leave(*permit, Outcome::untold, now, 0);
    ++counters_.spared;
    post(make_error_code(errc::unavailable), std::move(next.done));
  }
}

void ServiceSource::ask(ServiceHealth::Permit permit, std::shared_ptr<const Secret> secret,
                        std::chrono::milliseconds limit, Done done) {
  ++counters_.asked;
  const auto request = make_request(*mapping_, secret->view());
  if (!request) {
    health_.leave(permit, Outcome::untold, Clock::now(), 0);
    return post(count(Found{}), std::move(done));  // unknown
  }
  HttpRequestParts parts;
  parts.method = request->method;
  parts.content_type = request->content_type;
  parts.fields = request->fields.view();
  if (request->carries_token) parts.token = access_->token;
  parts.body = request->body.view();

  Asked asked{mapping_, std::move(secret), url_->authority, client_.get()};
  client_->send(write_http_request(*url_, parts), limit,
                [this, life = std::weak_ptr(life_), what = std::move(asked), ticket = permit,
                 then = std::move(done)](HttpAnswer answer) {
                  if (what.client == client_.get()) note(ticket, answer);
                  Result<Found> found = count(read(what, answer));
                  OPENSSL_cleanse(answer.response.body.data(), answer.response.body.size());
                  then(std::move(found));
                  if (const auto alive = life.lock()) let_in();
                });
}

Result<Found> ServiceSource::read(const Asked& asked, HttpAnswer& answer) {
  AnswerFlaw flaw;
  if (answer.error) {
    if (answer.error != errc::invalid_answer) return answer.error;
    flaw.text = answer.cause;
  } else {
    const ServiceResponse response{answer.response.status, answer.response.content_type, answer.response.body};
    auto read = read_answer(*asked.mapping, response, asked.secret->view());
    if (auto* const known = std::get_if<policy::KeyAnswer>(&read)) return Found{std::move(*known), {}};
    flaw = std::move(std::get<AnswerFlaw>(read));
  }
  if (flaw.error == errc::invalid_answer) {
    telemetry::log_seldom(
        Level::error, "service_answer",
        "an answer of the key service " + asked.host + " cannot be used, so its request gets 503: " + flaw.text);
  }
  return make_error_code(flaw.error);
}

Result<Found> ServiceSource::count(Result<Found> found) {
  if (found.has_value()) {
    ++counters_.answered;
    return found;
  }
  if (found.error() == errc::timed_out) {
    ++counters_.timed_out;
  } else if (found.error() == errc::invalid_answer) {
    ++counters_.invalid;
  } else if (found.error() == errc::overloaded) {
    ++counters_.overloaded;
  } else {
    ++counters_.unavailable;
  }
  return found;
}

void ServiceSource::note(ServiceHealth::Permit permit, const HttpAnswer& answer) {
  const Outcome outcome = outcome_of(answer);
  std::optional<ServiceHealth::Duration> wait;
  if (!answer.error && asks_for_time(answer.response.status) && answer.response.retry_after) {
    wait = *answer.response.retry_after;
  }
  const bool was_down = health_.is_down();
  const auto down_since = health_.down_since();
  const auto now = Clock::now();
  health_.leave(permit, outcome, now, std::uniform_real_distribution<double>(-1.0, 1.0)(random_), wait);

  const std::string service = "the key service " + url_->authority;
  if (!was_down && health_.is_down()) {
    telemetry::log_seldom(Level::warn, "service_down",
                          service + " is down, so keys that only it knows get 503: " + cause_of(answer));
  } else if (was_down && !health_.is_down()) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - down_since).count();
    telemetry::log_seldom(Level::warn, "service_up",
                          service + " answers again, after " + std::to_string(seconds) + " s");
  } else if (!was_down && outcome == Outcome::failed) {
    telemetry::log_seldom(Level::warn, "service_failure", service + " could not be asked: " + cause_of(answer));
  }
}

}  // namespace keygate::keys
