// The verbs that ask a running proxy: reload, drain, healthcheck and tail.
#include "app/admin_client.hpp"
#include "app/commands.hpp"
#include "app/explain_paper.hpp"
#include "app/keys_help.hpp"
#include "app/keys_place.hpp"
#include "config/quantity.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <thread>
#include <unistd.h>

namespace keygate::app {
namespace {

namespace json = boost::json;

constexpr std::chrono::seconds reload_limit{60};
constexpr std::chrono::milliseconds drain_step{200};

void add_place(CLI::App& verb, AdminPlace& place) {
  CLI::Option* const config = verb.add_option("-c,--config", place.config, "The configuration of the running proxy");
  verb.add_option("--admin", place.address, "Its admin listener: unix:/path.sock or 127.0.0.1:9902")->excludes(config);
  verb.add_option("--token-file", place.token_file, "The token of admin.token_file; with -c it is found there");
}

// Runs `verb`; what it throws becomes a line and a status.
int guarded(const char* name, const std::function<int()>& verb) {
  try {
    return verb();
  } catch (const Refusal& refusal) {
    std::cerr << "keygate " << name << ": " << refusal.message << '\n';
    return refusal.status;
  } catch (const std::exception& fault) {
    std::cerr << "keygate " << name << ": " << fault.what() << '\n';
    return 1;
  }
}

json::object object_in(const std::string& text) {
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  return value.is_object() ? value.get_object() : json::object{};
}

std::string member(const json::object& object, std::string_view name) {
  const auto* const value = object.if_contains(json::string_view(name.data(), name.size()));
  if (value == nullptr || value->is_null()) return "";
  if (value->is_string()) return {value->get_string().data(), value->get_string().size()};
  if (!value->is_double()) return json::serialize(*value);
  std::ostringstream text;  // 0.13 rather than 1.3E-1
  text << value->get_double();
  return text.str();
}

// The body of a good answer; a Refusal says what it was else.
json::object good(const AdminReply& reply) {
  json::object body = object_in(reply.body);
  if (reply.status == 200) return body;
  const std::string detail = member(body, "detail");
  throw Refusal{1, detail.empty() ? "the proxy answers " + std::to_string(reply.status) : harmless(detail)};
}

int reload(const AdminPlace& place) {
  const auto client = AdminClient::from(place, false);
  const json::object answer = good(client.ask("POST", "/api/reload", {}, reload_limit));
  std::cout << "generation " << harmless(member(answer, "generation")) << " is in force\n";
  return 0;
}

// Until `wait` has passed, or the proxy has gone.
void wait_for_end(const AdminClient& client, std::chrono::milliseconds wait) {
  const auto end = std::chrono::steady_clock::now() + wait;
  while (std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(drain_step);
    try {
      client.ask("GET", "/readyz");
    } catch (const Refusal&) {
      return;
    }
  }
}

int drain(const AdminPlace& place, const std::string& wait_text) {
  const auto wait = config::parse_duration(wait_text);
  if (!wait) throw Refusal{2, "--wait: \"" + wait_text + "\" is no duration such as 10s"};
  const auto client = AdminClient::from(place, false);
  good(client.ask("POST", "/api/drain"));
  std::cout << "draining: not ready any more; it serves until SIGTERM\n";
  wait_for_end(client, *wait);
  return 0;
}

int healthcheck(const AdminPlace& place, bool is_liveness) {
  const auto client = AdminClient::from(place, true);
  const AdminReply reply = client.ask("GET", is_liveness ? "/livez" : "/readyz", {}, std::chrono::seconds(2));
  const std::string_view body = reply.body;
  std::cout << harmless(body.substr(0, body.find_last_not_of('\n') + 1)) << '\n';
  return reply.status == 200 ? 0 : 1;
}

struct TailOptions {
  AdminPlace place;
  std::string code, route, key_id, organization, text;
  bool denied_only = false, is_json = false;
};

std::string escaped(const std::string& text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (is_plain) {
      out += c;
    } else {
      out += {'%', digits[byte >> 4U], digits[byte & 15U]};
    }
  }
  return out;
}

std::string target_of(const TailOptions& options) {
  std::string target = "/api/events?limit=1000";
  for (const auto& [name, value] : {std::pair{"code", &options.code},
                                    {"route", &options.route},
                                    {"key_id", &options.key_id},
                                    {"organization_id", &options.organization},
                                    {"q", &options.text}}) {
    if (!value->empty()) target += std::string("&") + name + "=" + escaped(*value);
  }
  return target + (options.denied_only ? "&denied=1" : "");
}

// Whoever listens there may be another than it seems, so nothing of it reaches the terminal as it is.
void print_decision(const json::object& decision, const Paper& paper) {
  const auto shown = [&](const char* name) { return harmless(member(decision, name)); };
  const std::string code = shown("code"), status = shown("status");
  std::string line = shown("time") + "  " + (code == "ok" ? paper.good(status) : paper.bad(status)) + "  " +
                     shown("method") + " " + shown("path") + "  " + paper.strong(code);
  for (const auto& [name, label] : {std::pair{"route", "route"}, {"key_id", "key"}, {"organization_id", "org"}}) {
    if (const std::string value = shown(name); !value.empty()) line += "  " + std::string(label) + "=" + value;
  }
  std::cout << line << "  " << shown("duration_ms") << "ms\n";
}

int tail(const TailOptions& options) {
  const auto client = AdminClient::from(options.place, false);
  const char* const no_colour = std::getenv("NO_COLOR");
  const bool has_colour = ::isatty(STDOUT_FILENO) == 1 && (no_colour == nullptr || *no_colour == '\0');
  const Paper paper(std::cout, has_colour);
  client.follow(target_of(options), "decisions", [&](std::string_view data) {
    const json::object told = object_in(std::string(data));
    if (const std::string missed = member(told, "missed"); missed != "0") {
      std::cerr << "keygate tail: " << harmless(missed) << " went by too fast to be shown\n";
    }
    const auto* const list = told.if_contains("decisions");
    if (list == nullptr || !list->is_array()) return true;
    for (const json::value& decision : list->get_array()) {
      if (!decision.is_object()) continue;
      if (options.is_json) {
        std::cout << json::serialize(decision) << '\n';
      } else {
        print_decision(decision.get_object(), paper);
      }
    }
    return static_cast<bool>(std::cout.flush());
  });
  std::cerr << "keygate tail: the proxy has ended the stream\n";
  return 1;
}

}  // namespace

void add_reload(CLI::App& root, int& status) {
  const auto place = std::make_shared<AdminPlace>();
  CLI::App& verb = *root.add_subcommand("reload", "Have a running proxy read its configuration again");
  add_place(verb, *place);
  verb.callback([place, &status] { status = guarded("reload", [&] { return reload(*place); }); });
  begin_help_with(verb, "keygate reload -c keygate.yaml\nkeygate reload --admin unix:/run/keygate/admin.sock\n");
}

void add_drain(CLI::App& root, int& status) {
  const auto place = std::make_shared<AdminPlace>();
  const auto wait = std::make_shared<std::string>("0s");
  CLI::App& verb = *root.add_subcommand("drain", "Have a running proxy say that it is leaving, before SIGTERM");
  add_place(verb, *place);
  verb.add_option("--wait", *wait, "How long to wait, so that load balancers hear of it")->capture_default_str();
  verb.callback([place, wait, &status] { status = guarded("drain", [&] { return drain(*place, *wait); }); });
  begin_help_with(
      verb, "keygate drain -c keygate.yaml --wait 10s\nkeygate drain --admin 127.0.0.1:9902 --token-file token\n");
}

void add_healthcheck(CLI::App& root, int& status) {
  const auto place = std::make_shared<AdminPlace>();
  const auto is_liveness = std::make_shared<bool>(false);
  CLI::App& verb = *root.add_subcommand("healthcheck", "Ask a running proxy whether it serves; 0 where it does");
  add_place(verb, *place);
  verb.add_flag("--live", *is_liveness, "Whether it lives at all, in place of whether it is ready");
  verb.callback([place, is_liveness, &status] {
    status = guarded("healthcheck", [&] { return healthcheck(*place, *is_liveness); });
  });
  begin_help_with(verb,
                  "keygate healthcheck -c keygate.yaml\nkeygate healthcheck --admin unix:/run/keygate/admin.sock\n");
}

void add_tail(CLI::App& root, int& status) {
  const auto options = std::make_shared<TailOptions>();
  CLI::App& verb = *root.add_subcommand("tail", "Follow what a running proxy decides");
  add_place(verb, options->place);
  verb.add_option("--code", options->code, "Only decisions with this code, such as insufficient_scope");
  verb.add_option("--route", options->route, "Only of this route");
  verb.add_option("--key-id", options->key_id, "Only of this key");
  verb.add_option("--organization,--org", options->organization, "Only of this organization");
  verb.add_option("--contains", options->text, "Only lines that hold this text");
  verb.add_flag("--denied", options->denied_only, "Only what was not granted");
  verb.add_flag("--json", options->is_json, "The access log's lines");
  verb.callback([options, &status] { status = guarded("tail", [&] { return tail(*options); }); });
  begin_help_with(verb,
                  "keygate tail -c keygate.yaml --denied\nkeygate tail --admin unix:/run/keygate/admin.sock --route "
                  "read-project --json\n");
}

}  // namespace keygate::app
