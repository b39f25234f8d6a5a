// YAML in, Settings or every Problem out (docs/configuration.md). The only reader of configuration there is: `run`,
// `check`, `keyserver` and reload all come through here.
#pragma once

#include "config/file_state.hpp"
#include "config/purpose.hpp"
#include "config/settings.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace keygate::config {

struct LoadOptions {
  Purpose purpose = Purpose::proxy;
  // What ${NAME} stands for; nullopt: not set. Default: the process's environment.
  std::function<std::optional<std::string>(const std::string&)> environment;
};

struct Loaded {
  std::shared_ptr<const Settings> settings;  // null if and only if problems has an error
  Problems problems;                         // sorted; may hold warnings beside settings
  // What could be read in spite of errors, so that the policy's own faults are told in the same run; never to be
  // served.
  std::shared_ptr<const Settings> draft;
  FileStates files;  // what it was read from, or would have been
};

// Reads `path` and the policy file it names. A file that cannot be read is a Problem too.
Loaded load_file(const std::string& path, const LoadOptions& options = {});

// The same from text; `name` stands in places, and relative paths in it are resolved against its folder.
Loaded load_text(std::string_view yaml, const std::string& name, const LoadOptions& options = {});

}  // namespace keygate::config
