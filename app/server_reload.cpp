// A configuration takes the place of another while requests go on.
#include "app/fixed_settings.hpp"
#include "app/listeners.hpp"
#include "app/prepare.hpp"
#include "app/server_impl.hpp"
#include "app/service_manager.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace keygate::app {
namespace {

using telemetry::Level;
using telemetry::log;

std::vector<std::string> names_of(const std::vector<config::ListenerSettings>& listeners) {
  std::vector<std::string> names;
  for (const auto& listener : listeners) {
    names.push_back(name_of(listener));
  }
  return names;
}

// The first of them that has a place, for whoever asked for the reload; the log has them all.
std::string faults_in(const config::Problems& problems) {
  for (const config::Problem& problem : problems) {
    const bool is_placed_fault = problem.severity == config::Severity::error && problem.where.line > 0;
    if (is_placed_fault) return ": " + config::render(problem);
  }
  return "";
}

}  // namespace

std::optional<std::string> Server::Impl::reload() {
  if (parts.config_file.empty() || drain) {
    return "there is no file to read again, or it drains";
  }
  last_reload = {std::chrono::system_clock::now(), false, ""};
  if (const std::string* const irregular = config::irregular_among(last_read)) {
    last_reload.message = *irregular + " is no file that can be read again";
    log(Level::error, "reload refused: " + last_reload.message);
    return last_reload.message;
  }
  const ReloadNotice notice;
  Prepared next = prepare_file(parts.config_file, generations + 1, ReadSecrets::yes, snapshot->tls);
  for (const config::Problem& problem : next.problems) {
    log(problem.severity == config::Severity::error ? Level::error : Level::warn, config::render(problem));
  }
  last_read = next.files;
  const std::optional<std::string> refused =
      next.snapshot ? publish(std::move(next.snapshot)) : std::optional<std::string>("the configuration has faults");
  last_reload.was_good = !refused;
  if (refused) {
    last_reload.message = *refused + faults_in(next.problems);
    files.watch_as_well(next.files);
    log(Level::error,
        "reload refused, generation " + std::to_string(snapshot->generation) + " stays in force: " + *refused);
  } else {
    files.watch(next.files);
    log(Level::info, "reloaded: generation " + std::to_string(snapshot->generation) + " is in force");
    if (parts.on_reloaded) parts.on_reloaded();
    return std::nullopt;
  }
  return last_reload.message;
}

// All or nothing: everything that can fail has been done before the first worker hears of it.
std::optional<std::string> Server::Impl::publish(std::shared_ptr<const proxy::Snapshot> next) {
  if (auto changed = fixed_setting_changed(settings(), *next->settings)) {
    return changed;
  }
  const std::vector<std::string> before = names_of(settings().listeners);
  std::vector<config::ListenerSettings> added;
  for (const auto& listener : next->settings->listeners) {
    if (std::find(before.begin(), before.end(), name_of(listener)) == before.end()) {
      added.push_back(listener);
    }
  }
  auto opened = open_listeners(added, workers.size());
  if (const auto* fault = std::get_if<std::string>(&opened)) {
    return *fault;
  }
  auto& by_worker = std::get<OpenedListeners>(opened);
  proxy::forget_old_tickets(next->tls, snapshot->tls);
  snapshot = std::move(next);
  ++generations;
  configure_logging(settings());
  traces.apply(settings().tracing, snapshot->secrets.tracing_tls);
  probes.apply(settings(), snapshot->tls);
  bypass.apply(settings());
  for (std::size_t i = 0; i < workers.size(); ++i) {
    workers[i]->post(
        [to = snapshot, mine = std::move(by_worker[i]), keep = names_of(settings().listeners)](WorkerThread& thread) {
          thread.worker().apply(to);
          thread.renew_listeners();
          thread.listen(mine);
          thread.stop_listening_except(keep);
        });
  }
  return std::nullopt;
}

}  // namespace keygate::app
