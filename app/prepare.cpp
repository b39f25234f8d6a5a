#include "app/prepare.hpp"

#include "policy/policy.hpp"

#include <utility>

namespace keygate::app {

Prepared prepare_file(const std::string& path, std::uint64_t generation, ReadSecrets secrets) {
  return prepare(config::load_file(path), generation, secrets);
}

Prepared prepare(config::Loaded loaded, std::uint64_t generation, ReadSecrets secrets) {
  Prepared prepared{nullptr, std::move(loaded.problems)};
  const auto readable = loaded.settings ? loaded.settings : loaded.draft;
  const bool is_worth_compiling =
      readable && (loaded.settings || (!readable->policy.routes.empty() && !readable->upstreams.empty()));
  if (!is_worth_compiling) {
    return prepared;
  }
  policy::Compiled compiled = policy::compile(*readable);
  prepared.problems.insert(prepared.problems.end(), compiled.problems.begin(), compiled.problems.end());
  keys::Secrets read;
  if (secrets == ReadSecrets::yes && loaded.settings) {
    read = keys::read_secrets(*loaded.settings, prepared.problems);
  }
  config::sort_by_place(prepared.problems);
  if (loaded.settings && compiled.policy && !config::has_errors(prepared.problems)) {
    prepared.snapshot = std::make_shared<const proxy::Snapshot>(generation, loaded.settings,
                                                                std::move(compiled.policy), std::move(read));
  }
  return prepared;
}

}  // namespace keygate::app
