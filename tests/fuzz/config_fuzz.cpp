// A configuration of any bytes: settings or errors, never both and never neither; every problem has a place inside the
// text and is one line for a terminal; and what is accepted is within the ranges that the docs promise.
#include "config/loader.hpp"
#include "config/marked_line.hpp"
#include "config/policy_reader.hpp"
#include "config/settings_reader.hpp"
#include "policy/policy.hpp"
#include "tests/fuzz/probe.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace keygate::fuzz {
namespace {

using namespace std::chrono_literals;

// In a folder that is not there, so that no file beside it can be named.
constexpr auto* file_name = "/nonexistent/keygate.yaml";

std::vector<std::size_t> line_sizes(std::string_view text) {
  std::vector<std::size_t> sizes{0};
  for (const char c : text) {
    if (c == '\n') {
      sizes.push_back(0);
    } else {
      ++sizes.back();
    }
  }
  return sizes;
}

void check_place(const config::Position& where, const std::vector<std::size_t>& sizes) {
  hold(where.line >= 0 && where.column >= 0, "no place is before the text");
  hold((where.line == 0) == (where.column == 0), "a line has a column");
  if (where.line == 0 || !where.file || *where.file != file_name) return;
  const auto line = static_cast<std::size_t>(where.line);
  if (line > sizes.size()) broken("a line is one of the text's", std::to_string(line));
  const auto column = static_cast<std::size_t>(where.column);
  if (column > sizes[line - 1] + 1) {
    broken("a column is one of its line's", std::to_string(line) + ":" + std::to_string(column));
  }
}

// The line of a problem, as it is shown below it.
void check_shown(const config::Position& where, const config::SourceLines& lines) {
  const auto number = static_cast<std::size_t>(where.line) - 1;
  if (where.line == 0 || !where.file || *where.file != file_name || number >= lines.size()) return;
  const auto hidden = lines.hidden_in(number);
  if (!hidden) return;
  std::size_t done = 0;
  for (const auto& span : *hidden) {
    hold(done <= span.begin && span.begin < span.end, "hidden parts are apart from each other and in order");
    done = span.end;
  }
  hold(done <= lines[number].size(), "hidden parts are within their line");
  const auto shown = config::marked_line(lines[number], where.line, where.column, *hidden);
  if (shown.empty()) return;
  hold(std::count(shown.begin(), shown.end(), '\n') == 2 && shown.back() == '\n', "a line and its mark are two lines");
  hold(std::none_of(shown.begin(), shown.end(),
                    [](char c) { return c != '\n' && (static_cast<unsigned char>(c) < 0x20 || c == 0x7f); }),
       "no control character is shown");
}

void check_problems(const config::Problems& problems, std::string_view text) {
  const auto sizes = line_sizes(text);
  const config::SourceLines lines(text, {"policy", "routes", "name", "match", "path", "secret", "scopes"});
  for (const auto& problem : problems) {
    hold(!problem.message.empty(), "a problem says what is wrong");
    check_place(problem.where, sizes);
    const auto line = config::render(problem);
    const bool is_one_line = std::none_of(line.begin(), line.end(),
                                          [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    if (!is_one_line) broken("a problem is one line without control characters", quoted(line));
    check_shown(problem.where, lines);
  }
}

void check_order(const config::Problems& problems) {
  const auto is_before = [](const config::Problem& a, const config::Problem& b) {
    return std::pair(a.where.line, a.where.column) < std::pair(b.where.line, b.where.column);
  };
  hold(std::is_sorted(problems.begin(), problems.end(), is_before), "the problems of one file are sorted by place");
}

template <class T>
void hold_within(const T& value, const T& least, const T& most, std::string_view name) {
  if (value < least || most < value) broken("what is accepted is within its range", std::string(name));
}

void check_ranges(const config::Settings& settings) {
  const auto& limits = settings.limits;
  hold_within<std::size_t>(limits.header_bytes, 4 * 1024, 256 * 1024, "header_bytes");
  hold_within<std::size_t>(limits.header_count, 1, 128, "header_count");
  hold_within<std::size_t>(limits.target_bytes, 64, 64 * 1024, "target_bytes");
  hold_within<std::size_t>(limits.connections, 1, 1'000'000, "connections");
  hold_within<config::milliseconds>(limits.header_timeout, 10ms, 1h, "header_timeout");
  hold_within<config::milliseconds>(limits.idle_timeout, 10ms, 24h, "idle_timeout");
  hold_within<config::milliseconds>(limits.drain_timeout, 0ms, 1h, "drain_timeout");
  hold_within<config::milliseconds>(settings.resolution.staleness_bound, 1s, 24h, "staleness_bound");
  hold_within<std::size_t>(settings.resolution.memory.max_keys, 1, 10'000'000, "max_keys");
  hold_within<unsigned>(settings.threads, 0, 256, "threads");
  hold(!settings.upstreams.empty() && !settings.listeners.empty(),
       "there is something to listen on, and to forward to");
  hold(settings.resolution.store.has_value(), "keys can be looked up somewhere");
  for (const auto& upstream : settings.upstreams) {
    hold(upstream.endpoints.size() == 1 && upstream.endpoints[0].port != 0, "an upstream has its one endpoint");
    hold(settings.find_upstream(upstream.name) == &upstream, "upstreams have names of their own");
  }
  for (const auto& source : settings.credentials.sources) {
    hold((source.kind == config::CredentialSource::Kind::bearer) == source.name.empty(), "a place has a name");
  }
}

std::optional<std::string> environment(const std::string& name) {
  if (name == "HOME") return "/nonexistent";
  if (name == "PORT") return "8080";
  return std::nullopt;
}

struct Read {
  std::optional<config::Settings> settings;  // also where there are errors: as much as could be read
  config::Problems problems;
};

// What load_text does, with the tables of keys built once: building them takes longer than reading most texts.
Read read(std::string_view text) {
  static const auto reader =
      config::settings_reader(config::policy_reader(config::Purpose::proxy), config::Purpose::proxy);
  config::Reading reading{std::make_shared<const std::string>(file_name), environment, {}};
  auto document = config::read_yaml(text, reading.file);
  reading.problems = std::move(document.problems);
  Read read;
  if (document.root) read.settings = reader.read(config::Value(*document.root, reading));
  read.problems = std::move(reading.problems);
  return read;
}

// What reads without an error loads, with the same warnings.
void check_load(std::string_view text, const Read& read) {
  config::LoadOptions options;
  options.environment = environment;
  const auto loaded = config::load_text(text, file_name, options);
  hold(loaded.settings && !loaded.draft, "settings where there are no errors");
  hold_equal(loaded.settings->file, file_name, "settings know their file");
  hold_equal(loaded.problems.size(), read.problems.size(), "the same warnings");
  check_order(loaded.problems);
}

}  // namespace

void probe(std::string_view input) {
  const auto result = read(input);
  const bool has_errors = config::has_errors(result.problems);
  hold(has_errors || result.settings.has_value(), "settings or errors");
  check_problems(result.problems, input);
  if (!has_errors) {
    check_ranges(*result.settings);
    check_load(input, result);
  }
  if (!result.settings) return;
  const auto compiled = policy::compile(*result.settings);
  // What was not read whole makes no policy either: its errors are the reader's.
  const bool has_faults = config::has_errors(compiled.problems);
  hold(compiled.policy == nullptr || !has_faults, "no policy where there are errors");
  hold(compiled.policy != nullptr || has_faults || has_errors, "a policy or errors");
  check_problems(compiled.problems, input);
}

}  // namespace keygate::fuzz
