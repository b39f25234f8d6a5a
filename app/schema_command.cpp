#include "app/commands.hpp"
#include "config/format_schema.hpp"

#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>

namespace keygate::app {

void add_schema(CLI::App& root, int& status) {
  auto is_policy = std::make_shared<bool>(false);
  CLI::App* const verb = root.add_subcommand("schema", "Print the JSON Schema of the configuration, for editors");
  verb->description(
      "Examples:\n  keygate schema > keygate.schema.json\n  keygate schema --policy > policy.schema.json\n\n"
      "Print the JSON Schema of the configuration, for editors. An editor with a YAML language server reads it where "
      "the\n"
      "file begins with\n  # yaml-language-server: $schema=keygate.schema.json");
  verb->add_flag("--policy", *is_policy, "Of a policy in a file of its own");
  verb->callback([is_policy, &status] {
    std::cout << (*is_policy ? config::policy_schema() : config::configuration_schema());
    status = 0;
  });
}

}  // namespace keygate::app
