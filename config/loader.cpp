#include "config/loader.hpp"

#include "config/policy_file.hpp"
#include "config/settings_reader.hpp"
#include "config/source_text.hpp"
#include "config/text_reading.hpp"

#include <exception>

namespace keygate::config {
namespace {

Loaded failed(const std::string& name, std::string message) {
  Problem problem;
  problem.where.file = std::make_shared<const std::string>(name);
  problem.message = std::move(message);
  return {nullptr, {std::move(problem)}, nullptr, {}};
}

Loaded load(std::string_view yaml, const std::string& name, const LoadOptions& options) {
  const EnvironmentLookup environment = options.environment ? options.environment : process_environment;
  auto outcome = read_text(yaml, name, environment, settings_reader(policy_or_file(options.purpose), options.purpose));
  Loaded loaded;
  loaded.problems = std::move(outcome.problems);
  loaded.files = std::move(outcome.files);
  sort_by_place(loaded.problems);
  if (!outcome.value) return loaded;
  outcome.value->file = name;
  auto settings = std::make_shared<const Settings>(std::move(*outcome.value));
  (has_errors(loaded.problems) ? loaded.draft : loaded.settings) = std::move(settings);
  return loaded;
}

}  // namespace

Loaded load_text(std::string_view yaml, const std::string& name, const LoadOptions& options) {
  try {
    return load(yaml, name, options);
  } catch (const std::exception& fault) {
    return failed(name, std::string("cannot be loaded: ") + fault.what());
  }
}

Loaded load_file(const std::string& path, const LoadOptions& options) {
  FileState state = state_of(path);
  Loaded loaded;
  try {
    const auto source = read_source(path);
    const auto* const fault = std::get_if<Fault>(&source);
    loaded = fault != nullptr ? failed(path, fault->message) : load(std::get<std::string>(source), path, options);
  } catch (const std::exception& fault) {
    loaded = failed(path, std::string("cannot be loaded: ") + fault.what());
  }
  loaded.files.push_back(std::move(state));
  return loaded;
}

}  // namespace keygate::config
