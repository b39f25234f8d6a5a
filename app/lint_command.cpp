#include "app/commands.hpp"
#include "app/explain_paper.hpp"
#include "app/keys_help.hpp"
#include "app/keys_place.hpp"
#include "app/openapi_file.hpp"
#include "app/openapi_lint.hpp"
#include "app/prepare.hpp"
#include "app/problem_print.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <exception>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace keygate::app {
namespace {

using policy::Finding;

struct LintOptions {
  std::string config, openapi;
  std::optional<std::string> base_path;
  std::vector<std::string> extensions;
  std::string fail_on = "warning";
  bool is_json = false;
};

policy::FindingList find(const LintOptions& options) {
  const Prepared prepared = prepare_file(options.config, 1, ReadSecrets::no);
  print_problems(std::cerr, prepared.problems);
  if (!prepared.snapshot) throw Refusal{2, "keygate lint: the configuration has faults; nothing else was looked at"};
  const policy::Policy& policy = *prepared.snapshot->policy;
  policy::FindingList found = policy::lint(*prepared.snapshot->settings, policy);
  if (options.openapi.empty()) return found;

  OpenApiOptions how;
  if (!options.extensions.empty()) how.extensions = options.extensions;
  if (options.base_path) how.base_path = base_path_option(*options.base_path, "lint");
  std::ranges::move(lint_openapi(policy, openapi_from(options.openapi, how, "lint")), std::back_inserter(found));
  return found;
}

std::string line_of(const Finding& finding) {
  std::string line = finding.where.file ? *finding.where.file : "";
  line += ":" + std::to_string(finding.where.line) + ":" + std::to_string(finding.where.column) + ": ";
  line += std::string(to_string(finding.weight)) + ": " + std::string(finding.code) + ": ";
  if (!finding.route.empty()) line += finding.route + ": ";
  return harmless(line + finding.message + "; " + finding.hint);
}

boost::json::object to_json(const policy::FindingList& found) {
  boost::json::array findings;
  for (const Finding& finding : found) {
    boost::json::object made{{"code", std::string(finding.code)},
                             {"severity", std::string(to_string(finding.weight))},
                             {"file", finding.where.file ? *finding.where.file : ""},
                             {"line", finding.where.line},
                             {"column", finding.where.column}};
    made["route"] = finding.route.empty() ? boost::json::value(nullptr) : boost::json::value(finding.route);
    made["message"] = finding.message;
    made["hint"] = finding.hint;
    findings.push_back(std::move(made));
  }
  boost::json::object made;
  made["findings"] = std::move(findings);
  return made;
}

int lint(const LintOptions& options) {
  const policy::FindingList found = find(options);
  const auto warnings =
      std::ranges::count_if(found, [](const Finding& one) { return one.weight == Finding::Weight::warning; });
  const auto notes = static_cast<std::ptrdiff_t>(found.size()) - warnings;
  if (options.is_json) {
    std::cout << boost::json::serialize(to_json(found)) << '\n';
  } else {
    for (const Finding& finding : found) std::cout << line_of(finding) << '\n';
    const auto count = [](std::ptrdiff_t number, const char* what) {
      return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
    };
    std::cout << (found.empty() ? "nothing found" : count(warnings, "warning") + ", " + count(notes, "note")) << '\n';
  }
  return warnings > 0 || (options.fail_on == "note" && notes > 0) ? 1 : 0;
}

int run(const LintOptions& options) {
  try {
    return lint(options);
  } catch (const Refusal& refusal) {
    std::cerr << refusal.message << '\n';
    return refusal.status;
  } catch (const std::exception& fault) {  // 1 means that something was found
    std::cerr << "keygate lint: " << fault.what() << '\n';
    return 2;
  }
}

}  // namespace

void add_lint(CLI::App& root, int& status) {
  const auto options = std::make_shared<LintOptions>();
  CLI::App& verb = *root.add_subcommand("lint", "Find what is no fault in a policy, and yet hardly meant");
  verb.add_option("-c,--config", options->config, "The configuration file")->required();
  CLI::Option* const openapi =
      verb.add_option("--openapi", options->openapi, "An OpenAPI document, 3.0 or 3.1, that the policy has to fit");
  verb.add_option("--base-path", options->base_path, "What stands before its paths; default: its first server's path")
      ->needs(openapi);
  verb.add_option("--scopes-from", options->extensions,
                  "An extension that names scopes of an operation; default: x-required-scopes, x-scopes")
      ->allow_extra_args(false)
      ->needs(openapi);
  verb.add_option("--fail-on", options->fail_on, "From what on the exit status is 1: note or warning, the default")
      ->check(CLI::IsMember({"note", "warning"}));
  verb.add_flag("--json", options->is_json, "One JSON object instead of lines");
  verb.callback([options, &status] { status = run(*options); });
  begin_help_with(verb,
                  "keygate lint -c keygate.yaml\n"
                  "keygate lint -c keygate.yaml --openapi openapi.yaml --fail-on note\n");
}

}  // namespace keygate::app
