#include "app/prepare.hpp"

#include "config/named_files.hpp"
#include "policy/policy.hpp"

#include <chrono>
#include <utility>

namespace keygate::app {
namespace {

std::int64_t unix_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Before these are read.
config::FileStates with_named_files(config::Loaded& loaded) {
  config::FileStates files = std::move(loaded.files);
  const auto readable = loaded.settings ? loaded.settings : loaded.draft;
  if (readable) {
    for (const std::string& path : config::files_named_in(*readable)) {
      files.push_back(config::state_of(path));
    }
  }
  return files;
}

}  // namespace

Prepared prepare_file(const std::string& path, std::uint64_t generation, ReadSecrets secrets,
                      const proxy::TlsContexts& in_force) {
  return prepare(config::load_file(path), generation, secrets, in_force);
}

Prepared prepare(config::Loaded loaded, std::uint64_t generation, ReadSecrets secrets,
                 const proxy::TlsContexts& in_force) {
  Prepared prepared{nullptr, std::move(loaded.problems), {}};
  if (secrets == ReadSecrets::yes) {
    prepared.files = with_named_files(loaded);
  }
  const auto readable = loaded.settings ? loaded.settings : loaded.draft;
  const bool is_worth_compiling =
      readable && (loaded.settings || (!readable->policy.routes.empty() && !readable->upstreams.empty()));
  if (!is_worth_compiling) {
    return prepared;
  }
  policy::Compiled compiled = policy::compile(*readable, unix_now());
  prepared.problems.insert(prepared.problems.end(), compiled.problems.begin(), compiled.problems.end());
  keys::Secrets read;
  proxy::TlsContexts tls;
  if (loaded.settings) {
    read = secrets == ReadSecrets::yes ? keys::read_secrets(*loaded.settings, prepared.problems)
                                       : keys::stand_in_secrets(*loaded.settings);
    tls = secrets == ReadSecrets::yes ? proxy::read_tls(*loaded.settings, prepared.problems, in_force)
                                      : proxy::TlsContexts();
  }
  config::sort_by_place(prepared.problems);
  if (loaded.settings && compiled.policy && !config::has_errors(prepared.problems)) {
    prepared.snapshot = std::make_shared<const proxy::Snapshot>(generation, loaded.settings, std::move(compiled.policy),
                                                                std::move(read), std::move(tls));
  }
  return prepared;
}

PreparedKeyServer prepare_key_server(config::Loaded loaded) {
  PreparedKeyServer prepared{nullptr, nullptr, std::move(loaded.problems), {}};
  prepared.files = with_named_files(loaded);
  const auto readable = loaded.settings ? loaded.settings : loaded.draft;
  if (!readable) {
    return prepared;
  }
  policy::Compiled compiled = policy::compile_catalogue_alone(*readable);
  prepared.problems.insert(prepared.problems.end(), compiled.problems.begin(), compiled.problems.end());
  config::sort_by_place(prepared.problems);
  if (loaded.settings && compiled.policy) {
    prepared.settings = loaded.settings;
    prepared.policy = std::move(compiled.policy);
  }
  return prepared;
}

Guessed load_by_guess(const std::string& path) {
  Guessed guessed{config::Purpose::proxy, config::load_file(path)};
  const auto& draft = guessed.loaded.draft;
  if (!draft || !draft->upstreams.empty()) {
    return guessed;
  }
  const config::KeyServiceSettings& tokens = draft->key_service;
  if (!tokens.token && !tokens.manage_token && !tokens.admin_token) {
    return guessed;
  }
  config::LoadOptions options;
  options.purpose = config::Purpose::key_server;
  return {options.purpose, config::load_file(path, options)};
}

}  // namespace keygate::app
