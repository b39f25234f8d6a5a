// The explain form of the admin page: the same engine as `keygate explain`, on the policy in force.
#include "app/admin_api.hpp"
#include "app/explain_paper.hpp"
#include "app/explain_request.hpp"
#include "app/explained.hpp"
#include "app/keys_place.hpp"
#include "app/stated_record.hpp"

#include <boost/asio/ip/address_v4.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace keygate::app {

namespace json = boost::json;

namespace {

constexpr std::array<std::string_view, 9> members{"method", "url",         "scopes",    "organization", "user",
                                                  "key_id", "environment", "anonymous", "headers"};

std::optional<std::string> text(const json::object& question, std::string_view name) {
  const auto* const value = question.if_contains(json::string_view(name.data(), name.size()));
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (!value->is_string()) throw Refusal{2, "\"" + std::string(name) + "\" has to be text"};
  return std::string(value->get_string().data(), value->get_string().size());
}

std::optional<std::vector<std::string>> texts(const json::object& question, std::string_view name) {
  const auto* const value = question.if_contains(json::string_view(name.data(), name.size()));
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (!value->is_array()) throw Refusal{2, "\"" + std::string(name) + "\" has to be a list of texts"};
  std::vector<std::string> all;
  for (const json::value& one : value->get_array()) {
    if (!one.is_string()) throw Refusal{2, "\"" + std::string(name) + "\" has to be a list of texts"};
    all.emplace_back(one.get_string().data(), one.get_string().size());
  }
  return all;
}

void refuse_strangers(const json::object& question) {
  for (const auto& member : question) {
    const std::string_view name(member.key().data(), member.key().size());
    if (std::find(members.begin(), members.end(), name) == members.end()) {
      throw Refusal{2, "there is no member \"" + harmless(name) + "\""};
    }
  }
}

StatedRecord record_in(const json::object& question) {
  StatedRecord record;
  record.organization = text(question, "organization");
  record.user = text(question, "user");
  record.key_id = text(question, "key_id");
  record.scopes = texts(question, "scopes");
  if (const auto environment = text(question, "environment")) {
    if (*environment != "live" && *environment != "test") throw Refusal{2, "\"environment\" has to be live or test"};
    record.environment = *environment == "live" ? policy::Environment::live : policy::Environment::test;
  }
  return record;
}

bool is_anonymous(const json::object& question, const StatedRecord& record) {
  const auto* const value = question.if_contains("anonymous");
  const bool is_said = value != nullptr && !value->is_null();
  if (is_said && !value->is_bool()) throw Refusal{2, "\"anonymous\" has to be true or false"};
  if (is_said && value->get_bool() && record.says_something()) {
    throw Refusal{2, "an anonymous request has no key: leave out what its key would be"};
  }
  return is_said ? value->get_bool() : !record.says_something();
}

}  // namespace

json::object explain_json(const proxy::Snapshot& in_force, const json::object& question) {
  refuse_strangers(question);
  const auto method = text(question, "method");
  const auto url = text(question, "url");
  if (!method || !url) throw Refusal{2, "say what is asked for: {\"method\": \"GET\", \"url\": \"/v1/x\"}"};
  const StatedRecord record = record_in(question);
  // A snapshot of its own: the tokens that upstreams are sent, and admin secrets, are not for everybody who may look.
  const proxy::Snapshot snapshot(in_force.generation, in_force.settings, in_force.policy,
                                 keys::stand_in_secrets(*in_force.settings));
  const config::Settings& settings = *snapshot.settings;
  AskedRequest request = asked_request(*method, *url, default_host(settings),
                                       texts(question, "headers").value_or(std::vector<std::string>{}));
  std::vector<std::string> notes;
  if (!is_anonymous(question, record)) {
    record_of(record, "");  // a slip is told whether or not it comes to matter
    const SampleKey sample = sample_key(settings.credentials, record.environment);
    request = with_key(std::move(request), settings.credentials, keys::SecretView(sample.text));
    if (!record.environment && sample.environment != policy::Environment::none) {
      notes.push_back("a " + std::string(policy::to_string(sample.environment)) + " key is assumed");
    }
  }
  proxy::Rehearsal rehearsal(snapshot, head_of(request), boost::asio::ip::address_v4::loopback(), request.is_secure);
  std::optional<policy::KeyAnswer> answer;
  if (rehearsal.needs_answer() && rehearsal.caller().kind != policy::CredentialKind::session &&
      record.says_something()) {
    answer = record_of(record, "");
  }
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  rehearsal.judge(std::move(answer), std::chrono::duration_cast<std::chrono::seconds>(now).count());
  return to_json(explained(rehearsal, harmless(*method), harmless(*url), std::move(notes)));
}

}  // namespace keygate::app
