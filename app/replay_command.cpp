#include "app/commands.hpp"
#include "app/explain_paper.hpp"
#include "app/keys_help.hpp"
#include "app/keys_place.hpp"
#include "app/log_lines.hpp"
#include "app/prepare.hpp"
#include "app/problem_print.hpp"
#include "app/replay.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <cstring>
#include <ctime>
#include <exception>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

namespace keygate::app {
namespace {

struct ReplayOptions {
  std::string config;
  std::vector<std::string> logs;
  bool is_json = false;
};

Replayed replayed(const ReplayOptions& options) {
  const Prepared prepared = prepare_file(options.config, 1, ReadSecrets::no);
  print_problems(std::cerr, prepared.problems);
  if (!prepared.snapshot) throw Refusal{2, "keygate replay: the configuration has faults; no log was read"};
  Replay replay(*prepared.snapshot, std::time(nullptr));
  for (const std::string& log : options.logs) {
    const std::string name = log == "-" ? "stdin" : log;
    const int fault =
        for_each_line(log, [&](std::string_view line, std::uint64_t number) { replay.add(line, name, number); });
    if (fault != 0) throw Refusal{2, "keygate replay: " + name + " cannot be read: " + std::strerror(fault)};
  }
  Replayed result = std::move(replay).result();
  if (result.broken == result.lines) {
    throw Refusal{2, "keygate replay: none of " + std::to_string(result.lines) +
                         " lines is one of an access log in JSON (log: {format: json, access: all})"};
  }
  return result;
}

std::string shown(const Fate& fate) {
  std::string text = fate.code;
  if (!fate.route.empty()) text += " by " + fate.route;
  return fate.code == "ok" && !fate.upstream.empty() ? text + " to " + fate.upstream : text;
}

void print_changes(const std::vector<Change>& changes) {
  Table rows;
  for (const Change& change : changes) {
    rows.push_back({std::to_string(change.count), harmless(shown(change.before)), "->", harmless(shown(change.after)),
                    harmless(change.method + " " + change.path + " (" + change.place + ")")});
  }
  Paper(std::cout, false).table(rows);
}

void print_text(const Replayed& result) {
  if (!result.differences.empty()) std::cout << "decided in another way:\n";
  print_changes(result.differences);
  if (!result.moved.empty()) std::cout << "decided alike by another route:\n";
  print_changes(result.moved);
  std::uint64_t unknown = 0;
  for (const std::uint64_t count : result.cannot_tell) unknown += count;
  if (unknown > 0) std::cout << "cannot tell:\n";
  Table rows;
  for (std::size_t i = 0; i < unknowns; ++i) {
    if (result.cannot_tell[i] == 0) continue;
    rows.push_back({std::to_string(result.cannot_tell[i]), std::string(to_string(static_cast<Unknown>(i)))});
  }
  Paper(std::cout, false).table(rows);
  std::cout << result.lines << (result.lines == 1 ? " line: " : " lines: ") << result.same << " decided alike, "
            << result.different() << " in another way, " << unknown << " cannot tell, " << result.not_judged
            << " refused before any policy, " << result.broken << " broken\n";
}

boost::json::value or_null(const std::string& text) {
  return text.empty() ? boost::json::value(nullptr) : boost::json::value(text);
}

boost::json::array to_json(const std::vector<Change>& changes) {
  const auto fate = [](const Fate& of) {
    return boost::json::object{{"code", of.code}, {"route", or_null(of.route)}, {"upstream", or_null(of.upstream)}};
  };
  boost::json::array made;
  for (const Change& change : changes) {
    boost::json::object one{{"count", change.count}, {"before", fate(change.before)}, {"after", fate(change.after)}};
    one["example"] = {{"method", change.method}, {"path", change.path}, {"place", change.place}};
    made.push_back(std::move(one));
  }
  return made;
}

boost::json::object to_json(const Replayed& result) {
  boost::json::object unknown;
  for (std::size_t i = 0; i < unknowns; ++i) {
    if (result.cannot_tell[i] > 0) unknown[to_string(static_cast<Unknown>(i))] = result.cannot_tell[i];
  }
  return {{"lines", result.lines},
          {"same", result.same},
          {"different", result.different()},
          {"not_judged", result.not_judged},
          {"broken", result.broken},
          {"cannot_tell", std::move(unknown)},
          {"differences", to_json(result.differences)},
          {"moved", to_json(result.moved)}};
}

int run(const ReplayOptions& options) {
  try {
    const Replayed result = replayed(options);
    if (options.is_json) {
      std::cout << boost::json::serialize(to_json(result)) << '\n';
    } else {
      print_text(result);
    }
    return result.different() > 0 ? 1 : 0;
  } catch (const Refusal& refusal) {
    std::cerr << refusal.message << '\n';
    return refusal.status;
  } catch (const std::exception& fault) {  // 1 means that something has changed
    std::cerr << "keygate replay: " << fault.what() << '\n';
    return 2;
  }
}

}  // namespace

void add_replay(CLI::App& root, int& status) {
  const auto options = std::make_shared<ReplayOptions>();
  CLI::App& verb = *root.add_subcommand("replay", "Try yesterday's access log against a policy, and show what differs");
  verb.add_option("-c,--config", options->config, "The configuration with the policy to try")->required();
  verb.add_option("LOG", options->logs, "Access logs in JSON; - is stdin")->required();
  verb.add_flag("--json", options->is_json, "One JSON object instead of lines");
  verb.callback([options, &status] { status = run(*options); });
  begin_help_with(verb,
                  "keygate replay -c candidate.yaml access.log\n"
                  "zcat access.log.*.gz | keygate replay -c candidate.yaml -\n");
}

}  // namespace keygate::app
