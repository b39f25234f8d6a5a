#include "app/admin_api.hpp"

#include "app/version.hpp"
#include "policy/reason.hpp"

#include <boost/json/parse.hpp>
#include <boost/url/params_encoded_view.hpp>
#include <boost/url/parse_query.hpp>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <utility>

namespace keygate::app {

namespace json = boost::json;

namespace {

using std::chrono::system_clock;

std::string text_of(system_clock::time_point time) {
  const std::time_t seconds = system_clock::to_time_t(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[sizeof "YYYY-MM-DDThh:mm:ssZ"];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

template <class Times>
json::object quantiles(const Times& times) {
  const auto ms = [&times](double q) { return static_cast<double>(times.quantile(q).count()) / 1e6; };
  return {{"count", times.total()}, {"p50_ms", ms(0.5)}, {"p95_ms", ms(0.95)}, {"p99_ms", ms(0.99)}};
}

std::uint64_t denials_of(const proxy::RouteTally& route) {
  std::uint64_t count = 0;
  for (const policy::ReasonRow& row : policy::reasons()) {
    const bool is_denial = row.fault == policy::Fault::client && row.reason != policy::Reason::client_closed;
    if (is_denial) count += route.by_reason[static_cast<std::size_t>(row.reason)];
  }
  return count;
}

std::uint64_t hits_of(const proxy::RouteTally& route) {
  std::uint64_t count = 0;
  for (const std::uint64_t of_reason : route.by_reason) count += of_reason;
  return count;
}

std::string_view access_text(policy::Access access) {
  switch (access) {
    case policy::Access::required:
      return "required";
    case policy::Access::optional:
      return "optional";
    case policy::Access::anonymous:
      return "anonymous";
  }
  return "";
}

json::object route_json(const policy::Route* route, const proxy::RouteTally& tally) {
  json::object out;
  out["route"] = tally.name;
  if (route != nullptr) {
    out["file"] = route->where.file ? json::value(*route->where.file) : json::value(nullptr);
    out["line"] = route->where.line;
    out["access"] = json::value(access_text(route->access));
    out["scopes"] = route->scopes_text;
  }
  out["hits"] = hits_of(tally);
  out["denials"] = denials_of(tally);
  json::object codes;
  for (const policy::ReasonRow& row : policy::reasons()) {
    const auto count = count_of(tally, row.code);
    if (count > 0) codes[json::string_view(row.code.data(), row.code.size())] = count;
  }
  out["codes"] = std::move(codes);
  out["times"] = tally.times ? json::value(quantiles(*tally.times)) : json::value(nullptr);
  return out;
}

json::value text_member(const json::object& object, std::string_view name) {
  const auto* const found = object.if_contains(json::string_view(name.data(), name.size()));
  return found != nullptr ? *found : json::value(nullptr);
}

bool is_member(const json::object& object, std::string_view name, const std::string& wanted) {
  if (wanted.empty()) return true;
  const json::value value = text_member(object, name);
  return value.is_string() && value.get_string() == json::string_view(wanted.data(), wanted.size());
}

}  // namespace

json::object status_json(const AdminDesk& desk, const Totals& totals) {
  const ServerFigures server = desk.figures();
  const ReloadState reload = desk.last_reload();
  const ProcessFacts process = process_facts();
  std::uint64_t requests = 0, denials = 0;
  for (const auto& [name, route] : totals.routes) {
    requests += hits_of(route);
    denials += denials_of(route);
  }
  json::object auth;
  for (std::size_t i = 0; i < totals.auth.size(); ++i) {
    const auto source = proxy::Tallies::source_names[i];
    if (totals.auth[i].total() > 0) auth[json::string_view(source.data(), source.size())] = quantiles(totals.auth[i]);
  }
  json::object out;
  out["version"] = json::value(version());
  out["commit"] = json::value(commit());
  out["started_at"] = text_of(desk.started_at);
  out["now"] = text_of(system_clock::now());
  out["generation"] = server.generation;
  out["last_reload"] =
      json::object{{"at", text_of(reload.at)}, {"successful", reload.was_good}, {"message", reload.message}};
  out["draining"] = desk.is_draining();
  json::array exposed;
  for (const BypassCheck::Finding& one : server.on_loopback) {
    if (!one.place.empty()) exposed.push_back(json::object{{"upstream", one.upstream}, {"at", one.place}});
  }
  out["exposed_upstreams"] = std::move(exposed);
  out["requests"] = requests;
  out["denials"] = denials;
  out["degraded"] = totals.degraded;
  out["connections"] = json::object{{"client", totals.clients}, {"upstream", totals.upstream_connections}};
  out["revocation"] = json::object{
      {"bound_seconds", static_cast<double>(server.staleness_bound.count()) / 1e3},
      {"pushed", totals.dependencies.has_redis ? json::value(totals.dependencies.is_push_up) : json::value(nullptr)},
      {"received", totals.dependencies.revocations + server.store_changes}};
  out["memory_cache"] =
      json::object{{"keys", totals.cached_keys}, {"hits", totals.memory_hits}, {"misses", totals.memory_misses}};
  out["auth"] = std::move(auth);
  out["access_log_dropped_lines"] = server.dropped_lines;
  out["process"] = json::object{{"cpu_seconds", process.cpu_seconds},
                                {"resident_bytes", process.resident_bytes},
                                {"threads", process.threads},
                                {"open_descriptors", process.open_descriptors}};
  return out;
}

json::object dependencies_json(const proxy::Snapshot& snapshot, const Totals& totals) {
  const keys::DependencyFigures& now = totals.dependencies;
  json::object out;
  if (now.has_redis) {
    out["redis"] = json::object{{"up", now.is_redis_up},
                                {"condition", json::value(now.redis_condition)},
                                {"breaker", json::value(to_string(now.redis_breaker))},
                                {"revocations_pushed", now.is_push_up},
                                {"hits", now.redis.hits},
                                {"misses", now.redis.misses},
                                {"errors", now.redis.errors}};
  }
  if (now.has_service) {
    out["key_service"] =
        json::object{{"up", now.is_service_up}, {"breaker", json::value(to_string(now.service_breaker))}};
  }
  json::object sources;
  for (const auto& [source, results] : totals.sources) {
    json::object counts;
    for (std::size_t i = 0; i < results.size(); ++i) {
      const auto name = to_string(static_cast<keys::LookupResult>(i));
      if (results[i] > 0) counts[json::string_view(name.data(), name.size())] = results[i];
    }
    sources[json::string_view(source.data(), source.size())] = std::move(counts);
  }
  out["lookups"] = std::move(sources);
  json::array upstreams;
  for (std::size_t i = 0; i < snapshot.settings->upstreams.size(); ++i) {
    const config::UpstreamSettings& upstream = snapshot.settings->upstreams[i];
    json::array endpoints;
    for (std::size_t e = 0; e < upstream.endpoints.size(); ++e) {
      const auto& health = snapshot.health[i];
      endpoints.push_back(json::object{{"url", proxy::name_of(upstream.endpoints[e])},
                                       {"healthy", health ? json::value(!health->is_sick(e)) : json::value(nullptr)}});
    }
    const auto times = totals.upstreams.find(upstream.name);
    upstreams.push_back(json::object{
        {"upstream", upstream.name},
        {"endpoints", std::move(endpoints)},
        {"times", times == totals.upstreams.end() ? json::value(nullptr) : json::value(quantiles(times->second))}});
  }
  out["upstreams"] = std::move(upstreams);
  return out;
}

json::object routes_json(const proxy::Snapshot& snapshot, const Totals& totals, std::size_t most) {
  const proxy::RouteTally untouched{};
  struct Row {
    const policy::Route* route;
    const proxy::RouteTally* tally;
    std::uint64_t hits;
  };
  std::vector<Row> rows;
  for (const auto& route : snapshot.policy->routes) {
    const auto found = totals.routes.find(route->name);
    const auto* const tally = found == totals.routes.end() ? &untouched : &found->second;
    rows.push_back({route.get(), tally, hits_of(*tally)});
  }
  if (const auto none = totals.routes.find(std::string(proxy::no_route_name)); none != totals.routes.end()) {
    rows.push_back({nullptr, &none->second, hits_of(none->second)});
  }
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.hits > b.hits; });
  json::array list;
  for (std::size_t i = 0; i < rows.size() && i < most; ++i) {
    json::object row = route_json(rows[i].route, *rows[i].tally);
    if (rows[i].route != nullptr) row["route"] = rows[i].route->name;
    list.push_back(std::move(row));
  }
  json::object out;
  out["left_out"] = rows.size() - list.size();
  out["routes"] = std::move(list);
  return out;
}

std::optional<std::string> DecisionFilter::read(std::string_view query, DecisionFilter& into) {
  const auto parsed = boost::urls::parse_query(query);
  if (!parsed) return "the query is malformed";
  for (const auto param : *parsed) {
    const std::string name = param.key.decode();
    const std::string value = param.value.decode();
    if (name == "code")
      into.code = value;
    else if (name == "route")
      into.route = value;
    else if (name == "key_id")
      into.key_id = value;
    else if (name == "organization_id")
      into.organization_id = value;
    else if (name == "q")
      into.text = value;
    else if (name == "denied")
      into.denied_only = value == "1" || value == "true";
    else if (name == "limit") {
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), into.limit);
      if (error != std::errc() || end != value.data() + value.size()) return "limit has to be a number";
      into.limit = std::clamp<std::size_t>(into.limit, 1, 1000);
    } else {
      return "there is no filter \"" + name + "\"; there are code, route, key_id, organization_id, q, denied and limit";
    }
  }
  return std::nullopt;
}

bool DecisionFilter::fits(const json::object& decision, std::string_view line) const {
  if (denied_only && is_member(decision, "code", "ok")) return false;
  return is_member(decision, "code", code) && is_member(decision, "route", route) &&
         is_member(decision, "key_id", key_id) && is_member(decision, "organization_id", organization_id) &&
         (text.empty() || line.find(text) != std::string_view::npos);
}

json::array decisions_json(const std::vector<proxy::Recent>& recent, const DecisionFilter& filter,
                           std::uint64_t* left_out) {
  std::vector<std::string_view> lines;
  for (const proxy::Recent& of : recent) lines.insert(lines.end(), of.lines.begin(), of.lines.end());
  // The last first. Each begins with its time; those of one millisecond stay as they came.
  std::reverse(lines.begin(), lines.end());
  std::stable_sort(lines.begin(), lines.end(),
                   [](std::string_view a, std::string_view b) { return a.substr(0, 33) > b.substr(0, 33); });
  json::array found;
  for (const std::string_view line : lines) {
    const bool is_full = found.size() == filter.limit;
    if (is_full && left_out == nullptr) break;
    boost::system::error_code error;
    json::value decision = json::parse(json::string_view(line.data(), line.size()), error);
    if (error || !decision.is_object() || !filter.fits(decision.get_object(), line)) continue;
    if (is_full) {
      ++*left_out;
    } else {
      found.push_back(std::move(decision));
    }
  }
  std::reverse(found.begin(), found.end());
  return found;
}

}  // namespace keygate::app
