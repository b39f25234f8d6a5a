#include "app/openapi_file.hpp"

#include "app/keys_place.hpp"
#include "config/fault.hpp"
#include "config/source_text.hpp"

namespace keygate::app {

OpenApi openapi_from(const std::string& file, const OpenApiOptions& options, const std::string& verb) {
  const auto source = config::read_source(file);
  if (const auto* fault = std::get_if<config::Fault>(&source)) {
    throw Refusal{2, "keygate " + verb + ": " + file + " " + fault->message};
  }
  auto read = read_openapi(std::get<std::string>(source), file, options);
  if (const auto* problem = std::get_if<config::Problem>(&read)) throw Refusal{2, config::render(*problem)};
  return std::get<OpenApi>(std::move(read));
}

std::string base_path_option(const std::string& text, const std::string& verb) {
  auto base = base_path_of(text);
  if (!base) {
    throw Refusal{2, "keygate " + verb + ": --base-path " + config::quoted(text) +
                         " is no path that all others can stand below; write it as /api"};
  }
  return *std::move(base);
}

}  // namespace keygate::app
