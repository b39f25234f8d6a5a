// What does each step of a granted request cost by itself? Run by `./dev bench --micro`; the request is the one that
// the other benchmarks send.
#include "keys/digest.hpp"
#include "keys/memory_cache.hpp"
#include "proxy/framing.hpp"
#include "telemetry/access_log.hpp"
#include "tests/unit/proxy/forwarder.hpp"

#include <benchmark/benchmark.h>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <malloc.h>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace keygate::bench {
namespace {

using proxy::testing::now;

const std::string key = "kg_live_0nlyForDevelopmentOnThisMachine012309AStix";
const std::string request =
    "GET /v1/service-57/items/7f3a HTTP/1.1\r\nHost: api.example.com\r\nUser-Agent: bench/1.0\r\n"
    "Accept: application/json\r\nAuthorization: Bearer " +
    key + "\r\n\r\n";

// Routes as a gateway has them: one a service, each with a scope of its own.
config::Settings settings_with_routes(int count) {
  std::vector<config::RouteDocument> routes;
  std::vector<config::ScopeDocument> scopes;
  for (int n = 0; n < count; ++n) {
    const std::string name = "service-" + std::to_string(n);
    // Longer lists than a catalogue may have share a scope.
    const std::string scope = "service-" + std::to_string(n % 100) + ":read";
    routes.push_back(
        policy::testing::RouteBuilder(name, "/v1/" + name + "/items/{id}", 10 * n + 10).methods({"GET"}).all({scope}));
    if (n < 100) {
      scopes.push_back(policy::testing::scope(scope));
    }
  }
  return policy::testing::settings_with(std::move(routes), std::move(scopes));
}

void must(bool fact, const char* what) {
  if (!fact) {
    std::cerr << "micro: " << what << "\n";
    std::exit(1);
  }
}

// A request that has been read, with whose it is, up to where it is granted.
class Judged {
 public:
  explicit Judged(int routes)
      : snapshot_(proxy::testing::snapshot_of(settings_with_routes(routes))),
        text_(request, snapshot_->reserved),
        parsed_(policy::RequestTarget::parse(text_.head().target)),
        answer_{policy::KeyAnswer::State::valid,
                {"key_lC6tu1F68IGCM2mTBWWW",
                 "acme",
                 "user_42",
                 policy::Environment::live,
                 {"service-3:read", "service-57:read", "service-58:read"},
                 {}}},
        held_(snapshot_->policy->catalogue.expand(answer_.principal.granted)) {
    must(!text_.refusal(), "the request is refused");
    caller_.found = policy::Caller::Found::answered;
    caller_.kind = policy::CredentialKind::api_key;
    caller_.answer = &answer_;
    caller_.held = &held_;
  }

  const policy::RequestTarget& target() const { return std::get<policy::RequestTarget>(parsed_); }
  const proxy::RequestHead& head() const { return text_.head(); }
  const proxy::Snapshot& snapshot() const { return *snapshot_; }
  const policy::Held& held() const { return held_; }

  const policy::Route* match(const policy::RequestTarget& target) const {
    return snapshot_->policy->table.match({"api.example.com", head().method, &target, head().headers()});
  }
  policy::Decision decide(const policy::Route* route) const {
    return policy::decide(*snapshot_->policy, route, target(), caller_, now);
  }

 private:
  std::shared_ptr<const proxy::Snapshot> snapshot_;
  proxy::testing::HeadText text_;
  std::variant<policy::RequestTarget, policy::TargetFlaw> parsed_;
  policy::KeyAnswer answer_;
  policy::Held held_;
  policy::Caller caller_;
};

void framing_gate(benchmark::State& state) {
  for (auto _ : state) {
    const auto result = proxy::pass_request_gate(request, {});
    benchmark::DoNotOptimize(&result);
    must(!result.flaw, "the gate refuses");
  }
}
BENCHMARK(framing_gate);

// The gate included.
void request_head(benchmark::State& state) {
  std::string bytes = request;
  const auto head = std::make_unique<proxy::RequestHead>();
  for (auto _ : state) {
    const auto refusal = proxy::read_request_head(bytes, {}, proxy::testing::default_reserved(), *head);
    benchmark::DoNotOptimize(head.get());
    must(!refusal, "the head is refused");
  }
}
BENCHMARK(request_head);

void canonical_target(benchmark::State& state) {
  std::string bytes = "/v1/service-57/items/7f3a?after=p_1&limit=2";
  for (auto _ : state) {
    const auto parsed = policy::RequestTarget::parse(bytes);
    benchmark::DoNotOptimize(&parsed);
    must(parsed.index() == 0, "the target is refused");
  }
}
BENCHMARK(canonical_target);

void route_match(benchmark::State& state) {
  const Judged judged(static_cast<int>(state.range(0)));
  std::string bytes = "/v1/service-7/items/7f3a";
  const auto parsed = policy::RequestTarget::parse(bytes);
  const auto& target = std::get<policy::RequestTarget>(parsed);
  must(judged.match(target) != nullptr, "no route");
  for (auto _ : state) {
    benchmark::DoNotOptimize(judged.match(target));
  }
}
BENCHMARK(route_match)->RangeMultiplier(10)->Range(10, 10'000);

// Both steps, for every service in turn: with many routes, few of them are in the processor's caches.
void match_and_decide(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const Judged judged(static_cast<int>(count));
  constexpr std::size_t asked = 10'000;  // as many in each case, so that the requests themselves weigh the same
  std::vector<std::string> bytes;
  std::vector<policy::RequestTarget> targets;
  bytes.reserve(asked);
  for (std::size_t n = 0; n < asked; ++n) {
    bytes.push_back("/v1/service-" + std::to_string(n * 7919 % count) + "/items/7f3a");
    targets.push_back(std::get<policy::RequestTarget>(policy::RequestTarget::parse(bytes.back())));
  }
  std::size_t at = 0;
  for (auto _ : state) {
    const policy::Route* const route = judged.match(targets[at]);
    const policy::Decision decision = judged.decide(route);
    benchmark::DoNotOptimize(&decision);
    must(route != nullptr, "no route");
    at = at + 1 == asked ? 0 : at + 1;
  }
}
BENCHMARK(match_and_decide)->RangeMultiplier(10)->Range(10, 10'000);

// From what was read to a policy that decides; with the memory that it then takes.
void compile_policy(benchmark::State& state) {
  const config::Settings settings = settings_with_routes(static_cast<int>(state.range(0)));
  const auto in_use = [] { return static_cast<double>(mallinfo2().uordblks + mallinfo2().hblkhd); };
  const double before = in_use();
  const auto kept = policy::compile(settings);
  const double bytes = in_use() - before;
  for (auto _ : state) {
    const auto compiled = policy::compile(settings);
    must(compiled.policy != nullptr, "the policy has faults");
    benchmark::DoNotOptimize(compiled.policy.get());
  }
  state.counters["bytes_a_route"] = bytes / static_cast<double>(kept.policy->routes.size());
}
BENCHMARK(compile_policy)->RangeMultiplier(10)->Range(10, 10'000);

void decide(benchmark::State& state) {
  const Judged judged(100);
  const policy::Route* const route = judged.match(judged.target());
  for (auto _ : state) {
    const policy::Decision decision = judged.decide(route);
    benchmark::DoNotOptimize(&decision);
    must(std::holds_alternative<policy::Grant>(decision), "denied");
  }
}
BENCHMARK(decide);

void key_digest(benchmark::State& state) {
  keys::Hasher hasher;
  for (auto _ : state) {
    const keys::KeyDigest digest = hasher(keys::SecretView(key));
    benchmark::DoNotOptimize(&digest);
  }
}
BENCHMARK(key_digest);

// Keys one after the other, as many as stated: few are in the processor's caches, as with real traffic.
void memory_hit(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const keys::SteadyTime start{std::chrono::hours(1)};
  keys::MemoryCache cache({}, std::chrono::seconds(60));
  keys::Hasher hasher;
  std::vector<keys::KeyDigest> digests;
  for (std::size_t n = 0; n < count; ++n) {
    digests.push_back(hasher(keys::SecretView(key + std::to_string(n))));
    auto record = std::make_shared<keys::Record>();
    record->answer.state = policy::KeyAnswer::State::valid;
    record->asked_at = start;
    cache.put(digests.back(), std::move(record), start);
  }
  std::size_t at = 0;
  for (auto _ : state) {
    const auto found = cache.find(digests[at], start);
    must(found != nullptr, "not in memory");
    at = at + 1 == count ? 0 : at + 1;
  }
}
BENCHMARK(memory_hit)->Arg(1)->Arg(1'000)->Arg(100'000);

void forward_head(benchmark::State& state) {
  const Judged judged(100);
  const policy::Decision decision = judged.decide(judged.match(judged.target()));
  const auto& grant = std::get<policy::Grant>(decision);
  const proxy::ForwardFacts facts{.snapshot = judged.snapshot(),
                                  .head = judged.head(),
                                  .target = judged.target(),
                                  .host = judged.head().host,
                                  .client_host = judged.head().host,
                                  .peer = "203.0.113.7",
                                  .request_id = "0123456789abcdef0123456789abcdef"};
  std::string room(16 * std::size_t{1024}, '\0');
  for (auto _ : state) {
    must(proxy::forward_head_bound(facts, grant) <= room.size(), "no room");
    benchmark::DoNotOptimize(proxy::write_forward_head(facts, grant, room));
  }
}
BENCHMARK(forward_head);

void access_line(benchmark::State& state) {
  const Judged judged(100);
  telemetry::Outcome outcome;
  outcome.started = std::chrono::system_clock::time_point(std::chrono::seconds(now));
  outcome.request_id = "0123456789abcdef0123456789abcdef";
  outcome.client = "203.0.113.7";
  outcome.method = "GET";
  outcome.host = "api.example.com";
  outcome.path = judged.target().path();
  outcome.route = "service-57";
  outcome.code = "ok";
  outcome.status = 200;
  outcome.key_id = "key_lC6tu1F68IGCM2mTBWWW";
  outcome.organization_id = "acme";
  outcome.environment = "live";
  outcome.auth_method = "api_key";
  outcome.scopes = judged.held().text;
  outcome.source = "memory";
  outcome.age_ms = 1234;
  outcome.generation = 1;
  outcome.bytes_out = 256;
  outcome.duration = std::chrono::microseconds(420);
  outcome.auth = std::chrono::microseconds(2);
  outcome.upstream = "default";
  outcome.upstream_wait = std::chrono::microseconds(380);
  std::string lines;
  for (auto _ : state) {
    lines.clear();
    telemetry::append_json(lines, outcome);
    benchmark::DoNotOptimize(lines.data());
  }
}
BENCHMARK(access_line);

}  // namespace
}  // namespace keygate::bench

BENCHMARK_MAIN();
