#include "config/policy_file.hpp"

#include "config/file_pattern.hpp"
#include "config/policy_reader.hpp"
#include "config/scalar_readers.hpp"
#include "config/source_text.hpp"
#include "config/text_reading.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <memory>
#include <system_error>
#include <utility>

namespace keygate::config {
namespace {

// What all files of one policy share.
struct Inclusion {
  std::map<std::string, Position> seen;  // real paths, and where each was first named
  std::size_t bytes = 0;
};
using InclusionPtr = std::shared_ptr<Inclusion>;

std::string real_path(const std::string& path) {
  std::error_code error;
  const auto real = std::filesystem::canonical(path, error);
  return error ? path : real.string();
}

std::string place_of(const Position& where) {
  return (where.file ? *where.file : std::string()) + ':' + std::to_string(where.line);
}

// Reads it as `reader` has it, and hands on what is wrong with it. `value` is where it is named.
std::optional<PolicyDocument> read_policy_text(const Value& value, const Position& where, const std::string& path,
                                               const InclusionPtr& inclusion, const Reader<PolicyDocument>& reader) {
  auto& reading = value.reading();
  reading.files.push_back(state_of(path));
  const auto source = read_source(path);
  if (const auto* fault = std::get_if<Fault>(&source)) {
    value.complain_at(where, quoted(path) + " " + fault->message, fault->hint);
    return std::nullopt;
  }
  const auto& text = std::get<std::string>(source);
  inclusion->bytes += text.size();
  auto outcome = read_text(text, path, reading.environment, reader);
  std::move(outcome.problems.begin(), outcome.problems.end(), std::back_inserter(reading.problems));
  std::move(outcome.files.begin(), outcome.files.end(), std::back_inserter(reading.files));
  return std::move(outcome.value);
}

Reader<PolicyDocument> with_includes(Reader<PolicyDocument> reader, const InclusionPtr& inclusion, std::size_t depth);

void take_over(PolicyDocument& into, PolicyDocument part) {
  std::move(part.scopes.begin(), part.scopes.end(), std::back_inserter(into.scopes));
  for (std::size_t number = 0; number < part.routes.size(); ++number) {
    auto& route = part.routes[number];
    if (route.path.empty()) route.path = "routes[" + std::to_string(number) + "]";
    into.routes.push_back(std::move(route));
  }
}

// False: enough has gone wrong that the rest is not looked at.
bool include_file(const Value& value, const Position& where, const std::string& path, const InclusionPtr& inclusion,
                  std::size_t depth, PolicyDocument& policy) {
  const auto [first, is_new] = inclusion->seen.emplace(real_path(path), where);
  if (!is_new) {
    value.complain_at(where, quoted(path) + " is read already, named at " + place_of(first->second),
                      "each file is read once");
    return true;
  }
  if (inclusion->seen.size() > max_included_files || inclusion->bytes > max_source_bytes) {
    value.complain_at(where, "the policy has more than " + std::to_string(max_included_files) +
                                 " files, or more than 16 MiB in all of them");
    return false;
  }
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    value.complain_at(where, quoted(path) + " is no regular file", "");
    return true;
  }
  auto part =
      read_policy_text(value, where, path, inclusion, with_includes(policy_part_reader(), inclusion, depth + 1));
  if (part) take_over(policy, *std::move(part));
  return true;
}

void include_all(const Value& value, const Text& pattern, const InclusionPtr& inclusion, std::size_t depth,
                 PolicyDocument& policy) {
  if (depth >= max_include_depth) {
    value.complain_at(pattern.where,
                      "files include each other more than " + std::to_string(max_include_depth) + " deep");
    return;
  }
  const auto path = value.path_beside_file(pattern.value);
  if (is_file_pattern(path)) value.reading().files.push_back(state_of(path));
  const auto found = files_of_pattern(path);
  if (const auto* fault = std::get_if<Fault>(&found)) {
    value.complain_at(pattern.where, fault->message, fault->hint);
    return;
  }
  for (const std::string& file : std::get<std::vector<std::string>>(found)) {
    if (!include_file(value, pattern.where, file, inclusion, depth, policy)) return;
  }
}

Reader<PolicyDocument> with_includes(Reader<PolicyDocument> reader, const InclusionPtr& inclusion, std::size_t depth) {
  return then(std::move(reader), [inclusion, depth](const Value& value, PolicyDocument policy) {
    const auto patterns = std::exchange(policy.include, {});
    const auto blamed = value.member("include");
    for (std::size_t number = 0; number < policy.routes.size() && depth > 0; ++number) {
      policy.routes[number].path = "routes[" + std::to_string(number) + "]";
    }
    for (const Text& pattern : patterns) include_all(blamed ? *blamed : value, pattern, inclusion, depth, policy);
    return std::optional<PolicyDocument>(std::move(policy));
  });
}

}  // namespace

Reader<PolicyDocument> policy_or_file(Purpose purpose) {
  const std::string form = "a file name, or the policy itself";
  const auto inclusion = std::make_shared<Inclusion>();
  return {form,
          [form, inclusion, name = text(), policy = with_includes(policy_reader(purpose), inclusion, 0)](
              const Value& value) -> std::optional<PolicyDocument> {
            if (value.is_map()) return policy.read(value);
            if (value.is_list()) {
              value.refuse(form);
              return std::nullopt;
            }
            const auto file = name.read(value);
            if (!file) return std::nullopt;
            const auto path = value.path_beside_file(*file);
            inclusion->seen.emplace(real_path(path), value.where());
            return read_policy_text(value, value.where(), path, inclusion, policy);
          },
          false, schema_of_any({text().schema, policy_reader(purpose).schema})};
}

}  // namespace keygate::config
