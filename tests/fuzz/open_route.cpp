#include "tests/fuzz/open_route.hpp"

#include "tests/fuzz/probe.hpp"

#include <memory>
#include <utility>
#include <variant>
#include <vector>

namespace keygate::fuzz {
namespace {

using proxy::Snapshot;

std::shared_ptr<const Snapshot> make_snapshot() {
  using Kind = config::CredentialSource::Kind;
  config::Settings settings;
  settings.upstreams.emplace_back().name = "app";
  settings.credentials.sources = {
      {Kind::bearer, ""}, {Kind::header, "x-api-key"}, {Kind::query, "api_key"}, {Kind::cookie, "session"}};
  auto& route = settings.policy.routes.emplace_back();
  route.name.value = "all";
  route.match.path.value = "/{rest...}";
  route.anonymous = true;
  auto shared = std::make_shared<const config::Settings>(std::move(settings));
  auto compiled = policy::compile(*shared);
  for (const auto& problem : compiled.problems) broken("the policy compiles", config::render(problem));
  return std::make_shared<const Snapshot>(1, std::move(shared), std::move(compiled.policy));
}

}  // namespace

const Snapshot& open_snapshot() {
  static const auto made = make_snapshot();
  return *made;
}

bool on_open_route(proxy::RequestHead& head, bool is_peer_trusted, const Forward& forward) {
  if (head.is_asterisk) return false;
  const Snapshot& snapshot = open_snapshot();
  const auto parsed = policy::RequestTarget::parse(head.target);
  const auto* target = std::get_if<policy::RequestTarget>(&parsed);
  std::vector<char> host_room(head.host.size());
  if (target == nullptr || !policy::canonical_host(head.host, host_room)) return false;
  if (snapshot.credentials.is_query_ambiguous(target->query())) return false;

  const auto* route = snapshot.policy->table.match({"", head.method, target, head.headers()});
  policy::Caller caller;
  caller.found = policy::Caller::Found::not_looked;
  const auto decision = policy::decide(*snapshot.policy, route, *target, caller, 0);
  const auto* grant = std::get_if<policy::Grant>(&decision);
  hold(grant != nullptr, "an open route over everything grants everything");
  forward({.snapshot = snapshot,
           .head = head,
           .target = *target,
           .host = head.host,
           .client_host = head.host,
           .peer = "203.0.113.7",
           .is_peer_v6 = false,
           .is_peer_trusted = is_peer_trusted,
           .request_id = "0123456789abcdef01234567"},
          *grant);
  return true;
}

std::string forwarded_head(const proxy::ForwardFacts& facts, const policy::Grant& grant) {
  const std::size_t bound = proxy::forward_head_bound(facts, grant);
  std::vector<char> room(bound);
  const std::size_t size = proxy::write_forward_head(facts, grant, room);
  hold(size <= bound, "a head fits into the room that was measured for it");
  return {room.data(), size};
}

}  // namespace keygate::fuzz
