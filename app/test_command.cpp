#include "app/case_run.hpp"
#include "app/commands.hpp"
#include "app/explain_paper.hpp"
#include "app/junit.hpp"
#include "app/keys_help.hpp"
#include "app/keys_place.hpp"
#include "app/prepare.hpp"
#include "app/problem_print.hpp"
#include "config/cases.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

namespace keygate::app {
namespace {

struct TestOptions {
  std::string config;
  std::vector<std::string> files;
  std::string junit;
  bool is_json = false;
};

struct Tried {
  config::PolicyCase one;
  CaseResult result;
};

std::string title(const config::PolicyCase& one) {
  const std::string request = one.method + " " + one.url;
  return harmless(one.name.empty() ? request : one.name + ": " + request);
}

std::string joined(const std::vector<std::string>& differences) {
  std::string out;
  for (const std::string& difference : differences) out += (out.empty() ? "" : "; ") + difference;
  return harmless(out);
}

std::string place(const config::Position& where) {
  return *where.file + ":" + std::to_string(where.line) + ":" + std::to_string(where.column);
}

// Prints the faults; Refusal where one is an error.
void refuse_faults(const config::Problems& problems, const char* what) {
  print_problems(std::cerr, problems);
  if (config::has_errors(problems)) throw Refusal{2, std::string("keygate test: ") + what + "; nothing was tested"};
}

std::vector<Tried> try_all(const TestOptions& options) {
  Prepared prepared = prepare_file(options.config, 1, ReadSecrets::no);
  refuse_faults(prepared.problems, "the configuration has faults");
  std::vector<config::PolicyCase> cases;
  config::Problems problems;
  for (const std::string& file : options.files) {
    config::CaseTable table = config::load_cases(file);
    config::Problems more = problems_in(table, *prepared.snapshot);
    std::ranges::move(table.problems, std::back_inserter(problems));
    std::ranges::move(more, std::back_inserter(problems));
    std::ranges::move(table.cases, std::back_inserter(cases));
  }
  refuse_faults(problems, "the cases have faults");
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
  std::vector<Tried> tried;
  for (config::PolicyCase& one : cases) {
    try {
      CaseResult result = run_case(one, *prepared.snapshot, now.count());
      tried.push_back({std::move(one), std::move(result)});
    } catch (const Refusal& refusal) {
      throw Refusal{2, place(one.where) + ": " + refusal.message};
    }
  }
  return tried;
}

void write_junit(const std::string& file, const std::vector<Tried>& tried) {
  std::vector<JunitCase> cases;
  for (const auto& [one, result] : tried) {
    cases.push_back({*one.where.file, title(one), *one.where.file, one.where.line, joined(result.differences)});
  }
  std::ofstream out(file, std::ios::binary);
  out << junit_xml(cases) << std::flush;
  if (!out) throw Refusal{2, "keygate test: " + file + " cannot be written"};
}

boost::json::object to_json(const std::vector<Tried>& tried, std::size_t failed) {
  boost::json::array cases;
  for (const auto& [one, result] : tried) {
    boost::json::object made{{"file", *one.where.file}, {"line", one.where.line}, {"name", one.name},
                             {"method", one.method},    {"url", one.url},         {"ok", result.has_passed()},
                             {"code", result.code}};
    made["status"] = result.status == 0 ? boost::json::value(nullptr) : boost::json::value(result.status);
    const auto or_null = [](const std::string& text) {
      return text.empty() ? boost::json::value(nullptr) : boost::json::value(text);
    };
    made["route"] = or_null(result.route);
    made["upstream"] = or_null(result.upstream);
    made["differences"] = boost::json::array(result.differences.begin(), result.differences.end());
    cases.push_back(std::move(made));
  }
  return {{"passed", tried.size() - failed}, {"failed", failed}, {"cases", std::move(cases)}};
}

void print_text(const std::vector<Tried>& tried, std::size_t failed) {
  for (const auto& [one, result] : tried) {
    if (!result.has_passed()) {
      std::cout << place(one.where) << ": " << title(one) << ": " << joined(result.differences) << '\n';
    }
  }
  const std::string all = std::to_string(tried.size()) + (tried.size() == 1 ? " case" : " cases");
  std::cout << (failed == 0 ? all + ", all as expected" : std::to_string(failed) + " of " + all + " failed") << '\n';
}

int test(const TestOptions& options) {
  const std::vector<Tried> tried = try_all(options);
  const auto failed =
      static_cast<std::size_t>(std::ranges::count_if(tried, [](const Tried& one) { return !one.result.has_passed(); }));
  if (!options.junit.empty()) write_junit(options.junit, tried);
  if (options.is_json) {
    std::cout << boost::json::serialize(to_json(tried, failed)) << '\n';
  } else {
    print_text(tried, failed);
  }
  return failed == 0 ? 0 : 1;
}

int run(const TestOptions& options) {
  try {
    return test(options);
  } catch (const Refusal& refusal) {
    std::cerr << refusal.message << '\n';
    return refusal.status;
  } catch (const std::exception& fault) {  // 1 means that a case failed
    std::cerr << "keygate test: " << fault.what() << '\n';
    return 2;
  }
}

}  // namespace

void add_test(CLI::App& root, int& status) {
  const auto options = std::make_shared<TestOptions>();
  CLI::App& verb = *root.add_subcommand("test", "Try a table of requests, and compare what would become of them");
  verb.add_option("-c,--config", options->config, "The configuration file")->required();
  verb.add_option("CASES", options->files, "Files of cases (docs/testing-policies.md)")->required();
  verb.add_option("--junit", options->junit, "Write the results there too, for a build server");
  verb.add_flag("--json", options->is_json, "One JSON object, with every case");
  verb.callback([options, &status] { status = run(*options); });
  begin_help_with(verb,
                  "keygate test -c keygate.yaml cases.yaml\n"
                  "keygate test -c keygate.yaml cases/*.yaml --junit results.xml\n");
}

}  // namespace keygate::app
