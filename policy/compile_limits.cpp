#include "policy/compiler.hpp"

#include <algorithm>

namespace keygate::policy {
namespace {

std::optional<CountedBy> counted_by(const config::RateLimitDocument& document, const std::string& path,
                                    Findings& findings) {
  CountedBy per;
  for (const auto& word : document.per) {
    bool& part = word.value == "key" ? per.key : word.value == "organization" ? per.organization : per.address;
    if (part) {
      findings.error(word.where, path + ".per", quoted(word.value) + " stands there twice");
      return std::nullopt;
    }
    part = true;
  }
  return per;
}

// Who may come without a key is counted by address then, whatever the limit says; shadow mode lets them come.
bool needs_address(const CountedBy& per, const Route& route) {
  return per.address || route.access != Access::required || route.shadow_until.has_value();
}

// A unix socket has no client address, unless a PROXY header brings one.
const config::ListenerSettings* listener_without_addresses(const config::Settings& settings) {
  const auto found = std::ranges::find_if(settings.listeners, [](const config::ListenerSettings& listener) {
    return !listener.socket.empty() && !listener.proxy_protocol;
  });
  return found == settings.listeners.end() ? nullptr : &*found;
}

}  // namespace

void compile_limits(const RouteSource& source, const config::Settings& settings, Route& route, Findings& findings) {
  const auto& documents = source.document.rate_limits;
  const std::string place = source.path + ".rate_limit";
  const auto* const nameless = listener_without_addresses(settings);
  if (documents.size() > most_limits) {
    findings.error(documents[most_limits].where, place, "more than " + std::to_string(most_limits) + " limits");
  }
  for (std::size_t number = 0; number < documents.size(); ++number) {
    const auto& document = documents[number];
    const std::string path = documents.size() == 1 ? place : place + '[' + std::to_string(number) + ']';
    if (document.limit == 0 || document.window.count() == 0) continue;  // the reader has complained
    if (const auto flaw = limit_flaw(document.limit, document.window); !flaw.empty()) {
      findings.error(document.where, path, std::string(flaw));
      continue;
    }
    const auto per = counted_by(document, path, findings);
    if (!per) continue;
    const RateLimit limit{document.limit, std::chrono::duration_cast<std::chrono::seconds>(document.window), *per};
    const bool is_double = std::ranges::any_of(
        route.limits, [&](const RateLimit& other) { return other.window == limit.window && other.per == limit.per; });
    if (is_double) {
      findings.error(document.where, path, "is a second limit of the same window per the same",
                     "keep the tighter of the two");
    }
    if (nameless != nullptr && needs_address(limit.per, route)) {
      findings.error(document.where, path,
                     (limit.per.address ? "counts client addresses" : "counts by address who comes without a key") +
                         std::string(", and clients of unix:") + nameless->socket + " have none",
                     "write proxy_protocol: true for that listener, or listen on a TCP port");
    }
    route.limits.push_back(limit);
  }
}

}  // namespace keygate::policy
