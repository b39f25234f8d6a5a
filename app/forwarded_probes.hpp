// What does an application say of itself, for a kubelet that cannot reach it on loopback? Fixed paths of the health
// listener stand for fixed paths of upstreams: what goes up is a request of our own, with nothing of whoever asks. On
// the control thread.
#pragma once

#include "config/settings.hpp"
#include "keys/asio.hpp"
#include "proxy/tls_contexts.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace keygate::app {

class ForwardedProbes {
 public:
  // Who waits holds one of the health listener's connections. Each path has its own share of those that may be held, so
  // that an application that hangs takes nothing from another's probes.
  static constexpr std::size_t max_waiting = 48, max_share = 8;
  // From one beginning to the next, however often somebody asks: an application is not to be kept busy with its probes.
  static constexpr std::chrono::milliseconds pace{100};

  struct Answer {
    unsigned status = 0;  // the application's; 503 where it gives none, or sends elsewhere
    std::string text;     // ours: its body stays with it
  };
  using Done = std::function<void(Answer)>;

  explicit ForwardedProbes(net::io_context& control);

  // From now on those of `settings`; what is under way ends as it began. `tls`: of its upstreams.
  void apply(const config::Settings& settings, const proxy::TlsContexts& tls);

  // False: no probe has this path, and `done` is not called. Else it is, once, perhaps before this returns. An
  // application is asked one thing at a time for each path: who asks meanwhile gets the same answer.
  bool ask(std::string_view path, Done done);

 private:
  struct Room;
  struct Probed;
  static Awaitable<void> run(std::shared_ptr<Probed> probed);

  const std::shared_ptr<Room> room_;
  std::map<std::string, std::shared_ptr<Probed>, std::less<>> by_path_;
};

}  // namespace keygate::app
