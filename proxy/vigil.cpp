#include "proxy/vigil.hpp"

#include "proxy/client.hpp"
#include "telemetry/log.hpp"

#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace keygate::proxy {
namespace {

constexpr std::chrono::seconds pause_in_doubt{1};
// For an answer that is on its way: most of all to whoever has just revoked the key by this very request.
constexpr std::chrono::milliseconds grace{500};

std::int64_t unix_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

Awaitable<void> look_up(std::shared_ptr<Vigil*> asked_by, Worker& worker, policy::CredentialKind kind,
                        keys::KeyDigest digest, keys::SecretView secret) {
  const auto deadline = SteadyClock::now() + worker.resolver(kind).patience();
  // The secret is copied before this first waits.
  const Result<std::shared_ptr<const keys::Record>> found =
      co_await worker.resolver(kind).look_up(digest, secret, deadline);
  if (*asked_by != nullptr) {
    (*asked_by)->hear(found);
  }
}

}  // namespace

void Vigil::begin(const Watched& watched) {
  watched_.emplace(watched);
  client_.vigil = this;
  due_ = watched.record.asked_at + bound();
  expires_at_ = watched.record.answer.principal.expires_at;
  in_doubt_since_.reset();
  has_changed_ = false;
  condemned_.reset();
}

void Vigil::end() {
  if (!watched_) {
    return;
  }
  watched_.reset();
  client_.vigil = nullptr;
  is_looking_ = false;
  if (self_) {
    *self_ = nullptr;
    self_.reset();
  }
}

void Vigil::on_tick() {
  if (condemned_) {
    if (SteadyClock::now() >= due_) {
      client_.cut(*condemned_);
    }
    return;
  }
  if (expires_at_ && unix_now() >= *expires_at_) {
    client_.cut(watched_->caller.kind == policy::CredentialKind::session ? policy::Reason::invalid_session
                                                                         : policy::Reason::expired_key);
    return;
  }
  if (!is_looking_ && SteadyClock::now() >= due_) {
    look_again();
  }
}

void Vigil::on_change(const keys::KeyDigest& digest) {
  if (digest == watched_->digest && !condemned_) {
    look_again();
  }
}

// What is being answered ends at once.
void Vigil::condemn(policy::Reason why) {
  if (client_.has_answer_begun) {
    return client_.cut(why);
  }
  condemned_ = why;
  due_ = SteadyClock::now() + grace;
}

// The one in force, which a reload may have shortened since.
std::chrono::milliseconds Vigil::bound() const {
  return client_.worker.current()->snapshot->settings->resolution.staleness_bound;
}

void Vigil::look_again() {
  if (is_looking_) {
    has_changed_ = true;
    return;
  }
  is_looking_ = true;
  self_ = std::make_shared<Vigil*>(this);
  Worker& worker = client_.worker;
  net::co_spawn(worker.io, look_up(self_, worker, watched_->caller.kind, watched_->digest, watched_->secret),
                [asked_by = self_](const std::exception_ptr& thrown) {
                  if (!thrown) {
                    return;
                  }
                  telemetry::log_seldom(telemetry::Level::error, "vigil", "a key in use could not be looked at again");
                  if (*asked_by != nullptr) {
                    (*asked_by)->hear(make_error_code(keys::errc::unavailable));
                  }
                });
}

void Vigil::hear(const Result<std::shared_ptr<const keys::Record>>& found) {
  const auto now = SteadyClock::now();
  is_looking_ = false;
  if (std::exchange(has_changed_, false)) {
    return look_again();
  }
  if (!found) {
    in_doubt_since_ = in_doubt_since_.value_or(now);
    due_ = now + pause_in_doubt;
    if (now - *in_doubt_since_ >= bound()) {
      client_.cut(policy::Reason::key_service_unavailable);
    }
    return;
  }
  const auto judged = keys::judge_under(watched_->snapshot.policy->catalogue, watched_->snapshot.generation, *found);
  policy::Caller caller = watched_->caller;
  caller.answer = &judged->answer;
  caller.held = &judged->held;
  const policy::Decision decision =
      policy::decide(*watched_->snapshot.policy, watched_->route, watched_->target, caller, unix_now());
  if (const auto* denial = std::get_if<policy::Denial>(&decision)) {
    return condemn(denial->reason);
  }
  // Shadow mode would let it begin, as nobody; it has begun as somebody.
  if (const auto& grant = std::get<policy::Grant>(decision); grant.principal() == nullptr) {
    return condemn(grant.shadowed());
  }
  in_doubt_since_.reset();
  expires_at_ = judged->answer.principal.expires_at;
  due_ = std::max(judged->asked_at + bound(), now + pause_in_doubt);
}

}  // namespace keygate::proxy
