#include "app/key_audit.hpp"

#include "policy/principal.hpp"

#include <string_view>

namespace keygate::app {
namespace {

std::string_view word_for(Asker asker) {
  switch (asker) {
    case Asker::nobody:
      return "nobody";
    case Asker::proxy:
      return "proxy";
    case Asker::manager:
      return "manager";
    case Asker::admin:
      break;
  }
  return "admin";
}

std::string member(const boost::json::object& body, std::string_view name) {
  const auto* const value = body.if_contains({name.data(), name.size()});
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

// Of a customer their own, whichever they asked for.
std::string organization_of(const Call& call, const Answer& answer) {
  if (call.asker == Asker::manager) return call.on_behalf.organization;
  const std::string answered = member(answer.body, "organization_id");
  return answered.empty() ? call.organization : answered;
}

// Control characters in a line of the log would be another line.
void add(std::string& line, std::string_view what, std::string_view value) {
  if (!policy::is_identity_value(value)) return;
  line += ", ";
  line += what;
  line += value;
}

}  // namespace

std::optional<std::string> audit_line(const Operation& operation, const Call& call, const Answer& answer) {
  if (operation.is_for_proxy && call.asker == Asker::proxy) return std::nullopt;
  std::string line = std::string(operation.name) + " by " + std::string(word_for(call.asker));
  add(line, "user ", call.on_behalf.user);
  add(line, "with key ", call.on_behalf.key);
  add(line, "organization ", organization_of(call, answer));
  const std::string key = member(answer.body, "key_id");
  add(line, "key ", call.id.empty() ? key : call.id);
  if (!call.id.empty() && key != call.id) add(line, "new key ", key);
  line += ": " + std::to_string(answer.problem ? row(answer.problem->reason).status : answer.status);
  if (answer.problem) line += " " + std::string(row(answer.problem->reason).code);
  return line;
}

}  // namespace keygate::app
