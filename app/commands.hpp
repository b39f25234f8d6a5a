// The verbs of the command line. Each add_… registers one verb with its options and examples; when it is chosen it runs
// and stores its exit status: 0 fine, 1 what was checked failed, 2 wrong usage.
#pragma once

namespace CLI {
class App;
}

namespace keygate::app {

void add_run(CLI::App& root, int& status);
void add_dev(CLI::App& root, int& status);
void add_check(CLI::App& root, int& status);
void add_explain(CLI::App& root, int& status);
void add_test(CLI::App& root, int& status);
void add_lint(CLI::App& root, int& status);
void add_import(CLI::App& root, int& status);
void add_replay(CLI::App& root, int& status);
void add_keys(CLI::App& root, int& status);
void add_key_server(CLI::App& root, int& status);
void add_config(CLI::App& root, int& status);
void add_schema(CLI::App& root, int& status);
void add_reload(CLI::App& root, int& status);
void add_drain(CLI::App& root, int& status);
void add_healthcheck(CLI::App& root, int& status);
void add_tail(CLI::App& root, int& status);
void add_inject(CLI::App& root, int& status);
void add_version(CLI::App& root, int& status);

}  // namespace keygate::app
