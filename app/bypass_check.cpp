#include "app/bypass_check.hpp"

#include "config/dependency_url.hpp"
#include "proxy/sockets.hpp"
#include "telemetry/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/rate_policy.hpp>

#include <algorithm>
#include <cstring>
#include <exception>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <optional>
#include <sstream>
#include <utility>

namespace keygate::app {
namespace {

using net::ip::address;
using Stream = boost::beast::basic_stream<proxy::Tcp, Executor>;

struct Suspect {
  std::size_t finding = 0;  // of which upstream
  std::uint16_t port = 0;
};

std::string text_of(const proxy::Tcp::endpoint& place) {
  std::ostringstream text;
  text << place;
  return text.str();
}

std::optional<address> address_of(const sockaddr* from) {
  if (from == nullptr) {
    return std::nullopt;
  }
  if (from->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, from, sizeof v4);
    return net::ip::address_v4(ntohl(v4.sin_addr.s_addr));
  }
  if (from->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, from, sizeof v6);
    net::ip::address_v6::bytes_type bytes{};
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return net::ip::address_v6(bytes, v6.sin6_scope_id);
  }
  return std::nullopt;
}

// What listens there is Keygate itself.
bool is_ours(const std::vector<config::ListenerSettings>& listeners, const proxy::Tcp::endpoint& place) {
  return std::any_of(listeners.begin(), listeners.end(), [&place](const config::ListenerSettings& one) {
    error_code error;
    const address host = net::ip::make_address(one.host, error);
    const bool is_there = host.is_unspecified() || host.to_string() == place.address().to_string();
    return one.socket.empty() && !error && one.port == place.port() && is_there;
  });
}

// A port of this machine's own choosing may be the very one that is asked for: then the connection is to itself.
Awaitable<bool> answers(net::io_context& io, proxy::Tcp::endpoint place) {
  Stream stream(io.get_executor());
  stream.expires_after(BypassCheck::patience);
  const auto [error] = co_await stream.async_connect(place, use_tuple);
  if (error) {
    co_return false;
  }
  error_code unknown;
  const proxy::Tcp::endpoint own = stream.socket().local_endpoint(unknown);
  co_return own != place;
}

}  // namespace

std::vector<address> machine_addresses() {
  std::vector<address> found;
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) {
    return found;
  }
  for (const ifaddrs* one = first; one != nullptr; one = one->ifa_next) {
    const auto at = address_of(one->ifa_addr);
    const bool is_up = (one->ifa_flags & IFF_UP) != 0;
    if (at && is_up && !at->is_loopback() && !at->is_unspecified()) {
      found.push_back(*at);
    }
  }
  ::freeifaddrs(first);
  return found;
}

// What is tried for one configuration.
struct BypassCheck::Plan {
  std::vector<config::ListenerSettings> listeners;
  std::vector<Finding> upstreams;  // on loopback
  std::vector<Suspect> suspects;
};

struct BypassCheck::State {
  State(net::io_context& control, Addresses of, std::chrono::milliseconds beginning)
      : io(control), addresses(std::move(of)), first(beginning), pause(control) {}

  void take(std::vector<Finding> seen) {
    for (std::size_t i = 0; i < seen.size(); ++i) {
      const std::string before = i < findings.size() ? findings[i].place : std::string();
      if (seen[i].place == before) {
        continue;
      }
      const std::string who = "the upstream " + seen[i].upstream;
      if (seen[i].place.empty()) {
        telemetry::log(telemetry::Level::info, who + " can no longer be reached around Keygate");
      } else {
        telemetry::log(telemetry::Level::warn, who + " can be reached around Keygate, at " + seen[i].place +
                                                   ": have it listen on 127.0.0.1 alone (sidecar.bypass)");
      }
    }
    findings = std::move(seen);
  }

  net::io_context& io;
  const Addresses addresses;
  const std::chrono::milliseconds first;
  proxy::SteadyTimer pause;
  unsigned round = 0;  // of the plan that counts
  std::vector<Finding> findings;
};

BypassCheck::Plan BypassCheck::plan_for(const config::Settings& settings) {
  Plan plan;
  for (const config::UpstreamSettings& upstream : settings.upstreams) {
    for (const config::EndpointSettings& endpoint : upstream.endpoints) {
      const bool is_watched =
          endpoint.socket.empty() && config::is_loopback(endpoint.host) && plan.suspects.size() < max_ports;
      if (!is_watched) {
        continue;
      }
      if (plan.upstreams.empty() || plan.upstreams.back().upstream != upstream.name) {
        plan.upstreams.push_back({upstream.name});
      }
      plan.suspects.push_back({plan.upstreams.size() - 1, endpoint.port});
    }
  }
  plan.listeners = settings.listeners;
  if (settings.health) {
    plan.listeners.push_back(settings.health->address);
  }
  if (settings.admin) {
    plan.listeners.push_back(settings.admin->address);
  }
  return plan;
}

BypassCheck::BypassCheck(net::io_context& control, Addresses addresses, std::chrono::milliseconds first)
    : state_(std::make_shared<State>(control, std::move(addresses), first)) {}

BypassCheck::~BypassCheck() {
  ++state_->round;
  state_->pause.cancel();
}

void BypassCheck::apply(const config::Settings& settings) {
  ++state_->round;
  state_->pause.cancel();
  Plan plan = settings.bypass == config::BypassAnswer::ignore ? Plan{} : plan_for(settings);
  const auto is_same = [](const Finding& one, const Finding& other) { return one.upstream == other.upstream; };
  if (!std::ranges::equal(state_->findings, plan.upstreams, is_same)) {
    state_->findings.clear();  // else they count until it has been looked anew
  }
  if (!plan.suspects.empty()) {
    net::co_spawn(state_->io, run(state_, state_->round, std::move(plan)), [](const std::exception_ptr&) {});
  }
}

Awaitable<std::vector<BypassCheck::Finding>> BypassCheck::look(net::io_context& io, const Plan& plan,
                                                               std::vector<address> addresses) {
  std::vector<Finding> seen = plan.upstreams;
  for (const Suspect& suspect : plan.suspects) {
    for (const address& one : addresses) {
      const proxy::Tcp::endpoint place(one, suspect.port);
      const bool is_settled = !seen[suspect.finding].place.empty() || is_ours(plan.listeners, place);
      if (is_settled) {
        continue;
      }
      const bool is_open = co_await answers(io, place);
      if (is_open) {
        seen[suspect.finding].place = text_of(place);
      }
    }
  }
  co_return seen;
}

Awaitable<void> BypassCheck::run(std::shared_ptr<State> state, unsigned round, Plan plan) {
  std::chrono::milliseconds until_next = state->first;
  while (state->round == round) {
    std::vector<address> all = state->addresses();
    all.resize(std::min(all.size(), max_addresses));
    std::vector<Finding> seen = co_await look(state->io, plan, std::move(all));
    if (state->round != round) {
      co_return;
    }
    state->take(std::move(seen));
    state->pause.expires_after(until_next);
    co_await state->pause.async_wait(use_tuple);
    until_next = std::min(2 * until_next, longest_pause);
  }
}

const std::vector<BypassCheck::Finding>& BypassCheck::findings() const { return state_->findings; }

bool BypassCheck::is_exposed() const {
  return std::ranges::any_of(state_->findings, [](const Finding& one) { return !one.place.empty(); });
}

}  // namespace keygate::app
