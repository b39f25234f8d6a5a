#include "config/loader.hpp"

#include "config/policy_reader.hpp"
#include "config/scalar_readers.hpp"
#include "config/settings_reader.hpp"
#include "config/source_text.hpp"

#include <exception>
#include <iterator>

namespace keygate::config {
namespace {

// What a reader makes of a text, and everything wrong with it.
template <class T>
struct Outcome {
  std::optional<T> value;
  Problems problems;
  FileStates files;
};

template <class T>
Outcome<T> read_text(std::string_view text, const std::string& name, const EnvironmentLookup& environment,
                     const Reader<T>& reader) {
  Reading reading{std::make_shared<const std::string>(name), environment, {}};
  auto document = read_yaml(text, reading.file);
  reading.problems = std::move(document.problems);
  Outcome<T> outcome;
  if (document.root) outcome.value = reader.read(Value(*document.root, reading));
  outcome.problems = std::move(reading.problems);
  outcome.files = std::move(reading.files);
  return outcome;
}

std::optional<PolicyDocument> read_policy_file(const Value& value, const std::string& name, Purpose purpose) {
  const auto path = value.path_beside_file(name);
  value.reading().files.push_back(state_of(path));
  const auto source = read_source(path);
  if (const auto* fault = std::get_if<Fault>(&source)) {
    value.complain(quoted(path) + " " + fault->message, fault->hint);
    return std::nullopt;
  }
  auto& reading = value.reading();
  auto outcome = read_text(std::get<std::string>(source), path, reading.environment, policy_reader(purpose));
  std::move(outcome.problems.begin(), outcome.problems.end(), std::back_inserter(reading.problems));
  return std::move(outcome.value);
}

// A map is the policy itself, a scalar the name of its file.
Reader<PolicyDocument> policy_or_file(Purpose purpose) {
  const std::string form = "a file name, or the policy itself";
  return {form,
          [form, purpose, name = text(),
           policy = policy_reader(purpose)](const Value& value) -> std::optional<PolicyDocument> {
            if (value.is_map()) return policy.read(value);
            if (value.is_list()) {
              value.refuse(form);
              return std::nullopt;
            }
            const auto file = name.read(value);
            return file ? read_policy_file(value, *file, purpose) : std::nullopt;
          }};
}

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
