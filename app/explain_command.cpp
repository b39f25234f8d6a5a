#include "app/commands.hpp"
#include "app/explain_paper.hpp"
#include "app/explain_request.hpp"
#include "app/explained.hpp"
#include "app/keys_help.hpp"
#include "app/keys_place.hpp"
#include "app/prepare.hpp"
#include "app/problem_print.hpp"
#include "app/stated_record.hpp"
#include "keys/store.hpp"
#include "policy/criteria_text.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

namespace keygate::app {
namespace {

using policy::Environment;

struct ExplainOptions {
  std::string config, method, url, request_target;
  std::vector<std::string> headers;
  std::string from = "127.0.0.1";
  std::string client_subject;
  StatedRecord record;
  std::optional<std::string> environment;
  std::string admin;
  bool is_key_on_stdin = false, is_session = false, is_anonymous = false, is_json = false;

  // Whether the caller says what a look-up would find.
  bool has_record() const { return record.says_something() || is_session; }
};

std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::shared_ptr<const proxy::Snapshot> snapshot_from(const std::string& file) {
  Prepared prepared = prepare_file(file, 1, ReadSecrets::no);
  print_problems(std::cerr, prepared.problems);
  if (!prepared.snapshot) throw Refusal{2, "keygate explain: the configuration has faults; nothing was explained"};
  return prepared.snapshot;
}

void settle_environment(ExplainOptions& options) {
  if (options.environment) {
    options.record.environment = *options.environment == "live" ? Environment::live : Environment::test;
  }
}

std::string key_from(std::istream& in) {
  std::string text;
  std::getline(in, text);
  if (text.ends_with('\r')) text.pop_back();
  if (text.empty()) throw Refusal{2, "--key-stdin: there is no key on stdin"};
  return text;
}

// What the embedded store says of the presented key; it is opened to be read, where it is there at all.
policy::KeyAnswer answer_from_store(const proxy::Rehearsal& rehearsal, std::int64_t time) {
  const std::string help = "; say whose key it is with --scopes a,b --organization O";
  const auto& store = rehearsal.snapshot().settings->resolution.store;
  if (!store) throw Refusal{2, "the configuration names no store to find the key in" + help};
  std::error_code ignored;
  if (!std::filesystem::exists(store->path, ignored)) {
    throw Refusal{2, "the key cannot be looked up: there is no store at " + store->path + help};
  }
  Result<keys::Store> opened = keys::Store::open_to_read(store->path);
  if (opened.has_error()) throw Refusal{2, store->path + ": " + opened.error().message() + help};
  keys::Hasher hasher;
  const Result<policy::KeyAnswer> answer = opened->verify(hasher(rehearsal.presented().secret), time);
  if (answer.has_error()) throw Refusal{2, store->path + ": " + answer.error().message() + help};
  return *answer;
}

void refuse_contradiction(const ExplainOptions& options, const proxy::Rehearsal& rehearsal) {
  const auto said = options.record.environment;
  const Environment by_format = rehearsal.presented().environment;
  if (!said || by_format == Environment::none || by_format == *said) return;
  throw Refusal{2, "--environment " + *options.environment + ": the key's format is for " +
                       std::string(policy::to_string(by_format))};
}

policy::KeyAnswer answer_for(const ExplainOptions& options, const proxy::Rehearsal& rehearsal, std::int64_t time) {
  if (rehearsal.caller().kind == policy::CredentialKind::session) {
    if (options.has_record()) return session_of(options.record, *rehearsal.snapshot().settings, "--");
    throw Refusal{2, "the request carries a session: say whose it is with --session --user U --organization O"};
  }
  if (options.is_session) throw Refusal{2, "--session: what the request carries has the form of an API key"};
  if (options.has_record()) {
    refuse_contradiction(options, rehearsal);
    return record_of(options.record, "--");
  }
  if (options.is_key_on_stdin) return answer_from_store(rehearsal, time);
  throw Refusal{2,
                "the request carries a key: say whose it is with --scopes a,b --organization O, or pass it with "
                "--key-stdin to look it up in the embedded store"};
}

// Nothing that the data path would take for a credential, and so room for one.
bool carries_nothing(const proxy::Rehearsal& rehearsal) {
  if (!rehearsal.target()) return false;
  const auto& plan = rehearsal.snapshot().credentials;
  return plan.extract(rehearsal.head().headers(), rehearsal.target()->query()).kind == keys::Presented::Kind::nothing;
}

// What was taken for granted, and slips that change nothing by themselves.
std::vector<std::string> notes_on(const policy::Catalogue& catalogue, const policy::KeyAnswer& answer,
                                  Environment assumed) {
  std::vector<std::string> notes;
  if (assumed != Environment::none) {
    notes.push_back("a " + std::string(policy::to_string(assumed)) + " key is assumed; --environment says otherwise");
  }
  std::vector<std::string> known;
  for (std::size_t number = 0; number < catalogue.size(); ++number) known.push_back(catalogue[number].name);
  for (const auto& share : policy::explain_grants(catalogue, answer.principal.granted)) {
    const std::string near = share.is_listed ? "" : config::nearest_word(share.grant, known);
    if (!near.empty())
      notes.push_back("\"" + share.grant + "\" is not in the catalogue; did you mean \"" + near + "\"?");
  }
  return notes;
}

int explain(const ExplainOptions& options, std::ostream& out) {
  const auto snapshot = snapshot_from(options.config);
  const config::Settings& settings = *snapshot->settings;
  if (options.has_record()) record_of(options.record, "--");  // a slip is told whether or not it comes to matter
  boost::system::error_code no_address;
  const auto peer = boost::asio::ip::make_address(options.from, no_address);
  if (no_address) throw Refusal{2, "--from: \"" + options.from + "\" is no address"};

  AskedRequest request = asked_request(options.method, options.url, default_host(settings), options.headers);
  if (!options.request_target.empty()) request.target = options.request_target;
  auto assumed = Environment::none;
  if (options.is_key_on_stdin) {
    request = with_key(std::move(request), settings.credentials, keys::SecretView(key_from(std::cin)));
  } else if (!options.admin.empty()) {
    request = with_admin_secret(std::move(request), settings, options.admin);
  } else if (options.is_session &&
             carries_nothing(proxy::Rehearsal(*snapshot, head_of(request), peer, request.is_secure))) {
    request = with_session(std::move(request), settings);
  } else if (options.has_record() &&
             carries_nothing(proxy::Rehearsal(*snapshot, head_of(request), peer, request.is_secure))) {
    const SampleKey sample = sample_key(settings.credentials, options.record.environment);
    request = with_key(std::move(request), settings.credentials, keys::SecretView(sample.text));
    assumed = options.record.environment ? Environment::none : sample.environment;
  }

  proxy::Rehearsal rehearsal(*snapshot, head_of(request), peer, request.is_secure, options.client_subject);
  const std::int64_t time = now();
  std::optional<policy::KeyAnswer> answer;
  std::vector<std::string> notes;
  if (rehearsal.needs_answer()) {
    answer = answer_for(options, rehearsal, time);
    notes = notes_on(snapshot->policy->catalogue, *answer, assumed);
  }
  rehearsal.judge(std::move(answer), time);

  const Explained result = explained(rehearsal, harmless(options.method), harmless(options.url), std::move(notes));
  if (options.is_json) {
    out << boost::json::serialize(to_json(result)) << '\n';
  } else {
    const char* const no_colour = std::getenv("NO_COLOR");
    const bool is_terminal = &out == &std::cout && ::isatty(STDOUT_FILENO) == 1;
    print_text(out, result, {is_terminal && (no_colour == nullptr || *no_colour == '\0')});
  }
  return result.is_granted() ? 0 : 1;
}

int run(ExplainOptions& options) {
  settle_environment(options);
  try {
    return explain(options, std::cout);
  } catch (const Refusal& refusal) {
    std::cerr << refusal.message << '\n';
    return refusal.status;
  } catch (const std::exception& fault) {  // 1 means denied
    std::cerr << "keygate explain: " << fault.what() << '\n';
    return 2;
  }
}

void add_record_options(CLI::App& verb, ExplainOptions& options) {
  verb.add_option("--scopes", options.record.scopes, "What the key was granted, with commas between")
      ->delimiter(',')
      ->allow_extra_args(false);
  verb.add_option("--organization,--org", options.record.organization, "Whose key it is");
  verb.add_option("--user", options.record.user, "The user who holds it");
  verb.add_option("--environment,--env", options.environment,
                  "live or test; default: live where formats tell them apart")
      ->check(CLI::IsMember({"live", "test"}));
  verb.add_option("--key-id", options.record.key_id, "Its id; default: key_example");
  verb.add_flag("--key-stdin", options.is_key_on_stdin,
                "The key is the first line of stdin; without the options above it is looked up in the embedded store");
  CLI::Option* const session = verb.add_flag("--session", options.is_session, "A session; the options above say whose");
  CLI::Option* const admin =
      verb.add_option("--admin", options.admin, "The admin secret of that name in credentials.admin_secrets");
  CLI::Option* const anonymous = verb.add_flag("--anonymous", options.is_anonymous, "No credential; the default");
  for (const char* const other : {"--scopes", "--organization", "--user", "--environment", "--key-id", "--key-stdin"}) {
    anonymous->excludes(verb.get_option(other));
    admin->excludes(verb.get_option(other));
  }
  session->excludes(verb.get_option("--key-stdin"))->excludes(admin)->excludes(anonymous);
  admin->excludes(anonymous);
}

}  // namespace

void add_explain(CLI::App& root, int& status) {
  const auto options = std::make_shared<ExplainOptions>();
  CLI::App& verb = *root.add_subcommand("explain", "Say what would become of a request, and why");
  verb.add_option("-c,--config", options->config, "The configuration file")->required();
  verb.add_option("METHOD", options->method, "GET, POST…")->required();
  verb.add_option("URL", options->url, "http://host/path, or a path; taken as it is written")->required();
  add_record_options(verb, *options);
  verb.add_option("-H,--header", options->headers, "A header, NAME: VALUE; may be given often")
      ->allow_extra_args(false);
  verb.add_option("--from", options->from, "The address that the request comes from")->capture_default_str();
  verb.add_option("--client-subject", options->client_subject,
                  "The subject of the certificate that the client shows, as the access log has it");
  verb.add_option("--request-target", options->request_target, "What stands in the request line in place of the path");
  verb.add_flag("--json", options->is_json, "One JSON object, with every route");
  verb.callback([options, &status] { status = run(*options); });
  begin_help_with(
      verb,
      "keygate explain -c keygate.yaml GET /v1/projects --scopes projects:read --organization org_1\n"
      "keygate explain -c keygate.yaml POST https://api.example.com/v1/projects --key-stdin --json <key.txt\n");
}

}  // namespace keygate::app
