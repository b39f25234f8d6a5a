#include "app/commands.hpp"
#include "app/dev_plan.hpp"
#include "app/dev_summary.hpp"
#include "app/echo.hpp"
#include "app/prepare.hpp"
#include "app/problem_print.hpp"
#include "app/server.hpp"
#include "app/worker_thread.hpp"
#include "keys/store.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/ip/address.hpp>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <unistd.h>

namespace keygate::app {
namespace {

struct DevOptions {
  std::string upstream;
  std::string policy;
  std::string listen = "127.0.0.1:8080";
};

// A folder of this run's own, gone when it ends.
class ScratchFolder {
 public:
  ScratchFolder() : path_((std::filesystem::temp_directory_path() / "keygate-dev-XXXXXX").string()) {
    if (::mkdtemp(path_.data()) == nullptr) {
      throw std::runtime_error("cannot make a temporary folder");
    }
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// As a YAML scalar, whatever it holds.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    out += c == '\'' ? "''" : std::string(c == '$' ? 2 : 1, c);
  }
  return out + "'";
}

std::string indented(std::string_view text) {
  std::string out = "  ";
  for (const char c : text) {
    out += c;
    if (c == '\n') {
      out += "  ";
    }
  }
  return out;
}

std::string configuration(const DevOptions& options, const std::string& upstream, const std::string& store) {
  const std::string policy = options.policy.empty() ? "\n" + indented(starter_policy())
                                                    : " " + quoted(std::filesystem::absolute(options.policy).string());
  return "listen: " + quoted(options.listen) + "\nupstream: " + quoted(upstream) +
         "\nresolution: {store: {path: " + quoted(store) +
         "}}\nlog: {level: warn, format: text}\nlimits: {drain_delay: 0s}\ntracing: {otlp_endpoint: null}\n"
         "sidecar: {bypass: ignore}\npolicy:" +
         policy + "\n";
}

bool is_loopback(const config::ListenerSettings& listener) {
  error_code error;
  const auto address = net::ip::make_address(listener.host, error);
  return listener.socket.empty() && !error && address.is_loopback();
}

std::optional<std::string> add_development_key(const std::string& store_path) {
  auto store = keys::Store::open(store_path);
  if (!store) {
    return "cannot open a key store: " + store.error().message();
  }
  keys::NewKey key;
  key.organization = development_organization;
  key.user = development_user;
  key.name = "development";
  key.environment = policy::Environment::live;
  key.scopes = {"*"};
  key.prefix = "kg_dev_";
  const std::string text = development_key();
  const auto stored = store->import(key, keys::SecretView(text), static_cast<std::int64_t>(std::time(nullptr)));
  return stored ? std::nullopt : std::optional("cannot store the development key: " + stored.error().message());
}

void print_welcome(const proxy::Snapshot& snapshot, const std::string& upstream) {
  const std::string address = name_of(snapshot.settings->listeners.front());
  std::cout << "Keygate listens on http://" << address << ", in front of " << upstream << "\n"
            << "Development key: " << development_key() << "\n";
  const TryLines lines = try_lines(snapshot.settings->policy, address);
  if (!lines.refused.empty()) {
    std::cout << "\nRefused, for want of a key:\n" << lines.refused << "\n\nGranted:\n" << lines.granted << "\n";
  }
  std::cout << "\nEach request gets a line here. Ctrl-C ends, with a summary.\n" << std::flush;
}

// https://no-color.org: an empty NO_COLOR says nothing.
bool wants_colour() {
  const char* const unwanted = std::getenv("NO_COLOR");
  return ::isatty(STDOUT_FILENO) == 1 && (unwanted == nullptr || *unwanted == '\0');
}

// What a reload reads again; only a policy in a file of its own can have changed.
std::string keep(const std::string& text, const ScratchFolder& folder) {
  std::string path = folder.path() + "/keygate.yaml";
  std::ofstream(path) << text;
  return path;
}

int dev(const DevOptions& options) {
  const ScratchFolder scratch;
  std::optional<EchoUpstream> echo;
  std::string upstream = options.upstream;
  if (upstream.empty()) {
    echo.emplace();
    upstream = "http://127.0.0.1:" + std::to_string(echo->port());
  }
  const std::string store = scratch.path() + "/keys.db";
  const std::string text = configuration(options, upstream, store);
  Prepared prepared = prepare(config::load_text(text, "keygate dev"), 1);
  print_problems(std::cerr, prepared.problems);
  if (!prepared.snapshot) {
    return 1;
  }
  if (!is_loopback(prepared.snapshot->settings->listeners.front())) {
    std::cerr << "keygate dev: its key is known to everybody, so it listens on loopback only; use `keygate run` for "
              << options.listen << "\n";
    return 2;
  }
  if (const auto fault = add_development_key(store)) {
    std::cerr << "keygate dev: " << *fault << "\n";
    return 1;
  }
  const bool is_coloured = wants_colour();
  DevSummary summary;
  std::optional<Server> server;
  server.emplace(Server::Parts{
      .snapshot = prepared.snapshot,
      .config_file = options.policy.empty() ? std::string() : keep(text, scratch),
      .files = prepared.files,
      .access_format = is_coloured ? telemetry::AccessFormat::colour : telemetry::AccessFormat::text,
      .on_serving = [&] { print_welcome(*prepared.snapshot, echo ? "the built-in echo upstream" : upstream); },
      .on_reloaded = [&] { std::cerr << options.policy << " has changed, and is in force\n"; },
      .onlooker = [&](const telemetry::Outcome& outcome,
                      const proxy::Snapshot& judged_by) { summary.note(outcome, judged_by); }});
  if (const auto fault = server->start()) {
    std::cerr << "keygate dev: " << *fault << "\n";
    return 1;
  }
  const int status = server->run();
  server.reset();  // its last lines come before the summary
  summary.print(std::cout, is_coloured);
  std::cout << std::flush;
  return status;
}

}  // namespace

void add_dev(CLI::App& root, int& status) {
  auto options = std::make_shared<DevOptions>();
  CLI::App* const verb = root.add_subcommand("dev", "Try it on this machine");
  verb->description(
      "Examples:\n  keygate dev\n  keygate dev --upstream http://127.0.0.1:3000 --policy policy.yaml\n\n"
      "Local development: an embedded key store with one key, two lines to try, then one line a request with what "
      "would have\n"
      "to change for it to pass; at the end which routes were asked for, and the least that a key for them needs. The\n"
      "policy file is read again when it changes.");
  verb->add_option("--upstream", options->upstream, "What to protect; a built-in echo upstream if left out");
  verb->add_option("--policy", options->policy, "The policy file; a starter policy if left out");
  verb->add_option("--listen", options->listen, "Loopback address and port")->capture_default_str();
  verb->callback([options, &status] { status = dev(*options); });
}

}  // namespace keygate::app
