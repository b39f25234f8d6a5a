#include "config/cases.hpp"

#include "config/collection_readers.hpp"
#include "config/scalar_readers.hpp"
#include "config/source_text.hpp"

#include <utility>
#include <variant>

namespace keygate::config {
namespace {

using Kind = CaseCaller::Kind;
using State = CaseCaller::State;

Reader<Environment> environment() {
  return one_of<Environment>({{"live", Environment::live}, {"test", Environment::test}});
}

Reader<State> state() {
  return one_of<State>({{"valid", State::valid},
                        {"unknown", State::unknown},
                        {"revoked", State::revoked},
                        {"disabled", State::disabled},
                        {"expired", State::expired},
                        {"unavailable", State::unavailable}});
}

template <Kind kind>
Reader<CaseCaller> caller() {
  using C = CaseCaller;
  const auto map = object<C>({
      key("scopes", &C::scopes, list_or_one(text()), "what it was granted"),
      key("organization", &C::organization, text(), "whose it is"),
      key("user", &C::user, text(), "the user who holds it"),
      key("key_id", &C::key_id, text(), "its id"),
      key("environment", &C::environment, environment(), "live or test"),
      key("state", &C::state, state(), "what is found out of it"),
  });
  const std::string form = "a map that says whose it is, or what is found out of it: unknown, revoked…";
  return {form, [form, map, word = state()](const Value& value) -> std::optional<C> {
            std::optional<C> read;
            if (value.is_map()) {
              read = map.read(value);
            } else if (value.is_list()) {
              value.refuse(form);
            } else if (const auto found = word.read(value)) {
              read = C{};
              read->state = *found;
            }
            if (read) read->kind = kind;
            return read;
          }};
}

// "GET /v1/x": a method and a URL.
struct RequestLine {
  std::string method, url;
};

Parsed<RequestLine> parse_request_line(const std::string& written) {
  const std::size_t blank = written.find(' ');
  if (blank == std::string::npos || blank == 0 || blank + 1 == written.size() ||
      written.find(' ', blank + 1) != std::string::npos) {
    return Fault{quoted(written) + " is no request", "write a method and a path: GET /v1/projects"};
  }
  return RequestLine{written.substr(0, blank), written.substr(blank + 1)};
}

// A name, and text or null.
Reader<std::vector<std::pair<Located<std::string>, std::optional<std::string>>>> expected_headers() {
  Reader<std::optional<std::string>> one{
      "text, or null where there is to be no such header",
      [any = text()](const Value& value) -> std::optional<std::optional<std::string>> {
        if (value.is_null()) return std::make_optional<std::optional<std::string>>();
        auto read = any.read(value);
        if (!read) return std::nullopt;
        return std::make_optional<std::optional<std::string>>(std::move(read));
      },
      true};
  return map_of(one);
}

Reader<CaseExpectation> expectation() {
  using E = CaseExpectation;
  return then(object<E>({
                  key("status", &E::status, whole_number(100, 599), "of a denial, or 204 of a preflight"),
                  key("code", &E::code, text(), "of docs/errors.md; ok: granted"),
                  key("path", &E::path, text(), "that is matched and sent, without the query"),
                  key("route", &E::route, text(), "the name of the route that decides"),
                  key("upstream", &E::upstream, text(), "the name of the upstream that it goes to"),
                  key("headers", &E::headers, expected_headers(), "that the upstream is sent; null: it is not"),
              }),
              [](const Value& value, E expected) -> std::optional<E> {
                if (value.members().empty()) value.complain("nothing is expected", "write code: ok, or another code");
                const bool is_granted = !expected.code || *expected.code == "ok";
                const bool is_preflight = expected.status == 204;
                if (expected.status && expected.code && is_granted && !is_preflight) {
                  value.complain("a grant has the status that the upstream gives it", "leave out the status");
                }
                if (!is_granted && (expected.upstream || !expected.headers.empty())) {
                  value.complain("what is denied goes to no upstream", "leave out upstream and headers");
                }
                return expected;
              });
}

Reader<PolicyCase> policy_case() {
  using P = PolicyCase;
  const auto set_caller = [](P& target, CaseCaller&& read) { target.caller = std::move(read); };
  const auto set_admin = [](P& target, std::string&& name) {
    target.caller.kind = Kind::admin;
    target.caller.admin = std::move(name);
  };
  const auto set_request = [](P& target, RequestLine&& line) {
    target.method = std::move(line.method);
    target.url = std::move(line.url);
  };
  return then(object<P>({
                  key("name", &P::name, text(), "what it shows"),
                  required(key_set_by<P>("request", parsed<RequestLine>("a method and a path", parse_request_line),
                                         set_request, "GET /v1/projects, or with http://host before the path")),
                  key("headers", &P::headers, map_of(text()), "that the client sends"),
                  key("from", &P::from, text(), "the address that it comes from"),
                  key("client_subject", &P::client_subject, text(), "of the certificate that the client shows"),
                  key_set_by<P>("key", caller<Kind::key>(), set_caller, "an API key"),
                  key_set_by<P>("session", caller<Kind::session>(), set_caller, "a session"),
                  key_set_by<P>("admin", text(), set_admin, "the name of an admin secret"),
                  required(key("expect", &P::expected, expectation(), "what should become of it")),
              }),
              [](const Value& value, P one) -> std::optional<P> {
                int callers = 0;
                for (const char* const who : {"key", "session", "admin"}) callers += value.member(who) ? 1 : 0;
                if (callers > 1) value.complain("there is one caller: a key, a session or an admin secret");
                return one;
              });
}

struct CaseFile {
  std::vector<PolicyCase> cases;
};

Reader<CaseFile> case_file() {
  return object<CaseFile>({required(key("cases", &CaseFile::cases, list_of(policy_case()), "requests to try"))});
}

}  // namespace

CaseTable read_cases(std::string_view yaml, const std::string& name) {
  Reading reading{std::make_shared<const std::string>(name), process_environment, {}};
  CaseTable table;
  auto document = read_yaml(yaml, reading.file);
  reading.problems = std::move(document.problems);
  if (document.root) {
    if (auto read = case_file().read(Value(*document.root, reading))) table.cases = std::move(read->cases);
  }
  table.problems = std::move(reading.problems);
  sort_by_place(table.problems);
  return table;
}

CaseTable load_cases(const std::string& path) {
  const auto source = read_source(path);
  if (const auto* text = std::get_if<std::string>(&source)) return read_cases(*text, path);
  Problem problem;
  problem.where.file = std::make_shared<const std::string>(path);
  problem.message = std::get<Fault>(source).message;
  problem.hint = std::get<Fault>(source).hint;
  return {{}, {std::move(problem)}};
}

}  // namespace keygate::config
