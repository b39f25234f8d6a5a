// Help that begins with what to type: the examples stand before the usage and the options.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace keygate::app {

// `examples`: one command a line.
void begin_help_with(CLI::App& verb, std::string examples);

}  // namespace keygate::app
