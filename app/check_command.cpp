#include "app/commands.hpp"
#include "app/connection_trials.hpp"
#include "app/key_tokens.hpp"
#include "app/prepare.hpp"
#include "app/problem_print.hpp"
#include "keys/secrets.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <iostream>
#include <memory>
#include <string>
#include <variant>

namespace keygate::app {
namespace {

struct CheckOptions {
  std::string file;
  bool is_json = false;
  bool is_key_server = false;
  bool connects = false;
  bool is_offline = false;
};

struct Checked {
  config::Problems problems;
  std::string summary;  // empty: there are faults
};

std::string counted(std::size_t number, const std::string& what) {
  return std::to_string(number) + ' ' + what + (number == 1 ? "" : "s");
}

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

// What has no faults is tried.
void try_all(const proxy::Snapshot& snapshot, Checked& checked) {
  ConnectionTrials trials = try_connections(snapshot);
  checked.summary += ", " + counted(trials.tried, "connection");
  if (trials.problems.empty()) return;
  checked.summary.clear();
  checked.problems.insert(checked.problems.end(), trials.problems.begin(), trials.problems.end());
}

// What a key server reads when it starts.
void read_secrets_of(const config::Settings& settings, config::Problems& problems) {
  if (settings.resolution.redis) keys::read_secrets(settings, problems);
  const config::KeyServiceSettings& tokens = settings.key_service;
  const auto read = KeyTokens::read(tokens);
  const auto* const fault = std::get_if<config::Fault>(&read);
  if (fault == nullptr) return;
  config::Position where;
  for (const auto* const token : {&tokens.token, &tokens.manage_token, &tokens.admin_token}) {
    if (*token && where.line == 0) where = (*token)->where;
  }
  problems.push_back({config::Severity::error, where, "key_service", fault->message, fault->hint});
}

Checked checked_key_server(const CheckOptions& options, config::Loaded loaded) {
  PreparedKeyServer prepared = prepare_key_server(std::move(loaded));
  Checked checked{std::move(prepared.problems), {}};
  if (prepared.settings && !options.is_offline) {
    read_secrets_of(*prepared.settings, checked.problems);
    config::sort_by_place(checked.problems);
  }
  if (prepared.settings && !config::has_errors(checked.problems)) {
    checked.summary = "a key server, " + counted(prepared.policy->catalogue.size(), "scope");
  }
  if (options.connects) {
    config::Position all;
    all.file = std::make_shared<const std::string>(options.file);
    checked.problems.push_back({config::Severity::warning, all, "key_service",
                                "--connect is for a proxy's configuration: of a key server's nothing is tried", ""});
  }
  return checked;
}

Checked check_file(const CheckOptions& options) {
  if (options.is_key_server) {
    return checked_key_server(options, load_key_server(options.file));
  }
  Guessed guessed = load_by_guess(options.file);
  if (guessed.purpose == config::Purpose::key_server) {
    return checked_key_server(options, std::move(guessed.loaded));
  }
  const ReadSecrets secrets = options.is_offline ? ReadSecrets::no : ReadSecrets::yes;
  Prepared prepared = prepare(std::move(guessed.loaded), 1, secrets);
  Checked checked{std::move(prepared.problems), {}};
  if (prepared.snapshot) {
    const policy::Policy& policy = *prepared.snapshot->policy;
    checked.summary = counted(policy.routes.size(), "route") + ", " + counted(policy.catalogue.size(), "scope");
    if (options.connects) try_all(*prepared.snapshot, checked);
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
      "Examples:\n  keygate check -c keygate.yaml\n  keygate check -c keygate.yaml --connect\n\n"
      "Find every fault in configuration and policy, all at once. Writes nothing, and without --connect opens nothing "
      "but files.");
  verb->add_option("-c,--config", options->file, "The configuration file")->required();
  verb->add_flag("--json", options->is_json, "One JSON object instead of lines");
  verb->add_flag("--keyserver", options->is_key_server,
                 "It is for keygate keyserver; guessed where it names tokens for one and no upstream");
  CLI::Option* const connect = verb->add_flag("--connect", options->connects,
                                              "Also try Redis, the key service and every upstream, as the proxy would");
  verb->add_flag("--offline", options->is_offline, "Read no secret, certificate or key that it names")
      ->excludes(connect);
  verb->callback([options, &status] { status = check(*options); });
}

}  // namespace keygate::app
