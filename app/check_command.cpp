#include "app/commands.hpp"
#include "app/prepare.hpp"

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

void print_json(const Prepared& prepared) {
  boost::json::array problems;
  for (const config::Problem& problem : prepared.problems) {
    problems.push_back(to_json(problem));
  }
  boost::json::object result;
  result["ok"] = prepared.snapshot != nullptr;
  result["problems"] = std::move(problems);
  std::cout << boost::json::serialize(result) << "\n";
}

int check(const CheckOptions& options) {
  const Prepared prepared = prepare_file(options.file, 1);
  const int status = prepared.snapshot ? 0 : 1;
  if (options.is_json) {
    print_json(prepared);
    return status;
  }
  for (const config::Problem& problem : prepared.problems) {
    std::cout << config::render(problem) << "\n";
  }
  if (prepared.snapshot) {
    std::cout << options.file << ": ok (" << prepared.snapshot->policy->routes.size() << " routes, "
              << prepared.snapshot->policy->catalogue.size() << " scopes)\n";
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
  verb->callback([options, &status] { status = check(*options); });
}

}  // namespace keygate::app
