#include "app/commands.hpp"
#include "app/effective.hpp"
#include "app/prepare.hpp"
#include "app/problem_print.hpp"
#include "config/source_text.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <unistd.h>
#include <variant>

namespace keygate::app {
namespace {

struct PrintOptions {
  std::string file;
  bool is_json = false;
};

int print(const PrintOptions& options) {
  const Guessed guessed = load_by_guess(options.file);
  print_problems(std::cerr, guessed.loaded.problems);
  if (!guessed.loaded.settings) return 1;
  const auto source = config::read_source(options.file);
  if (const auto* const fault = std::get_if<config::Fault>(&source)) {
    std::cerr << options.file << ": " << fault->message << '\n';
    return 1;
  }
  const auto written = config::Written::read(std::get<std::string>(source), options.file);
  const Effective all = effective(*guessed.loaded.settings, written, config::process_environment);
  if (options.is_json) {
    std::cout << boost::json::serialize(effective_json(all)) << '\n';
    return 0;
  }
  const char* const unwanted = std::getenv("NO_COLOR");
  const bool is_coloured = ::isatty(STDOUT_FILENO) == 1 && (unwanted == nullptr || *unwanted == '\0');
  print_yaml(std::cout, all, config::process_environment, {is_coloured});
  return 0;
}

}  // namespace

void add_config(CLI::App& root, int& status) {
  auto options = std::make_shared<PrintOptions>();
  CLI::App* const verb = root.add_subcommand("config", "The configuration as it counts");
  verb->description("Examples:\n  keygate config print -c keygate.yaml\n  keygate config print -c keygate.yaml --json");
  verb->require_subcommand(1);
  CLI::App* const printing = verb->add_subcommand("print", "Every value, and where it comes from");
  printing->description(
      "Examples:\n  keygate config print -c keygate.yaml\n"
      "  keygate config print -c keygate.yaml --json | jq '.values[] | select(.origin != \"default\")'\n\n"
      "Every value that counts, with the line, the variable or the default that it comes from. Secrets are *** or the\n"
      "file that holds them, which is not read.");
  printing->add_option("-c,--config", options->file, "The configuration file")->required();
  printing->add_flag("--json", options->is_json, "One JSON object instead of YAML with remarks");
  printing->callback([options, &status] { status = print(*options); });
}

}  // namespace keygate::app
