#include "app/key_call.hpp"

#include "policy/principal.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <iterator>
#include <string_view>
#include <utility>

namespace keygate::app {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using Request = http::request<http::string_body>;

std::string_view view_of(beast::string_view text) { return {text.data(), text.size()}; }

[[noreturn]] void refuse(ApiReason reason, std::string detail = {}) { throw ApiProblem{reason, std::move(detail), {}}; }

// The only field of that name; empty: there is none.
std::string_view only(const Request& request, beast::string_view name) {
  const auto [begin, end] = request.equal_range(name);
  if (begin == end) return {};
  if (std::next(begin) != end) refuse(ApiReason::bad_request, "A header that may stand once stands twice.");
  return view_of(begin->value());
}

std::string_view bearer_token(const Request& request) {
  const std::string_view value = only(request, "Authorization");
  constexpr std::string_view scheme = "bearer ";
  if (value.size() <= scheme.size() || !beast::iequals(value.substr(0, scheme.size()), scheme)) {
    refuse(ApiReason::missing_credential);
  }
  return value.substr(scheme.size());
}

void check_asker(Asker asker, const Operation& operation) {
  switch (asker) {
    case Asker::nobody:
      refuse(ApiReason::invalid_token);
    case Asker::proxy:
      if (!operation.is_for_proxy) refuse(ApiReason::token_not_accepted);
      break;
    case Asker::manager:
      if (!operation.is_for_manager) refuse(ApiReason::token_not_accepted);
      break;
    case Asker::admin:
      break;
  }
}

// The names under which the proxy in front injects them; a configuration may have changed them, or left them out.
void read_behalf(const Request& request, const config::IdentityHeaderSettings& names, OnBehalf& customer) {
  const auto value = [&](const std::string& name) {
    return name.empty() ? std::string() : std::string(only(request, name));
  };
  customer = {value(names.organization), value(names.scopes), value(names.environment), value(names.user),
              value(names.key)};
  if (!policy::is_identity_value(customer.organization)) {
    refuse(ApiReason::wrong_organization, "The proxy does not say for which organization this is.");
  }
}

void read_query(std::string_view target, Call& call) {
  const auto parsed = boost::urls::parse_origin_form({target.data(), target.size()});
  if (!parsed) refuse(ApiReason::bad_request, "The path or query is not well formed.");
  for (const auto& parameter : parsed->params()) {
    std::string* place = nullptr;
    if (parameter.key == "organization_id") place = &call.organization;
    if (parameter.key == "after") place = &call.after;
    if (place == nullptr || !place->empty() || !parameter.has_value || parameter.value.empty()) {
      refuse(ApiReason::bad_request, "The query may have organization_id and after, each once.");
    }
    *place = parameter.value;
  }
}

}  // namespace

std::optional<ApiProblem> head_flaw(const Request& request) {
  const auto flaw = [](std::string detail) { return ApiProblem{ApiReason::bad_request, std::move(detail), {}}; };
  const bool is_1_1 = request.version() >= 11;
  const std::size_t hosts = request.count(http::field::host);
  if (hosts > 1 || (hosts == 0 && is_1_1)) return flaw("A request has one Host header.");
  const std::size_t codings = request.count(http::field::transfer_encoding);
  if (codings == 0) return std::nullopt;
  const bool is_chunked = codings == 1 && beast::iequals(request[http::field::transfer_encoding], "chunked");
  if (is_1_1 && is_chunked && request.count(http::field::content_length) == 0) return std::nullopt;
  return flaw("A body has a Content-Length, or is chunked and nothing else.");
}

std::variant<Judged, Refused> judged(Request& request, const std::shared_ptr<const ApiRules>& rules, std::int64_t now) {
  const std::string_view target = view_of(request.target());
  Found found = find_operation(view_of(request.method_string()), target.substr(0, target.find('?')));
  if (found.operation == nullptr) {
    return Refused{{found.allowed.empty() ? ApiReason::not_found : ApiReason::method_not_allowed, {}, {}},
                   std::move(found.allowed),
                   {}};
  }
  const auto call = std::make_shared<Call>();
  call->id = std::move(found.id);
  try {
    call->asker = rules->tokens.asker_of(bearer_token(request));
    check_asker(call->asker, *found.operation);
    if (call->asker == Asker::manager) read_behalf(request, rules->settings->identity_headers, call->on_behalf);
    read_query(target, *call);
    call->rules = rules;
    call->body = std::move(request.body());
    call->now = now;
    return Judged{found.operation, call};
  } catch (ApiProblem& problem) {
    return Refused{std::move(problem), {}, {found.operation, call}};
  }
}

}  // namespace keygate::app
