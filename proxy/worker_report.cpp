// What a worker says of the exchanges that have ended: lines of the access log, counts, and the last few of them.
#include "proxy/worker.hpp"

#include <algorithm>
#include <utility>

namespace keygate::proxy {
namespace {

constexpr std::size_t max_log_batch = 128 * 1024;  // each costs a wake-up of the thread that writes

}  // namespace

void Worker::report(const telemetry::Outcome& outcome, const Generation& generation) {
  tallies_.note(*generation.tallies, outcome);
  if (onlooker_) {
    onlooker_(outcome, *generation.snapshot);
  }
  const config::LogSettings& settings = current_->snapshot->settings->log;
  const bool is_logged = access_log_ != nullptr && settings.access != config::AccessLogWhich::none &&
                         (settings.access != config::AccessLogWhich::denied || outcome.code != "ok");
  const bool is_json = access_format_ == telemetry::AccessFormat::json;
  const std::size_t begin = log_lines_.size();
  if (is_logged && is_json) {
    telemetry::append_json(log_lines_, outcome);
  } else if (is_logged) {
    telemetry::append_text(log_lines_, outcome, access_format_);
  }
  if (!recent_.empty()) {
    std::string& line = recent_[recent_count_++ % recent_.size()];
    line.clear();
    if (is_logged && is_json) {
      line.append(log_lines_, begin);
    } else {
      telemetry::append_json(line, outcome);
    }
  }
  if (!is_logged) {
    return;
  }
  ++log_count_;
  if (log_lines_.size() > max_log_batch) {
    flush_log();
  } else {
    ensure_ticking();
  }
}

void Worker::flush_log() {
  if (access_log_ != nullptr && log_count_ > 0) {
    access_log_->write(log_lines_, log_count_);
    log_count_ = 0;
  }
}

void Worker::forget_keys() {
  resolver_->forget_all();
  session_resolver_->forget_all();
}

WorkerFigures Worker::figures() const {
  WorkerFigures out;
  out.routes = tallies_.routes();
  out.upstreams = tallies_.upstreams();
  out.auth = tallies_.auth();
  out.degraded = tallies_.degraded();
  out.lookups = resolver_->lookups();
  for (const keys::SourceCounters& of : session_resolver_->lookups().sources) out.lookups.sources.push_back(of);
  out.lookups.memory_hits += session_resolver_->lookups().memory_hits;
  out.lookups.memory_misses += session_resolver_->lookups().memory_misses;
  out.dependencies = dependencies_->figures();
  out.clients = client_count;
  for (const auto& upstream : current_->upstreams) out.upstream_connections += upstream->connections();
  out.cached_keys = resolver_->known_keys() + session_resolver_->known_keys();
  return out;
}

Recent Worker::recent(std::uint64_t seen) const {
  Recent out;
  out.last = recent_count_;
  const std::uint64_t kept = std::min<std::uint64_t>(recent_count_, recent_.size());
  for (std::uint64_t i = std::max(seen, recent_count_ - kept); i < recent_count_; ++i) {
    out.lines.push_back(recent_[i % recent_.size()]);
  }
  return out;
}

}  // namespace keygate::proxy
