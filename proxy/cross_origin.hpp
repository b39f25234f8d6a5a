// What is said to browsers whose page is of another origin (Fetch standard, CORS protocol): which requests are
// preflights, which route answers one, and the lines that answers get. Pure. Called by exchange and rehearsal.
#pragma once

#include "policy/cors.hpp"
#include "policy/route_table.hpp"
#include "proxy/request_head.hpp"
#include "proxy/response_head.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace keygate::proxy {

// A browser asks whether a page of `origin` may send a request with `method`. It has no credential with it.
struct Preflight {
  std::string_view origin;
  policy::Method method = policy::Method::get;
};

// An OPTIONS with one Origin and one Access-Control-Request-Method, which is a method that routes can have.
std::optional<Preflight> preflight_of(const RequestHead& head);

// The route that governs the request to come, if it answers preflights; null: this is a request like any other.
// `input` is what the request itself would be matched by.
const policy::Route* answering_route(const policy::RouteTable& table, policy::MatchInput input,
                                     const RequestHead& head);

// The answer's header lines. Without the ones that allow something where `cors` does not allow it: the browser then
// keeps the page from sending its request, and tells it no more than that.
std::string preflight_lines(const policy::Cors& cors, const Preflight& preflight);

// Of any other answer on `route`, which may be null: whole header lines, or nothing. As long-lived as the route.
std::string_view cors_lines(const policy::Route* route, const RequestHead& head);

// Takes the upstream's own Access-Control-* out: a browser takes no answer that has two.
void drop_cors_fields(ResponseHead& response);

// Whether a page of that origin may act as whoever is signed in: `cors` names it, and says `credentials: true`.
bool may_act_from(const policy::Route& route, std::string_view origin, policy::Method method);

}  // namespace keygate::proxy
