// keygate: one binary, a verb each for serving, checking and managing keys.
#include "app/commands.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>

int main(int argc, char** argv) {
  CLI::App root("Keygate: a sidecar authorization proxy for API keys and scopes", "keygate");
  root.require_subcommand(1);
  root.footer("Examples:\n  keygate dev --upstream http://127.0.0.1:3000\n  keygate run -c keygate.yaml");
  int status = 0;
  keygate::app::add_run(root, status);
  keygate::app::add_dev(root, status);
  keygate::app::add_check(root, status);
  keygate::app::add_explain(root, status);
  keygate::app::add_test(root, status);
  keygate::app::add_lint(root, status);
  keygate::app::add_import(root, status);
  keygate::app::add_replay(root, status);
  keygate::app::add_keys(root, status);
  keygate::app::add_key_server(root, status);
  keygate::app::add_config(root, status);
  keygate::app::add_schema(root, status);
  keygate::app::add_reload(root, status);
  keygate::app::add_drain(root, status);
  keygate::app::add_healthcheck(root, status);
  keygate::app::add_tail(root, status);
  keygate::app::add_inject(root, status);
  keygate::app::add_version(root, status);
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return root.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "keygate: %s\n", error.what());
    return 1;
  }
  return status;
}
