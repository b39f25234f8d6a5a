#include "tests/support/session_service.hpp"

#include <boost/json.hpp>

#include <utility>

namespace keygate::test {
namespace {

boost::json::object said_of(const KnownSession& known) {
  boost::json::object answer{{"valid", true}, {"session_id", "session-of-" + known.user}, {"user_id", known.user}};
  if (!known.organization.empty()) answer["organization_id"] = known.organization;
  if (!known.environment.empty()) answer["environment"] = known.environment;
  if (!known.scopes.empty()) answer["scopes"] = boost::json::parse(known.scopes);
  if (known.expires_at != 0) answer["expires_at"] = known.expires_at;
  return answer;
}

}  // namespace

SessionService::SessionService(std::string token)
    : token_(std::move(token)), server_([this](Turn& turn) { answer(turn); }) {}

void SessionService::begin(const std::string& session, KnownSession known) {
  const std::lock_guard lock(mutex_);
  sessions_[session] = std::move(known);
}

void SessionService::end(const std::string& session) {
  const std::lock_guard lock(mutex_);
  sessions_.erase(session);
}

void SessionService::answer(Turn& turn) {
  const std::string body = turn.read_body();
  const bool is_allowed = turn.request().fields["authorization"] == "Bearer " + token_;
  if (!is_allowed || turn.request().target != "/internal/session") {
    turn.answer(401, "");
    return;
  }
  const auto session = std::string(boost::json::parse(body).at("session").as_string());
  boost::json::object said{{"valid", false}, {"code", "unknown"}};
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = sessions_.find(session); found != sessions_.end()) said = said_of(found->second);
  }
  turn.answer(200, boost::json::serialize(said), "Content-Type: application/json\r\n");
}

}  // namespace keygate::test
