#include "app/commands.hpp"
#include "app/prepare.hpp"
#include "app/problem_print.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <iostream>
#include <memory>
#include <string>

namespace keygate::app {
namespace {

struct CheckOptions {
  std::string file;
  bool is_json = false;
  bool is_key_server = false;
};

struct Checked {
  config::Problems problems;
  std::string summary;  // empty: there are faults
};

boost::json::object to_json(const config::Problem& problem) {
  boost::json::object out;
  out["severity"] = problem.severity == config::Severity::error ? "error" : "warning";
  out["file"] = problem.where.file ? *problem.where.file : std::string();
  out["line"] = problem.where.line;
  out["column"] = problem.where.column;
  out["path"] = problem.path;
  out["message"] = problem.message;
  out["hint"] = problem.hint;
  return out;
}

void print_json(const Checked& checked) {
  boost::json::array problems;
  for (const config::Problem& problem : checked.problems) {
    problems.push_back(to_json(problem));
  }
  boost::json::object result;
  result["ok"] = !checked.summary.empty();
  result["problems"] = std::move(problems);
  std::cout << boost::json::serialize(result) << "\n";
}

config::Loaded load_key_server(const std::string& file) {
  config::LoadOptions options;
  options.purpose = config::Purpose::key_server;
  return config::load_file(file, options);
}

Checked checked_key_server(config::Loaded loaded) {
  PreparedKeyServer prepared = prepare_key_server(std::move(loaded));
  Checked checked{std::move(prepared.problems), {}};
  if (prepared.settings) {
    checked.summary = "a key server, " + std::to_string(prepared.policy->catalogue.size()) + " scopes";
  }
  return checked;
}

Checked check_file(const CheckOptions& options) {
  if (options.is_key_server) {
    return checked_key_server(load_key_server(options.file));
  }
  Guessed guessed = load_by_guess(options.file);
  if (guessed.purpose == config::Purpose::key_server) {
    return checked_key_server(std::move(guessed.loaded));
  }
  Prepared prepared = prepare(std::move(guessed.loaded), 1);
  Checked checked{std::move(prepared.problems), {}};
  if (prepared.snapshot) {
    const policy::Policy& policy = *prepared.snapshot->policy;
    checked.summary =
        std::to_string(policy.routes.size()) + " routes, " + std::to_string(policy.catalogue.size()) + " scopes";
  }
  return checked;
}

int check(const CheckOptions& options) {
  const Checked checked = check_file(options);
  const int status = checked.summary.empty() ? 1 : 0;
  if (options.is_json) {
    print_json(checked);
    return status;
  }
  print_problems(std::cout, checked.problems);
  if (!checked.summary.empty()) {
    std::cout << options.file << ": ok (" << checked.summary << ")\n";
  }
  return status;
}

}  // namespace

void add_check(CLI::App& root, int& status) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* const verb = root.add_subcommand("check", "Find every fault in configuration and policy");
  verb->description(
      "Examples:\n  keygate check -c keygate.yaml\n  keygate check -c keygate.yaml --json\n\n"
      "Find every fault in configuration and policy, all at once. Opens nothing and writes nothing.");
  verb->add_option("-c,--config", options->file, "The configuration file")->required();
  verb->add_flag("--json", options->is_json, "One JSON object instead of lines");
  verb->add_flag("--keyserver", options->is_key_server,
                 "It is for keygate keyserver; guessed where it names tokens for one and no upstream");
  verb->callback([options, &status] { status = check(*options); });
}

}  // namespace keygate::app
