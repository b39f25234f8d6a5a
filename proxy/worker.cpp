#include "proxy/worker.hpp"

#include "proxy/exchange.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace keygate::proxy {
namespace {

constexpr std::size_t max_spare_rooms = 64;
constexpr std::size_t max_recent = 128;
constexpr unsigned quiet_ticks_before_rest = 20;
constexpr std::chrono::seconds stall{1};

// xoroshiro128+: request ids have to be unlikely to repeat, not hard to guess.
std::uint64_t next_random(std::array<std::uint64_t, 2>& state) {
  const auto rotate = [](std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); };
  const std::uint64_t result = state[0] + state[1];
  const std::uint64_t mixed = state[1] ^ state[0];
  state[0] = rotate(state[0], 24) ^ mixed ^ (mixed << 16U);
  state[1] = rotate(mixed, 37);
  return result;
}

// "000102…feff"
constexpr std::array<char, 512> hex_pairs = [] {
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<char, 512> pairs{};
  for (std::size_t byte = 0; byte < 256; ++byte) {
    pairs[2 * byte] = digits[byte >> 4U];
    pairs[2 * byte + 1] = digits[byte & 15U];
  }
  return pairs;
}();

}  // namespace

Worker::Worker(Parts parts)
    : max_clients(parts.max_clients),
      seats(parts.seats),
      traces(parts.traces),
      sampler({granted_wishes_per_second / static_cast<double>(parts.workers),
               granted_words_per_second / static_cast<double>(parts.workers)}),
      home_{io, deadlines, names_, parts.index, parts.workers},
      access_log_(parts.access_log),
      access_format_(parts.access_format),
      onlooker_(std::move(parts.onlooker)),
      ticker_(io) {
  if (parts.keeps_recent) recent_.resize(max_recent);
  std::random_device random;
  dice.seed(std::uint64_t{random()} << 32U | random());
  for (std::uint64_t& word : id_state_) {
    word = std::uint64_t{random()} << 32U | random() | 1U;
  }
  const config::ResolutionSettings& resolution = parts.snapshot->settings->resolution;
  const keys::Dependencies::Place place{io, parts.store, parts.workers, parts.limits};
  dependencies_ = std::make_unique<keys::Dependencies>(place, resolution, parts.snapshot->secrets);
  resolver_ = std::make_unique<keys::Resolver>(io, dependencies_->for_keys(), resolution);
  session_resolver_ = std::make_unique<keys::Resolver>(io, dependencies_->for_sessions(), resolution);
  apply(std::move(parts.snapshot));
  keys::Dependencies::Listener listener;
  listener.on_change = [this](const keys::KeyDigest& digest) { invalidate(digest); };
  listener.on_up = [this] {
    resolver_->push_up();
    session_resolver_->push_up();
  };
  listener.on_down = [this] {
    resolver_->push_down();
    session_resolver_->push_down();
  };
  dependencies_->listen(std::move(listener));
}

Worker::~Worker() {
  flush_log();
  flush_uses();
}

void Worker::apply(std::shared_ptr<const Snapshot> snapshot) {
  flush_uses();  // the next policy's texts may come to lie where those of one before it lay
  auto next = std::make_shared<Generation>();
  next->tallies = tallies_.begin(snapshot->policy);
  const auto& secured = snapshot->tls.upstreams;
  for (std::size_t i = 0; i < snapshot->settings->upstreams.size(); ++i) {
    const config::UpstreamSettings& wanted = snapshot->settings->upstreams[i];
    const auto tls = i < secured.size() ? secured[i] : nullptr;
    auto kept = find_unchanged(wanted, tls.get());
    next->upstreams.push_back(
        kept ? std::move(kept)
             : std::make_shared<Upstream>(home_, wanted,
                                          Upstream::Parts{tls, snapshot->health[i], next_random(id_state_)}));
    next->upstreams.back()->times = tallies_.upstream(wanted.name);
  }
  if (current_) {
    for (const auto& upstream : current_->upstreams) {
      if (std::find(next->upstreams.begin(), next->upstreams.end(), upstream) == next->upstreams.end()) {
        upstream->retire();
      }
    }
  }
  const config::ResolutionSettings& resolution = snapshot->settings->resolution;
  if (current_) {
    dependencies_->apply(resolution, snapshot->secrets);
  }
  resolver_->apply(snapshot->policy->catalogue, snapshot->generation, resolution);
  session_resolver_->apply(snapshot->policy->catalogue, snapshot->generation, resolution);
  next->snapshot = std::move(snapshot);
  current_ = std::move(next);
}

// The upstream as it runs now, with its idle connections, where a reload has not changed it.
std::shared_ptr<Upstream> Worker::find_unchanged(const config::UpstreamSettings& wanted, const UpstreamTls* tls) const {
  if (current_) {
    for (const auto& upstream : current_->upstreams) {
      if (upstream->serves(wanted, tls)) {
        return upstream;
      }
    }
  }
  return nullptr;
}

void Worker::invalidate(const keys::KeyDigest& digest) {
  resolver_->invalidate(digest);
  session_resolver_->invalidate(digest);
  for (auto it = residents.begin(); it != residents.end();) {
    (it++)->on_change(digest);
  }
}

void Worker::drain() {
  is_draining_ = true;
  flush_uses();
  dependencies_->tell_uses();
}

void Worker::close_idle() {
  for (auto it = residents.begin(); it != residents.end();) {
    (it++)->on_drain();
  }
  parking.close_idle();
  for (const auto& upstream : current_->upstreams) {
    upstream->close_idle();
  }
}

void Worker::stop() {
  is_stopped_ = true;
  flush_log();
  if (client_count == 0) {
    ticker_.cancel();
    leave();
  }
}

// The last client is gone: nothing that waits for somebody else keeps io running.
void Worker::leave() {
  for (const auto& upstream : current_->upstreams) {
    upstream->retire();
  }
  resolver_->close();
  session_resolver_->close();
  dependencies_->close();
}

void Worker::abort_all() {
  for (auto it = residents.begin(); it != residents.end();) {
    (it++)->abort();
  }
  parking.close_all();
}

void Worker::arm(Deadline& deadline, std::chrono::milliseconds after) {
  ensure_ticking();
  deadlines.arm(deadline, after);
}

// The ticker rests while the worker has neither clients nor lines to write, so that an idle process does not wake up.
void Worker::ensure_ticking() {
  quiet_ticks_ = 0;
  if (is_ticking_ || (is_stopped_ && client_count == 0)) {
    return;
  }
  is_ticking_ = true;
  last_tick_ = SteadyClock::now();
  deadlines.start_at(last_tick_ - stalled_);
  wait_for_tick();
}

void Worker::wait_for_tick() {
  ticker_.expires_after(DeadlineWheel::tick);
  ticker_.async_wait([this](error_code error) {
    if (!error) {
      on_tick();
    }
  });
}

void Worker::on_tick() {
  advance_deadlines();
  for (auto it = residents.begin(); it != residents.end();) {
    (it++)->on_tick();
  }
  flush_log();
  flush_uses();
  if (buffers.trim()) {
    quiet_ticks_ = 0;
  }
  if (is_stopped_ && client_count == 0) {
    is_ticking_ = false;
    leave();
    return;
  }
  const bool is_quiet = client_count == 0 && ++quiet_ticks_ > quiet_ticks_before_rest;
  const bool has_idle_upstreams = std::any_of(current_->upstreams.begin(), current_->upstreams.end(),
                                              [](const auto& upstream) { return upstream->has_idle(); });
  if (is_quiet && !has_idle_upstreams) {
    is_ticking_ = false;
    return;
  }
  wait_for_tick();
}

// A process that was stopped for a while (a frozen container, a debugger) has not kept anybody waiting for that time:
// deadlines count the time in which the loop turned.
void Worker::advance_deadlines() {
  const auto now = SteadyClock::now();
  const auto since = now - last_tick_;
  if (since > stall) {
    stalled_ += since - DeadlineWheel::tick;
  }
  last_tick_ = now;
  deadlines.advance(now - stalled_);
}

void Worker::note_use(const keys::KeyDigest& digest, std::int64_t unix_seconds, const std::string& scopes) {
  if (!dependencies_->takes_uses()) {
    return;
  }
  if (uses_.note(digest, unix_seconds, scopes)) {
    ensure_ticking();
  }
}

void Worker::flush_uses() { uses_.flush(*dependencies_); }

std::string_view Worker::next_request_id() {
  char* at = id_text_.data();
  for (int half = 0; half < 2; ++half) {
    std::uint64_t word = next_random(id_state_);
    for (std::size_t i = 0; i < sizeof word; ++i, word >>= 8U, at += 2) {
      std::memcpy(at, &hex_pairs[2 * (word & 255U)], 2);
    }
  }
  return {id_text_.data(), id_text_.size()};
}

std::unique_ptr<ExchangeRoom> Worker::take_room() {
  if (rooms_.empty()) {
    return std::make_unique<ExchangeRoom>();
  }
  auto room = std::move(rooms_.back());
  rooms_.pop_back();
  return room;
}

void Worker::give_back(std::unique_ptr<ExchangeRoom> room) {
  if (rooms_.size() < max_spare_rooms) {
    rooms_.push_back(std::move(room));
  }
}

}  // namespace keygate::proxy
