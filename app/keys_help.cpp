#include "app/keys_help.hpp"

#include <CLI/CLI.hpp>

#include <memory>
#include <utility>

namespace keygate::app {

namespace {

// The description cannot hold them: the list of verbs shows it too.
class ExamplesFirst : public CLI::Formatter {
 public:
  explicit ExamplesFirst(std::string examples) : examples_(std::move(examples)) {}

  std::string make_help(const CLI::App* verb, std::string name, CLI::AppFormatMode mode) const override {
    return examples_ + "\n" + CLI::Formatter::make_help(verb, std::move(name), mode);
  }

 private:
  std::string examples_;
};

}  // namespace

void begin_help_with(CLI::App& verb, std::string examples) {
  verb.formatter(std::make_shared<ExamplesFirst>(std::move(examples)));
}

}  // namespace keygate::app
