#include "app/commands.hpp"
#include "app/inject.hpp"

#include <CLI/CLI.hpp>

#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>

namespace keygate::app {
namespace {

struct InjectOptions {
  std::string file = "-";
  SidecarSettings settings{.image = "keygate:" KEYGATE_VERSION};
};

// They are written into YAML as they are.
bool is_plain(const std::string& word) {
  return !word.empty() &&
         word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:@") ==
             std::string::npos;
}

int inject(const InjectOptions& options) {
  if (!is_plain(options.settings.image) || !is_plain(options.settings.config_map)) {
    std::cerr << "keygate: --image and --config-map are names: letters, digits, and . _ - / : @\n";
    return 2;
  }
  std::string manifests;
  if (options.file == "-") {
    manifests.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    std::ifstream file(options.file, std::ios::binary);
    if (!file) {
      std::cerr << "keygate: cannot read " << options.file << "\n";
      return 1;
    }
    manifests.assign(std::istreambuf_iterator<char>(file), {});
  }
  const auto done = inject_sidecar(manifests, options.settings);
  if (const auto* fault = std::get_if<config::Fault>(&done)) {
    std::cerr << "keygate: " << options.file << ": " << fault->message
              << (fault->hint.empty() ? "" : "; " + fault->hint) << "\n";
    return 1;
  }
  const auto& injected = std::get<Injected>(done);
  if (injected.added + injected.had_it == 0) {
    std::cerr << "keygate: " << options.file << " has no Deployment, StatefulSet or DaemonSet\n";
    return 1;
  }
  for (const std::string& note : injected.notes) std::cerr << "keygate: " << note << "\n";
  std::cout << injected.text << std::flush;
  return std::cout ? 0 : 1;
}

}  // namespace

void add_inject(CLI::App& root, int& status) {
  auto options = std::make_shared<InjectOptions>();
  CLI::App* const verb = root.add_subcommand("inject", "Put the sidecar into Kubernetes manifests");
  verb->description(
      "Examples:\n  keygate inject -f deploy.yaml | kubectl apply -f -\n"
      "  kustomize build . | keygate inject --config-map keygate >deploy.yaml\n\n"
      "Put the sidecar into every Deployment, StatefulSet and DaemonSet of a file. Whatever has it already stays as it "
      "is; so does every line that was there.");
  verb->add_option("-f,--filename", options->file, "The manifests; -, the default: stdin");
  verb->add_option("--image", options->settings.image, "Keygate's image")->capture_default_str();
  verb->add_option("--config-map", options->settings.config_map,
                   "Holds keygate.yaml and the policy; a Secret of the same name may hold secrets")
      ->capture_default_str();
  verb->callback([options, &status] { status = inject(*options); });
}

}  // namespace keygate::app
