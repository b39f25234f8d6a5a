#include "tests/support/key_server.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <stdexcept>
#include <utility>

namespace keygate::test {
namespace {

namespace json = boost::json;
using Clock = std::chrono::steady_clock;

const std::string admin_token = "admin-token-0123456789abcdefghijkl";

Key key_in(const Response& response) {
  if (response.status != 201) throw std::runtime_error("the key server makes no key: " + response.body);
  const json::value made = json::parse(response.body);
  return {text_of(made.as_object(), "key_id"), text_of(made.as_object(), "key")};
}

}  // namespace

KeyServer::KeyServer(std::string resolution) : resolution_(std::move(resolution)) {
  directory_.write("proxy", "proxy-token-0123456789abcdefghijkl\n");
  directory_.write("admin", admin_token + "\n");
  directory_.write("policy.yaml", standard_policy.substr(0, standard_policy.find("routes:")));
  start();
}

KeyServer::~KeyServer() {
  if (!process_ || process_->exited()) return;
  process_->signal(SIGCONT);
  process_->signal(SIGTERM);
  const auto status = process_->wait();
  EXPECT_TRUE(status && *status == (ExitStatus{0, 0})) << "the key server's stderr:\n" << process_->errors();
  EXPECT_FALSE(has_sanitizer_report(process_->errors())) << process_->errors();
}

void KeyServer::start() {
  for (int attempt = 0; attempt < 4; ++attempt) {
    if (port_ != 0 && start_once()) return;
    port_ = free_port();
    health_port_ = free_port();
  }
  throw std::runtime_error("the key server does not come up: " + process_->errors());
}

bool KeyServer::start_once() {
  std::ostringstream text;
  text << "listen: 127.0.0.1:" << port_ << "\nhealth: {address: \"127.0.0.1:" << health_port_
       << "\"}\nresolution: {store: {path: keys.db}" << (resolution_.empty() ? "" : ", ") << resolution_
       << "}\npolicy: policy.yaml\nlimits: {drain_delay: 0s, drain_timeout: 5s}\n"
          "key_service: {token_file: proxy, admin_token_file: admin}\n";
  directory_.write("keyserver.yaml", text.str());
  process_ = std::make_unique<Process>(Command{{keygate_binary(), "keyserver", "-c", directory_ / "keyserver.yaml"}});
  eventually([&] { return process_->exited() || is_ready(); });
  return !process_->exited();
}

bool KeyServer::is_ready() const {
  try {
    return ask(health_port_, "GET /readyz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").status == 200;
  } catch (const std::exception&) {
    return false;
  }
}

void KeyServer::kill() {
  process_->signal(SIGKILL);
  process_->wait();
}

Response KeyServer::call(std::string_view method, const std::string& target, const std::string& body) const {
  return ask(port_, std::string(method) + " " + target + " HTTP/1.1\r\nHost: keys.local\r\nAuthorization: Bearer " +
                        admin_token + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
}

Key KeyServer::create(const KeySpec& spec) const {
  json::object wanted{{"organization_id", spec.organization}};
  json::array scopes;
  std::istringstream words(spec.scopes);
  for (std::string word; std::getline(words, word, ',');) scopes.emplace_back(word);
  wanted["scopes"] = std::move(scopes);
  if (!spec.expires_in.empty()) wanted["expires_in"] = spec.expires_in;
  if (!spec.restrictions.empty()) {
    const json::value restrictions = json::parse(spec.restrictions);
    for (const auto& member : restrictions.as_object()) wanted[member.key()] = member.value();
  }
  return key_in(call("POST", "/v1/keys", json::serialize(wanted)));
}

Key KeyServer::rotate(const std::string& id, const std::string& grace) const {
  return key_in(call("POST", "/v1/keys/" + id + "/rotate", R"({"grace": ")" + grace + R"("})"));
}

std::string KeyServer::last_used(const std::string& id) const {
  const json::object key = json::parse(call("GET", "/v1/keys/" + id, "").body).as_object();
  const json::value& at = key.at("last_used_at");
  return at.is_null() ? "" : std::string(at.as_string());
}

Revocation KeyServer::revoke(const std::string& id) const {
  Revocation revocation;
  revocation.sent = Clock::now();
  const Response response = call("DELETE", "/v1/keys/" + id, "");
  revocation.answered = Clock::now();
  if (response.status != 200) throw std::runtime_error("the key server does not revoke: " + response.body);
  revocation.is_pushed = json::parse(response.body).as_object().at("pushed").as_bool();
  return revocation;
}

}  // namespace keygate::test
