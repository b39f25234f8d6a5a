#include "proxy/cross_origin.hpp"

namespace keygate::proxy {
namespace {

constexpr std::string_view vary_of_preflight =
    "Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers\r\n";

// The value of the only field of that name; empty where there is none, or more than one.
std::string_view only_value(const RequestHead& head, std::string_view lower_name) {
  std::string_view value;
  bool is_seen = false;
  for (const policy::HeaderField& field : head.headers()) {
    if (!equals_ignoring_case(field.name, lower_name)) {
      continue;
    }
    if (is_seen) {
      return {};
    }
    is_seen = true;
    value = field.value;
  }
  return value;
}

}  // namespace

std::optional<Preflight> preflight_of(const RequestHead& head) {
  if (head.method != policy::Method::options || head.is_asterisk) {
    return std::nullopt;
  }
  const std::string_view origin = only_value(head, "origin");
  const auto method = policy::parse_method(only_value(head, "access-control-request-method"));
  if (origin.empty() || !method) {
    return std::nullopt;
  }
  return Preflight{origin, *method};
}

const policy::Route* answering_route(const policy::RouteTable& table, policy::MatchInput input,
                                     const RequestHead& head) {
  const auto preflight = preflight_of(head);
  if (!preflight) {
    return nullptr;
  }
  input.method = preflight->method;
  const policy::Route* const route = table.match(input);
  return route != nullptr && route->cors ? route : nullptr;
}

std::string preflight_lines(const policy::Cors& cors, const Preflight& preflight) {
  std::string lines(cors.is_any ? std::string_view{} : vary_of_preflight);
  const auto* const origin = cors.find(preflight.origin);
  const bool is_allowed = origin != nullptr && (cors.methods.empty() || cors.methods.has(preflight.method));
  if (!is_allowed) {
    return lines;
  }
  lines += origin->preflight_lines;
  lines += "Access-Control-Allow-Methods: ";
  lines += cors.methods.empty() ? policy::to_string(preflight.method) : std::string_view(cors.methods_text);
  return lines + "\r\n";
}

std::string_view cors_lines(const policy::Route* route, const RequestHead& head) {
  if (route == nullptr || !route->cors) {
    return {};
  }
  if (route->cors->is_any) {
    return route->cors->origins.front().lines;
  }
  const auto* const origin = route->cors->find(only_value(head, "origin"));
  return origin != nullptr ? std::string_view(origin->lines) : policy::vary_by_origin;
}

void drop_cors_fields(ResponseHead& response) {
  constexpr std::string_view family = "access-control-";
  for (std::size_t i = 0; i < response.field_count; ++i) {
    const std::string_view name = response.fields[i].name;
    if (name.size() > family.size() && equals_ignoring_case(name.substr(0, family.size()), family)) {
      response.is_kept[i] = false;
    }
  }
}

bool may_act_from(const policy::Route& route, std::string_view origin, policy::Method method) {
  if (!route.cors || !route.cors->credentials) {
    return false;
  }
  const bool has_method = route.cors->methods.empty() || route.cors->methods.has(method);
  return has_method && route.cors->find(origin) != nullptr;
}

}  // namespace keygate::proxy
