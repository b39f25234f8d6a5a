#include "app/commands.hpp"
#include "app/keys_help.hpp"
#include "app/keys_place.hpp"
#include "app/openapi_file.hpp"
#include "app/policy_draft.hpp"

#include <CLI/CLI.hpp>

#include <exception>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace keygate::app {
namespace {

struct ImportOptions {
  std::string openapi;
  std::optional<std::string> base_path;
  std::vector<std::string> extensions;
};

int import(const ImportOptions& options) {
  OpenApiOptions how;
  if (!options.extensions.empty()) how.extensions = options.extensions;
  if (options.base_path) how.base_path = base_path_option(*options.base_path, "import");
  const OpenApi document = openapi_from(options.openapi, how, "import");
  if (document.operations.empty()) {
    std::cerr << "keygate import: " << options.openapi << " has no operations\n";
    return 1;
  }
  const PolicyDraft draft = draft_policy(document);
  std::cout << draft.text;
  const auto count = [](std::size_t number, const char* what) {
    return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
  };
  std::cerr << count(document.operations.size(), "operation") << " in " << count(draft.routes, "route") << ", "
            << count(draft.scopes, "scope") << "; " << count(draft.notes.size(), "note")
            << ", at the head of the policy\n";
  return 0;
}

int run(const ImportOptions& options) {
  try {
    return import(options);
  } catch (const Refusal& refusal) {
    std::cerr << refusal.message << '\n';
    return refusal.status;
  } catch (const std::exception& fault) {
    std::cerr << "keygate import: " << options.openapi << ": " << fault.what() << '\n';
    return 2;
  }
}

}  // namespace

void add_import(CLI::App& root, int& status) {
  const auto options = std::make_shared<ImportOptions>();
  CLI::App& verb = *root.add_subcommand("import", "Make a policy of an OpenAPI document");
  verb.add_option("--openapi", options->openapi, "The document, 3.0 or 3.1, JSON or YAML")->required();
  verb.add_option("--base-path", options->base_path, "What stands before its paths; default: its first server's path");
  verb.add_option("--scopes-from", options->extensions,
                  "An extension that names scopes of an operation; default: x-required-scopes, x-scopes")
      ->allow_extra_args(false);
  verb.callback([options, &status] { status = run(*options); });
  begin_help_with(verb,
                  "keygate import --openapi openapi.yaml >policy.yaml\n"
                  "keygate import --openapi openapi.json --base-path /api --scopes-from x-permissions >policy.yaml\n");
}

}  // namespace keygate::app
