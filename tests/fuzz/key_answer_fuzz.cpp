// Answers of key services, in every dialect: yes is only what says yes to the letter, and then every word of it is
// where the dialect has it; no is only what says no; all else is no answer, with a reason that tells nothing of the
// key's. Input: "STATUS CONTENT-TYPE", a line feed, and the body.
#include "keys/dialect.hpp"
#include "tests/fuzz/key_dialects.hpp"
#include "tests/fuzz/naive_json.hpp"
#include "tests/fuzz/probe.hpp"
#include "tests/fuzz/strict_head.hpp"

#include <algorithm>
#include <string>
#include <variant>

namespace keygate::fuzz {
namespace {

using keys::AnswerFlaw;
using policy::KeyAnswer;
using policy::Principal;
using State = KeyAnswer::State;

constexpr std::string_view secret = "kg_test_0123456789";

struct Answer {
  std::string status;
  std::string_view content_type;
  std::string_view body;
};

Answer answer_in(std::string_view input) {
  const auto line = input.substr(0, input.find('\n'));
  const auto blank = std::min(line.find(' '), line.size());
  return {std::string(line.substr(0, blank)), line.substr(std::min(blank + 1, line.size())),
          input.substr(std::min(line.size() + 1, input.size()))};
}

bool is_json(std::string_view content_type) {
  std::string type = lower(content_type.substr(0, content_type.find(';')));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.pop_back();
  return type == "application/json" || (type.ends_with("+json") && type != "+json");
}

void check_flaw(const AnswerFlaw& flaw) {
  hold(flaw.error == keys::errc::invalid_answer || flaw.error == keys::errc::unavailable, "no answer is one of two");
  hold(!flaw.text.empty(), "and says why");
  hold(flaw.text.find(secret) == std::string::npos, "and not what was asked about");
  for (const char c : flaw.text) hold(c >= 0x20 && c < 0x7f, "in one line");
}

void hold_identity(const std::string& is, const Json* written, bool is_needed, std::string_view what) {
  if (written == nullptr) {
    hold(!is_needed, "an identity that is needed is there");
    return hold(is.empty(), "an identity that is not there is none");
  }
  hold(written->is(Json::Kind::string) && policy::is_identity_value(is), "an identity is one");
  hold_equal(is, written->text, what);
  hold(is.find(secret) == std::string::npos, "the credential is no identity");
}

void check_scopes(const Dialect& dialect, const Principal& principal, const Json* written) {
  if (written == nullptr) return hold(principal.granted == dialect.default_scopes, "no scopes but the session's");
  const auto due = dialect.scopes_in(*written);
  hold(due.has_value(), "scopes stand there as the dialect has them");
  hold(principal.granted == *due, "and are the ones that are granted");
  hold(due->size() <= policy::max_granted, "and not too many");
  for (const std::string& scope : *due) {
    hold(!scope.empty() && scope.size() <= 128, "a scope is a word");
    for (const char c : scope) hold(c > 0x20 && c < 0x7f && c != '"' && c != '\\', "of the characters of RFC 6749");
  }
}

void check_expiry(const Dialect& dialect, const Principal& principal, const Json* written) {
  hold(principal.expires_at.has_value() == (written != nullptr), "it expires where the answer says so");
  if (written == nullptr) return;
  hold(*principal.expires_at > 0 && *principal.expires_at <= 253'402'300'799, "in this era");
  if (written->is(Json::Kind::string))
    return hold(dialect.takes_time_text, "a time is text where the dialect has that");
  hold(dialect.time_unit > 0 && written->integer().has_value(), "a time is a whole number");
  hold(*principal.expires_at == *written->integer() / dialect.time_unit, "and the one that stands there");
}

void check_valid(const Dialect& dialect, const Principal& principal, const Json& document) {
  hold(document.is(Json::Kind::object), "a yes is an object");
  if (!dialect.valid.empty()) {
    const Json* const valid = find(document, {dialect.valid});
    hold(valid != nullptr && valid->is(Json::Kind::boolean) && valid->is_true, "a yes is the word true");
  }
  const Json* const code = find(document, {dialect.code});
  hold(code == nullptr || !dialect.state_of(code->text), "a yes has no reason to refuse");
  hold_identity(principal.key_id, find(document, dialect.key_id), dialect.needs_key_id, "the key's ID");
  hold_identity(principal.organization, find(document, dialect.organization), dialect.needs_organization,
                "the organization");
  hold_identity(principal.user, find(document, dialect.user), dialect.needs_user, "the user");
  check_scopes(dialect, principal, find(document, {dialect.scopes}));
  check_expiry(dialect, principal, find(document, {dialect.expires_at}));
  const Json* const environment = find(document, {dialect.environment});
  hold_equal(policy::to_string(principal.environment), environment == nullptr ? "" : environment->text,
             "the environment");
}

void check_refusal(const Dialect& dialect, const KeyAnswer& answer, const Json& document) {
  hold(answer.principal.organization.empty() && answer.principal.user.empty() && answer.principal.granted.empty(),
       "who is refused is nobody");
  if (dialect.valid.empty()) return hold(document.is(Json::Kind::null), "a no without a word for it is null");
  const Json* const valid = find(document, {dialect.valid});
  hold(valid != nullptr && valid->is(Json::Kind::boolean) && !valid->is_true, "a no is the word false");
  const Json* const code = find(document, {dialect.code});
  const auto due = code == nullptr || code->text.empty() ? std::optional(State::unknown) : dialect.state_of(code->text);
  hold(due == answer.state, "and the reason is the one that is given");
}

void check(const Dialect& dialect, const Answer& answer, unsigned status) {
  const auto result =
      keys::read_answer(dialect.mapping, {status, answer.content_type, answer.body}, keys::SecretView(secret));
  if (const auto* const flaw = std::get_if<AnswerFlaw>(&result)) return check_flaw(*flaw);
  hold_equal(status, 200, "only 200 is an answer");
  hold(is_json(answer.content_type), "only JSON is an answer");
  const auto document = naive_json(answer.body, 8);
  hold(document.has_value(), "an answer is JSON without a member twice, of eight levels at most");
  const auto& found = std::get<KeyAnswer>(result);
  if (found.state == State::valid) {
    check_valid(dialect, found.principal, *document);
  } else {
    check_refusal(dialect, found, *document);
  }
}

}  // namespace

void probe(std::string_view input) {
  const Answer answer = answer_in(input);
  const bool is_number =
      answer.status.size() == 3 && answer.status.find_first_not_of("0123456789") == std::string::npos;
  const unsigned status = is_number ? static_cast<unsigned>(std::stoul(answer.status)) : 0;
  for (const Dialect& dialect : dialects()) check(dialect, answer, status);
}

}  // namespace keygate::fuzz
