#include "app/metrics.hpp"

#include "app/version.hpp"
#include "policy/reason.hpp"

#include <initializer_list>
#include <limits>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <utility>

namespace keygate::app {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Label = ClientMetric::Label;
using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

ClientMetric with_labels(Labels labels) {
  ClientMetric metric;
  for (const auto& [name, value] : labels) {
    Label label;
    label.name = name;
    label.value = value;
    metric.label.push_back(std::move(label));
  }
  return metric;
}

class Families {
 public:
  // What comes next is of this family.
  void begin(std::string_view name, MetricType type, std::string_view help) {
    MetricFamily family;
    family.name = name;
    family.help = help;
    family.type = type;
    all_.push_back(std::move(family));
  }

  void add(double value, Labels labels = {}) {
    ClientMetric metric = with_labels(labels);
    if (all_.back().type == MetricType::Counter) metric.counter.value = value;
    if (all_.back().type == MetricType::Gauge) metric.gauge.value = value;
    all_.back().metric.push_back(std::move(metric));
  }
  void add(std::uint64_t value, Labels labels = {}) { add(static_cast<double>(value), labels); }

  template <const auto& Bounds>
  void add(const telemetry::Histogram<Bounds>& times, Labels labels) {
    ClientMetric metric = with_labels(labels);
    std::uint64_t up_to_here = 0;
    for (std::size_t i = 0; i < times.counts.size(); ++i) {
      up_to_here += times.counts[i];
      ClientMetric::Bucket bucket;
      bucket.cumulative_count = up_to_here;
      bucket.upper_bound =
          i < Bounds.size() ? static_cast<double>(Bounds[i]) / 1e9 : std::numeric_limits<double>::infinity();
      metric.histogram.bucket.push_back(bucket);
    }
    metric.histogram.sample_count = up_to_here;
    metric.histogram.sample_sum = static_cast<double>(times.sum) / 1e9;
    all_.back().metric.push_back(std::move(metric));
  }

  // Families without a series say nothing, and are left out.
  std::string text() {
    std::erase_if(all_, [](const MetricFamily& family) { return family.metric.empty(); });
    return prometheus::TextSerializer().Serialize(all_);
  }

 private:
  std::vector<MetricFamily> all_;
};

// Two reasons may share a code.
template <class Counts>
std::map<std::string_view, std::uint64_t> by_code(const Counts& by_reason) {
  std::map<std::string_view, std::uint64_t> counts;
  for (const policy::ReasonRow& row : policy::reasons()) {
    const auto count = by_reason[static_cast<std::size_t>(row.reason)];
    if (count > 0) counts[row.code] += count;
  }
  return counts;
}

void put_requests(Families& out, const Totals& totals) {
  out.begin("keygate_requests_total", MetricType::Counter, "Finished exchanges, by route and by how they ended.");
  for (const auto& [name, route] : totals.routes) {
    for (const auto& [code, count] : by_code(route.by_reason)) out.add(count, {{"route", name}, {"code", code}});
  }
  out.begin("keygate_rate_limited_total", MetricType::Counter, "Requests refused by the rate limit of their route.");
  for (const auto& [name, route] : totals.routes) {
    if (const auto count = count_of(route, "rate_limited")) out.add(count, {{"route", name}});
  }
  out.begin("keygate_shadow_denied_total", MetricType::Counter,
            "Requests that were let through only because their route is in shadow mode.");
  for (const auto& [name, route] : totals.routes) {
    for (const auto& [code, count] : by_code(route.shadowed)) out.add(count, {{"route", name}, {"code", code}});
  }
  out.begin("keygate_degraded_requests_total", MetricType::Counter,
            "Requests served by what was known of a key beyond the staleness bound (stale_if_error).");
  out.add(totals.degraded);
}

void put_times(Families& out, const Totals& totals) {
  out.begin("keygate_request_duration_seconds", MetricType::Histogram, "From a request's head to its end.");
  for (const auto& [name, route] : totals.routes) {
    if (route.times && route.times->total() > 0) out.add(*route.times, {{"route", name}});
  }
  out.begin("keygate_auth_duration_seconds", MetricType::Histogram,
            "Matching, finding out whose key it is, and deciding; by who knew the key.");
  for (std::size_t i = 0; i < totals.auth.size(); ++i) {
    if (totals.auth[i].total() > 0) out.add(totals.auth[i], {{"source", proxy::Tallies::source_names[i]}});
  }
  out.begin("keygate_upstream_duration_seconds", MetricType::Histogram,
            "From a request's last byte to the head of the upstream's response.");
  for (const auto& [name, times] : totals.upstreams) out.add(times, {{"upstream", name}});
}

void put_lookups(Families& out, const Totals& totals) {
  out.begin("keygate_key_lookups_total", MetricType::Counter, "Look-ups of keys and sessions, by who was asked.");
  out.add(totals.memory_hits, {{"source", "memory"}, {"result", "hit"}});
  out.add(totals.memory_misses, {{"source", "memory"}, {"result", "miss"}});
  if (totals.dependencies.has_redis) {
    const keys::RedisCacheCounters& redis = totals.dependencies.redis;
    for (const auto& [result, count] : {std::pair{"hit", redis.hits},
                                        {"miss", redis.misses},
                                        {"revoked", redis.revoked},
                                        {"changed", redis.changed},
                                        {"error", redis.errors}}) {
      out.add(count, {{"source", "redis"}, {"result", result}});
    }
  }
  for (const auto& [source, results] : totals.sources) {
    for (std::size_t i = 0; i < results.size(); ++i) {
      out.add(results[i], {{"source", source}, {"result", to_string(static_cast<keys::LookupResult>(i))}});
    }
  }
  out.begin("keygate_redis_flawed_records_total", MetricType::Counter, "Records in Redis that were not believed.");
  for (std::size_t i = 0; totals.dependencies.has_redis && i < keys::record_flaw_count; ++i) {
    out.add(totals.dependencies.redis.flaws[i], {{"flaw", to_string(static_cast<keys::RecordFlaw>(i))}});
  }
  out.begin("keygate_cached_keys", MetricType::Gauge, "Keys and sessions in the workers' memory.");
  out.add(static_cast<double>(totals.cached_keys));
}

void put_dependencies(Families& out, const keys::DependencyFigures& now) {
  const auto flag = [](bool is_so) { return is_so ? 1.0 : 0.0; };
  if (now.has_redis) {
    out.begin("keygate_redis_up", MetricType::Gauge, "1 where every worker can ask Redis.");
    out.add(flag(now.is_redis_up));
    out.begin("keygate_revocation_push_up", MetricType::Gauge, "1 where every worker hears of revocations at once.");
    out.add(flag(now.is_push_up));
  }
  if (now.has_service) {
    out.begin("keygate_key_service_up", MetricType::Gauge, "1 where no worker has given up asking the key service.");
    out.add(flag(now.is_service_up));
  }
  out.begin("keygate_breaker_state", MetricType::Gauge, "0 closed, 1 half open, 2 open: the worst of all workers.");
  if (now.has_redis) out.add(static_cast<double>(now.redis_breaker), {{"dependency", "redis"}});
  if (now.has_service) out.add(static_cast<double>(now.service_breaker), {{"dependency", "key_service"}});
}

void put_server(Families& out, const Totals& totals, const ServerFigures& server) {
  out.begin("keygate_connections", MetricType::Gauge, "Open connections; of upstreams idle ones too.");
  out.add(static_cast<double>(totals.clients), {{"side", "client"}});
  out.add(static_cast<double>(totals.upstream_connections), {{"side", "upstream"}});
  out.begin("keygate_shadow_routes", MetricType::Gauge, "Routes in shadow mode, which refuse nobody.");
  out.add(static_cast<double>(server.shadow_routes));
  out.begin("keygate_upstream_exposed", MetricType::Gauge,
            "1 where an upstream on loopback can be reached on another address too, around Keygate.");
  for (const BypassCheck::Finding& one : server.on_loopback) {
    out.add(one.place.empty() ? 0.0 : 1.0, {{"upstream", one.upstream}});
  }
  out.begin("keygate_revocation_bound_seconds", MetricType::Gauge,
            "The longest a revoked key may still be honoured: the staleness bound in force.");
  out.add(static_cast<double>(server.staleness_bound.count()) / 1e3);
  out.begin("keygate_revocations_received_total", MetricType::Counter, "Keys that this process was told have changed.");
  out.add(totals.dependencies.revocations + server.store_changes);
  out.begin("keygate_config_generation", MetricType::Gauge, "The number of the configuration in force.");
  out.add(static_cast<double>(server.generation));
  out.begin("keygate_config_last_reload_successful", MetricType::Gauge, "0 where the last reload was refused.");
  out.add(server.was_last_reload_good ? 1.0 : 0.0);
  out.begin("keygate_access_log_dropped_lines_total", MetricType::Counter, "Lines that the access log had to drop.");
  out.add(server.dropped_lines);
  if (server.traces.is_on) {
    out.begin("keygate_spans_exported_total", MetricType::Counter, "Spans that the trace collector has taken.");
    out.add(server.traces.exported_spans);
    out.begin("keygate_spans_dropped_total", MetricType::Counter,
              "Spans that it has not: the queue was full, it refused them, or it could not be asked for too long.");
    out.add(server.traces.dropped_spans, {{"reason", "queue_full"}});
    out.add(server.traces.rejected_spans, {{"reason", "refused"}});
    out.add(server.traces.too_old_spans, {{"reason", "too_old"}});
  }
  out.begin("keygate_build_info", MetricType::Gauge, "Which build this is; always 1.");
  out.add(1.0, {{"version", version()}, {"commit", commit()}});
}

void put_process(Families& out, const ProcessFacts& process) {
  const auto gauge = [&out](std::string_view name, std::string_view help, double value) {
    out.begin(name, MetricType::Gauge, help);
    out.add(value);
  };
  out.begin("process_cpu_seconds_total", MetricType::Counter, "User and system time.");
  out.add(process.cpu_seconds);
  gauge("process_resident_memory_bytes", "Resident memory.", static_cast<double>(process.resident_bytes));
  gauge("process_virtual_memory_bytes", "Virtual memory.", static_cast<double>(process.virtual_bytes));
  gauge("process_start_time_seconds", "Start of the process, since 1970.", process.start_time_seconds);
  gauge("process_open_fds", "Open file descriptors.", static_cast<double>(process.open_descriptors));
  gauge("process_max_fds", "The most file descriptors there may be.", static_cast<double>(process.max_descriptors));
  gauge("process_threads", "Threads.", static_cast<double>(process.threads));
}

}  // namespace

std::string metrics_text(const Totals& totals, const ServerFigures& server, const ProcessFacts& process) {
  Families out;
  put_requests(out, totals);
  put_times(out, totals);
  put_lookups(out, totals);
  put_dependencies(out, totals.dependencies);
  put_server(out, totals, server);
  put_process(out, process);
  return out.text();
}

}  // namespace keygate::app
