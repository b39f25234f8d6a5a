#include "app/commands.hpp"
#include "app/prepare.hpp"
#include "app/problem_print.hpp"
#include "app/server.hpp"
#include "app/service_manager.hpp"

#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>
#include <string>
#include <utility>

namespace keygate::app {
namespace {

int run(const std::string& file) {
  Prepared prepared = prepare_file(file, 1);
  print_problems(std::cerr, prepared.problems);
  if (!prepared.snapshot) {
    std::cerr << "keygate: the configuration has faults; nothing was started\n";
    return 1;
  }
  const bool is_json = prepared.snapshot->settings->log.format == config::LogFormat::json;
  Server server({.snapshot = prepared.snapshot,
                 .config_file = file,
                 .files = std::move(prepared.files),
                 .access_format = is_json ? telemetry::AccessFormat::json : telemetry::AccessFormat::text,
                 .on_serving = [] { tell_service_manager("READY=1"); }});
  if (const auto fault = server.start()) {
    std::cerr << "keygate: " << *fault << "\n";
    return 1;
  }
  return server.run();
}

}  // namespace

void add_run(CLI::App& root, int& status) {
  auto file = std::make_shared<std::string>();
  CLI::App* const verb = root.add_subcommand("run", "Run the proxy");
  verb->description(
      "Examples:\n  keygate run -c keygate.yaml\n  keygate run -c /etc/keygate/keygate.yaml >access.log\n\n"
      "Run the proxy. It reloads when a file changes that it was loaded from, and on SIGHUP; SIGTERM drains.");
  verb->add_option("-c,--config", *file, "The configuration file")->required();
  verb->callback([file, &status] { status = run(*file); });
}

}  // namespace keygate::app
