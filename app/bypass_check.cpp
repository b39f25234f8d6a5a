#include "app/bypass_check.hpp"

#include "config/dependency_url.hpp"
#include "proxy/sockets.hpp"
#include "telemetry/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/rate_policy.hpp>

#include <algorithm>
#include <exception>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <utility>

namespace keygate::app {
namespace {

using net::ip::address;
using Stream = boost::beast::basic_stream<proxy::Tcp, Executor>;

// Of a connection that was tried, the lesser first.
enum class Answer : std::uint8_t { refused, unknown, open };

// One that applications listen on.
struct Port {
  std::vector<address> own;        // where Keygate asks them
  std::optional<address> open_at;  // where somebody answers besides
  bool has_answered = false;       // on loopback, once
  bool is_tried = false;
};

struct Watched {
  std::string upstream;
  std::set<std::uint16_t> ports;
};

std::string text_of(const proxy::Tcp::endpoint& place) {
  std::ostringstream text;
  text << place;
  return text.str();
}

// A port of this machine's own choosing may be the very one that is asked for: then the connection is to itself.
Awaitable<Answer> answer_of(net::io_context& io, proxy::Tcp::endpoint place) {
  Stream stream(io.get_executor());
  stream.expires_after(BypassCheck::patience);
  const auto [error] = co_await stream.async_connect(place, use_tuple);
  if (error) {
    co_return error == net::error::connection_refused ? Answer::refused : Answer::unknown;
  }
  error_code fault;
  const proxy::Tcp::endpoint own = stream.socket().local_endpoint(fault);
  co_return own == place ? Answer::refused : Answer::open;
}

bool has(const std::vector<address>& all, const address& one) { return std::ranges::find(all, one) != all.end(); }

}  // namespace

struct BypassCheck::State {
  State(net::io_context& control, Addresses of, std::chrono::milliseconds beginning)
      : io(control), addresses(std::move(of)), first(beginning), until_next(beginning), pause(control) {}

  void watch(const config::Settings& settings);
  void conclude();

  bool has_looked() const {
    return std::ranges::all_of(ports, [](const auto& one) { return one.second.is_tried; });
  }
  std::chrono::milliseconds longest() const {
    const bool are_up = std::ranges::all_of(ports, [](const auto& one) { return one.second.has_answered; });
    return are_up && has_looked() ? longest_pause : 2 * first;
  }
  void say_once(bool& is_said, const std::string& what) const {
    if (!is_said) {
      telemetry::log(telemetry::Level::warn, what + " (sidecar.bypass)");
    }
    is_said = true;
  }

  net::io_context& io;
  const Addresses addresses;
  const std::chrono::milliseconds first;
  std::chrono::milliseconds until_next;
  proxy::SteadyTimer pause;
  unsigned round = 0;  // of the settings that count
  std::vector<config::ListenerSettings> listeners;
  std::vector<Watched> upstreams;  // on loopback
  std::map<std::uint16_t, Port> ports;
  std::vector<Finding> findings;
  bool is_readiness_asked = false;
  bool has_said_ports = false;
  bool has_said_addresses = false;
  bool has_said_none = false;
};

void BypassCheck::State::watch(const config::Settings& settings) {
  const std::map<std::uint16_t, Port> before = std::exchange(ports, {});
  upstreams.clear();
  is_readiness_asked = settings.bypass == config::BypassAnswer::not_ready;
  if (settings.bypass == config::BypassAnswer::ignore) {
    return;
  }
  for (const config::UpstreamSettings& upstream : settings.upstreams) {
    Watched watched{upstream.name, {}};
    for (const config::EndpointSettings& endpoint : upstream.endpoints) {
      if (!endpoint.socket.empty() || !config::is_loopback(endpoint.host)) {
        continue;
      }
      if (ports.size() == max_ports && !ports.contains(endpoint.port)) {
        say_once(has_said_ports,
                 "whether upstreams on loopback can be reached around Keygate is looked for on their first " +
                     std::to_string(max_ports) + " ports alone, without " + std::to_string(endpoint.port) + " of " +
                     upstream.name);
        continue;
      }
      const auto known = before.find(endpoint.port);
      const bool is_new = !ports.contains(endpoint.port);
      Port& port = ports[endpoint.port];
      if (is_new && known != before.end()) {
        port = known->second;
        port.own.clear();
      }
      std::ranges::copy(loopback_of(endpoint.host), std::back_inserter(port.own));
      watched.ports.insert(endpoint.port);
    }
    if (!watched.ports.empty()) {
      upstreams.push_back(std::move(watched));
    }
  }
  listeners = settings.listeners;
  if (settings.health) {
    listeners.push_back(settings.health->address);
  }
  if (settings.admin) {
    listeners.push_back(settings.admin->address);
  }
}

// What is known of ports, said of upstreams.
void BypassCheck::State::conclude() {
  std::vector<Finding> seen;
  for (const Watched& watched : upstreams) {
    Finding finding{watched.upstream};
    bool is_tried = true;
    for (const std::uint16_t number : watched.ports) {
      const Port& port = ports.at(number);
      is_tried = is_tried && port.is_tried;
      if (finding.place.empty() && port.open_at) {
        finding.place = text_of({*port.open_at, number});
      }
    }
    if (!is_tried && finding.place.empty()) {
      continue;
    }
    const auto before = std::ranges::find(findings, finding.upstream, &Finding::upstream);
    const std::string place = before == findings.end() ? std::string() : before->place;
    if (finding.place.empty() && !place.empty()) {
      telemetry::log(telemetry::Level::info,
                     "nobody answers around Keygate any more on the port of the upstream " + finding.upstream);
    } else if (finding.place != place) {
      telemetry::log(telemetry::Level::warn, "somebody answers around Keygate at " + finding.place +
                                                 ", perhaps the upstream " + finding.upstream +
                                                 ": have it listen on 127.0.0.1 alone (sidecar.bypass)");
    }
    seen.push_back(std::move(finding));
  }
  findings = std::move(seen);
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
  state_->until_next = state_->first;
  state_->watch(settings);
  state_->conclude();
  if (!state_->ports.empty()) {
    net::co_spawn(state_->io, run(state_, state_->round), [](const std::exception_ptr&) {});
  }
}

// Loopback first, where readiness waits for it: an application that has answered there has its socket, which the other
// addresses then tell of. Else it is left alone there: a connection without a request is a line in some logs.
Awaitable<void> BypassCheck::look(std::shared_ptr<State> state, unsigned round, std::vector<address> addresses) {
  const std::map<std::uint16_t, Port> ports = state->ports;  // a reload changes those
  for (const auto& [number, before] : ports) {
    Port port = before;
    Answer own = port.has_answered || !state->is_readiness_asked ? Answer::open : Answer::refused;
    for (std::size_t i = 0; i < port.own.size() && own != Answer::open; ++i) {
      const proxy::Tcp::endpoint place(port.own[i], number);
      const Answer answer = co_await answer_of(state->io, place);
      if (state->round != round) {
        co_return;
      }
      own = std::max(own, answer);
    }
    port.open_at.reset();
    std::vector<address> closed;
    for (std::size_t i = 0; i < std::min(addresses.size(), max_addresses) && !port.open_at; ++i) {
      const proxy::Tcp::endpoint place(addresses[i], number);
      Answer answer = Answer::refused;
      if (!is_ours(state->listeners, place)) {
        answer = co_await answer_of(state->io, place);
      }
      if (state->round != round) {
        co_return;
      }
      if (answer == Answer::open) {
        port.open_at = addresses[i];
      } else if (answer == Answer::refused) {
        closed.push_back(addresses[i]);
      }
    }
    // Only a refusal says that nobody is there, or that the address has gone.
    if (!port.open_at && before.open_at && has(addresses, *before.open_at) && !has(closed, *before.open_at)) {
      port.open_at = before.open_at;
    }
    const bool is_all_known = closed.size() == std::min(addresses.size(), max_addresses);
    port.has_answered = own == Answer::open;
    port.is_tried = before.is_tried || port.open_at || is_all_known || own != Answer::unknown;
    state->ports[number] = std::move(port);
  }
}

Awaitable<void> BypassCheck::run(std::shared_ptr<State> state, unsigned round) {
  std::chrono::milliseconds wait = state->first;
  while (state->round == round) {
    std::optional<std::vector<address>> all = state->addresses();
    if (!all) {
      state->say_once(
          state->has_said_none,
          "the system does not tell this machine's addresses (out of descriptors, or AF_NETLINK is refused), so "
          "whether an upstream on loopback can be reached around Keygate is not known");
    } else {
      if (all->size() > max_addresses) {
        state->say_once(state->has_said_addresses,
                        "whether upstreams on loopback can be reached around Keygate is looked "
                        "for at the first " +
                            std::to_string(max_addresses) + " of this machine's " + std::to_string(all->size()) +
                            " addresses alone");
      }
      co_await look(state, round, std::move(*all));
    }
    if (state->round != round) {
      co_return;
    }
    state->conclude();
    state->until_next = std::min(wait, state->longest());
    wait = 2 * state->until_next;
    state->pause.expires_after(state->until_next);
    co_await state->pause.async_wait(use_tuple);
  }
}

const std::vector<BypassCheck::Finding>& BypassCheck::findings() const { return state_->findings; }

bool BypassCheck::is_exposed() const {
  return std::ranges::any_of(state_->findings, [](const Finding& one) { return !one.place.empty(); });
}

std::string_view BypassCheck::unready() const {
  if (!state_->is_readiness_asked) {
    return "";
  }
  if (is_exposed()) {
    return "somebody answers around Keygate on the port of an upstream";
  }
  return state_->has_looked() ? "" : "it is not known yet whether an upstream can be reached around Keygate";
}

std::chrono::milliseconds BypassCheck::pause() const { return state_->until_next; }

}  // namespace keygate::app
