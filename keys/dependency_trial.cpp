#include "keys/dependency_trial.hpp"

#include "keys/digest.hpp"
#include "keys/http_client.hpp"

#include <boost/asio/post.hpp>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <utility>
#include <variant>

namespace keygate::keys {
namespace {

// One that no service has ever given out.
std::shared_ptr<const Secret> made_up_credential() {
  KeyDigest random;
  RAND_bytes(random.bytes.data(), static_cast<int>(random.bytes.size()));
  return std::make_shared<const Secret>(SecretView("keygate-check-" + to_hex(random).substr(0, 32)));
}

std::string flaw_of(const Mapping& mapping, const HttpAnswer& answer, const Secret& credential) {
  if (answer.error) return answer.cause.empty() ? answer.error.message() : answer.cause;
  const ServiceResponse response{answer.response.status, answer.response.content_type, answer.response.body};
  const auto read = read_answer(mapping, response, credential.view());
  if (const auto* const flaw = std::get_if<AnswerFlaw>(&read)) {
    return flaw->text.empty() ? "it answers with status " + std::to_string(answer.response.status) : flaw->text;
  }
  const bool is_valid = std::get<policy::KeyAnswer>(read).state == policy::KeyAnswer::State::valid;
  return is_valid ? "it takes a credential for good that was made up just now" : "";
}

struct RedisTrial {
  std::shared_ptr<RedisConnection> connection;
  TrialDone done;

  void end(std::string flaw) {
    if (const auto last = std::exchange(connection, nullptr)) last->close();
    if (const auto then = std::exchange(done, nullptr)) then(std::move(flaw));
  }
};

}  // namespace

void try_redis(net::io_context& io, const RedisLinkSettings& settings, const std::string& channel, TrialDone done) {
  const auto trial = std::make_shared<RedisTrial>();
  trial->done = std::move(done);
  RedisConnection::Events events;
  events.on_ready = [trial, channel] { trial->connection->send(encode_command({"SUBSCRIBE", channel})); };
  events.on_reply = [trial](const RedisReply& reply) {
    trial->end(reply.is_error() ? "it does not let changes of keys be heard: it says " + reply.text : "");
  };
  events.on_end = [trial](const RedisEnd& end) { trial->end(end.detail); };
  trial->connection = RedisConnection::open(io, std::make_shared<const RedisEndpoint>(settings), std::move(events));
}

void try_service(net::io_context& io, std::shared_ptr<const ServiceAccess> access, CredentialRole role,
                 TrialDone done) {
  const config::ServiceSettings& settings = access->settings;
  const bool is_session = role == CredentialRole::session && settings.session_url;
  const config::ServiceUrl& url = is_session ? *settings.session_url : settings.url;
  const auto mapping = std::make_shared<const Mapping>(make_mapping(settings, role));
  const auto credential = made_up_credential();
  const auto request = make_request(*mapping, credential->view());
  HttpRequestParts parts;
  parts.method = request->method;
  parts.content_type = request->content_type;
  parts.fields = request->fields.view();
  if (request->carries_token) parts.token = access->token;
  parts.body = request->body.view();

  const auto client = std::make_shared<HttpClient>(io, url, url.is_tls ? access->tls : nullptr, HttpLimits());
  client->send(write_http_request(url, parts), settings.timeout,
               [&io, client, access, mapping, credential, then = std::move(done)](HttpAnswer answer) {
                 then(flaw_of(*mapping, answer, *credential));
                 OPENSSL_cleanse(answer.response.body.data(), answer.response.body.size());
                 net::post(io, [client] {});  // it goes once it has returned from here
               });
}

}  // namespace keygate::keys
