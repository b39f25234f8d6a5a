#include "tests/support/keygate.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <signal.h>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace keygate::test {

namespace json = boost::json;

const std::string_view standard_policy = R"(version: 1
scopes:
  "v1:read": Read what lies below /v1
  "v1:write": Change it
  admin: Administration
routes:
  - name: public
    match: {path: "/public/{rest...}"}
    anonymous: true
  - name: v1
    match: {path: "/v1/{rest...}"}
    require: {scopes: "v1:read"}
  - name: admin
    match: {path: "/admin/{rest...}"}
    require: {scopes: admin}
)";

namespace {

// Neither the prefix nor the first characters, which lists show: a part that is nowhere once the key has been created.
std::string_view private_part(std::string_view key) { return key.size() > 28 ? key.substr(14) : key; }

std::string string_member(const json::object& object, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (const auto* value = object.if_contains(name); value != nullptr && value->is_string()) {
      return std::string(value->as_string());
    }
  }
  throw std::runtime_error("no such member in " + json::serialize(object));
}

Key key_in(const std::string& output) {
  const json::value parsed = json::parse(output);
  return {string_member(parsed.as_object(), {"key_id", "id"}), string_member(parsed.as_object(), {"key"})};
}

std::string succeeded(const Finished& finished) {
  if (finished.status.code != 0) {
    throw std::runtime_error("keygate failed: " + finished.errors + finished.output);
  }
  return finished.output;
}

}  // namespace

std::string keygate_binary() {
  const char* chosen = std::getenv("KEYGATE_BINARY");
  return chosen != nullptr ? chosen : KEYGATE_BINARY;
}

Keygate::Keygate() = default;

Keygate::~Keygate() {
  if (process_ && !is_end_checked_) {
    try {
      stop();
    } catch (const std::exception& failure) {
      ADD_FAILURE() << failure.what();
    }
  }
}

void Keygate::write_files(const Config& config) {
  config_ = config;
  port_ = free_port();
  do {
    health_port_ = free_port();
  } while (health_port_ == port_);
  const std::string store = "{store: {path: keys.db}}";
  std::string limits = config.limits;
  for (const auto& [name, value] : {std::pair{"drain_delay", "10ms"}, {"drain_timeout", "5s"}}) {
    if (limits.find(name) == std::string::npos) {
      limits += (limits.empty() ? "" : ", ") + std::string(name) + ": " + value;
    }
  }
  std::ostringstream text;
  text << "version: 1\nlisten: 127.0.0.1:" << port_ << "\nhealth: {address: \"127.0.0.1:" << health_port_ << "\"}\n";
  if (config.upstreams.empty()) {
    text << "upstream: http://127.0.0.1:" << config.upstream_port << "\n";
  } else {
    text << "upstreams: " << config.upstreams << "\n";
  }
  text << "policy: policy.yaml\nresolution: " << (config.resolution.empty() ? store : config.resolution)
       << "\nthreads: " << config.threads << "\nlimits: {" << limits << "}\n"
       << config.more;
  directory_.write("keygate.yaml", text.str());
  directory_.write("policy.yaml", config.policy);
}

bool Keygate::start_once() {
  write_files(config_);
  process_ = std::make_unique<Process>(Command{{keygate_binary(), "run", "-c", config_file()}});
  eventually([&] { return process_->exited() || readiness() == 200; });
  return !process_->exited() && readiness() == 200;
}

void Keygate::start(Config config) {
  config_ = std::move(config);
  // A port that was free may be taken by the time it is used; anything else goes wrong three times in the same way.
  for (int attempt = 0; attempt < 3; ++attempt) {
    if (start_once()) {
      is_end_checked_ = false;
      return;
    }
  }
  is_end_checked_ = true;
  throw std::runtime_error("keygate does not come up: " + process_->errors() + process_->output());
}

Finished Keygate::run_to_failure() {
  Process process({{keygate_binary(), "run", "-c", config_file()}});
  const auto status = process.wait();
  if (!status) {
    ADD_FAILURE() << "keygate started, although it should have refused to";
    return {{}, process.output(), process.errors()};
  }
  return {*status, process.output(), process.errors()};
}

void Keygate::rewrite_policy(std::string_view policy) { directory_.write("policy.yaml", policy); }

Finished Keygate::keys(std::vector<std::string> arguments) const {
  std::vector<std::string> argv{keygate_binary(), "keys"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  argv.insert(argv.end(), {"--store", store_file(), "--json"});
  return run({argv, {}, "", ""});
}

Key Keygate::create_key(const KeySpec& spec) {
  std::vector<std::string> arguments{"create", "--organization", spec.organization, "--scopes", spec.scopes};
  const auto add = [&](const char* option, const std::string& value) {
    if (!value.empty()) {
      arguments.insert(arguments.end(), {option, value});
    }
  };
  add("--user", spec.user);
  add("--environment", spec.environment);
  add("--prefix", spec.prefix);
  add("--expires-in", spec.expires_in);
  const Key key = key_in(succeeded(keys(arguments)));
  remember(key);
  return key;
}

Key Keygate::rotate_key(const std::string& id, const std::string& grace) {
  const Key key = key_in(succeeded(keys({"rotate", id, "--grace", grace})));
  remember(key);
  return key;
}

void Keygate::revoke_key(const std::string& id) { succeeded(keys({"revoke", id})); }

bool Keygate::is_key_in(std::string_view text) const {
  for (const std::string& key : known_keys_) {
    if (text.find(private_part(key)) != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

std::string Keygate::url(std::string_view target) const {
  return "http://127.0.0.1:" + std::to_string(port_) + std::string(target);
}

int Keygate::readiness() const {
  auto socket = try_connect(health_port_);
  if (!socket) {
    return 0;
  }
  socket->send("GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  std::string bytes;
  for (;;) {
    const Arrival arrival = receive(*socket, bytes, std::chrono::seconds(5));
    if (const auto response = read_response(bytes, AnswerTo::get, arrival != Arrival::bytes)) {
      return response->status;
    }
    if (arrival != Arrival::bytes) {
      return 0;
    }
  }
}

ExitStatus Keygate::stop() {
  process_->signal(SIGTERM);
  return wait_for_end();
}

ExitStatus Keygate::wait_for_some_end(std::chrono::milliseconds limit) {
  const auto status = process_->wait(limit);
  is_end_checked_ = true;
  EXPECT_FALSE(has_sanitizer_report(process_->errors())) << process_->errors();
  if (!status) {
    ADD_FAILURE() << "keygate does not end; its stderr:\n" << process_->errors();
    process_->signal(SIGKILL);
    return {};
  }
  return *status;
}

ExitStatus Keygate::wait_for_end(std::chrono::milliseconds limit) {
  const ExitStatus status = wait_for_some_end(limit);
  EXPECT_EQ(status.signal, 0) << "keygate was ended by a signal; its stderr:\n" << process_->errors();
  EXPECT_EQ(status.code, 0) << "keygate's stderr:\n" << process_->errors();
  return status;
}

ExitStatus Keygate::wait_for_hasty_end(std::chrono::milliseconds limit) {
  const ExitStatus status = wait_for_some_end(limit);
  EXPECT_TRUE(status.signal == 0 || status.signal == SIGTERM) << "signal " << status.signal;
  return status;
}

std::vector<json::object> Keygate::access_log() const {
  std::vector<json::object> lines;
  std::istringstream text(output());
  for (std::string line; std::getline(text, line);) {
    if (text.eof()) {
      break;  // still being written
    }
    boost::json::error_code error;
    json::value parsed = json::parse(line, error);
    if (error || !parsed.is_object()) {
      ADD_FAILURE() << "not a JSON object on stdout: " << line;
      continue;
    }
    lines.push_back(std::move(parsed.as_object()));
  }
  return lines;
}

json::object Keygate::wait_for_log(const std::function<bool(const json::object&)>& is_it) const {
  json::object found;
  const bool came = eventually([&] {
    for (json::object& line : access_log()) {
      if (is_it(line)) {
        found = std::move(line);
        return true;
      }
    }
    return false;
  });
  EXPECT_TRUE(came) << "no such line in the access log:\n" << output();
  return found;
}

json::object Keygate::wait_for_log_of(std::string_view path) const {
  return wait_for_log([&](const json::object& line) { return text_of(line, "path") == path; });
}

bool has_sanitizer_report(std::string_view errors) {
  for (const std::string_view mark :
       {"AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "UndefinedBehaviorSanitizer", "runtime error:"}) {
    if (errors.find(mark) != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || value->is_null()) {
    return "";
  }
  return value->is_string() ? std::string(value->as_string()) : json::serialize(*value);
}

}  // namespace keygate::test
