#include "app/prepare.hpp"

#include "policy/policy.hpp"

#include <utility>

namespace keygate::app {

Prepared prepare_file(const std::string& path, std::uint64_t generation) {
  return prepare(config::load_file(path), generation);
}

Prepared prepare(config::Loaded loaded, std::uint64_t generation) {
  Prepared prepared{nullptr, std::move(loaded.problems)};
  const auto readable = loaded.settings ? loaded.settings : loaded.draft;
  const bool is_worth_compiling =
      readable && (loaded.settings || (!readable->policy.routes.empty() && !readable->upstreams.empty()));
  if (!is_worth_compiling) {
    return prepared;
  }
  policy::Compiled compiled = policy::compile(*readable);
  prepared.problems.insert(prepared.problems.end(), compiled.problems.begin(), compiled.problems.end());
  config::sort_by_place(prepared.problems);
  if (loaded.settings && compiled.policy) {
    prepared.snapshot =
        std::make_shared<const proxy::Snapshot>(generation, loaded.settings, std::move(compiled.policy));
  }
  return prepared;
}

}  // namespace keygate::app
