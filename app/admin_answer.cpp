#include "app/admin_answer.hpp"

#include "app/keys_place.hpp"
#include "proxy/sockets.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <array>
#include <chrono>
#include <limits>
#include <utility>

namespace keygate::app {

namespace json = boost::json;

namespace {

constexpr std::chrono::seconds survey_limit{2};

struct Call {
  std::string_view method, path;
  bool changes;
};
constexpr std::array<Call, 13> calls{{{"GET", "/", false},
                                      {"GET", "/livez", false},
                                      {"GET", "/readyz", false},
                                      {"GET", "/api/status", false},
                                      {"GET", "/api/routes", false},
                                      {"GET", "/api/decisions", false},
                                      {"GET", "/api/dependencies", false},
                                      {"GET", "/api/config", false},
                                      {"GET", "/api/events", false},
                                      {"POST", "/api/explain", false},
                                      {"POST", "/api/reload", true},
                                      {"POST", "/api/drain", true},
                                      {"POST", "/api/cache/invalidate", true}}};

// What another thread will bring to a call that waits for it.
template <class T>
struct Awaited {
  explicit Awaited(net::io_context& io) : timer(io) { timer.expires_after(survey_limit); }
  void bring(T brought) {
    value = std::move(brought);
    timer.cancel();
  }
  proxy::SteadyTimer timer;
  T value{};
};

AdminAnswer answer_of(const json::object& body, int status = 200) {
  AdminAnswer answer;
  answer.status = status;
  answer.body = json::serialize(body) + "\n";
  return answer;
}

AdminAnswer plain(bool is_well, std::string_view yes, std::string_view no) {
  AdminAnswer answer;
  answer.status = is_well ? 200 : 503;
  answer.type = "text/plain; charset=utf-8";
  answer.body = is_well ? yes : no;
  return answer;
}

AdminAnswer explained_answer(const AdminDesk& desk, const std::string& body) {
  boost::system::error_code error;
  const json::value question = json::parse(body, error);
  if (error || !question.is_object()) return admin_problem(400, "bad_request", "The body has to be a JSON object.");
  try {
    return answer_of(explain_json(*desk.snapshot(), question.get_object()));
  } catch (const Refusal& refusal) {
    return admin_problem(400, "bad_request", refusal.message);
  }
}

AdminAnswer reload_answer(const AdminDesk& desk) {
  if (desk.is_draining()) return admin_problem(409, "draining", "It drains, and reloads no more.");
  if (const auto refused = desk.reload()) return admin_problem(409, "reload_refused", *refused);
  return answer_of({{"generation", desk.figures().generation}});
}

// {"digest": 64 hex digits}, or {"all": true}.
AdminAnswer invalidate_answer(const AdminDesk& desk, const std::string& body) {
  boost::system::error_code error;
  const json::value asked = json::parse(body, error);
  const json::object* const object = error ? nullptr : asked.if_object();
  const auto* const all = object != nullptr ? object->if_contains("all") : nullptr;
  const auto* const digest = object != nullptr ? object->if_contains("digest") : nullptr;
  if (all != nullptr && all->is_bool() && all->get_bool() && object->size() == 1) {
    desk.forget(std::nullopt);
    return answer_of({{"forgotten", "all"}});
  }
  if (digest != nullptr && digest->is_string() && object->size() == 1) {
    const auto read = keys::digest_from_hex({digest->get_string().data(), digest->get_string().size()});
    if (read) {
      desk.forget(*read);
      return answer_of({{"forgotten", digest->get_string()}});
    }
  }
  return admin_problem(400, "bad_request",
                       "Say what is to be forgotten: {\"all\": true}, or {\"digest\": \"64 hex digits\"}.");
}

Awaitable<AdminAnswer> decisions_answer(net::io_context& io, const AdminDesk& desk, std::string query) {
  DecisionFilter filter;
  if (const auto fault = DecisionFilter::read(query, filter)) {
    co_return admin_problem(400, "bad_request", *fault);
  }
  const std::vector<proxy::Recent> recent = co_await surveyed_recent(io, desk, {});
  json::object body;
  body["decisions"] = decisions_json(recent, filter);
  co_return answer_of(body);
}

AdminAnswer not_found(const AdminRequest& request) {
  std::string allow;
  for (const Call& call : calls) {
    if (call.path == request.path) allow += (allow.empty() ? "" : ", ") + std::string(call.method);
  }
  if (allow.empty()) return admin_problem(404, "not_found", "There is nothing here: see / or /api/status.");
  AdminAnswer answer = admin_problem(405, "method_not_allowed", "This can be asked by " + allow + " alone.");
  answer.allow = allow;
  return answer;
}

bool is_known(const AdminRequest& request) {
  for (const Call& call : calls) {
    if (call.path == request.path && call.method == request.method) return true;
  }
  return false;
}

}  // namespace

bool changes_something(std::string_view method, std::string_view path) {
  for (const Call& call : calls) {
    if (call.path == path && call.method == method) return call.changes;
  }
  return false;
}

AdminAnswer admin_problem(int status, std::string_view code, std::string_view detail) {
  json::object body;
  body["type"] = "urn:keygate:admin:" + std::string(code);
  body["status"] = status;
  body["code"] = json::value(code);
  body["detail"] = json::value(detail);
  AdminAnswer answer = answer_of(body, status);
  answer.type = "application/problem+json";
  return answer;
}

Awaitable<std::shared_ptr<const Totals>> surveyed(net::io_context& io, const AdminDesk& desk) {
  const auto awaited = std::make_shared<Awaited<std::shared_ptr<const Totals>>>(io);
  awaited->value = std::make_shared<const Totals>();
  desk.survey.ask(
      [awaited](const Survey::Figures& workers) { awaited->bring(std::make_shared<const Totals>(total_of(workers))); });
  co_await awaited->timer.async_wait(use_tuple);
  co_return awaited->value;
}

Awaitable<std::vector<proxy::Recent>> surveyed_recent(net::io_context& io, const AdminDesk& desk,
                                                      std::vector<std::uint64_t> seen) {
  const auto awaited = std::make_shared<Awaited<std::vector<proxy::Recent>>>(io);
  desk.survey.ask_recent(std::move(seen),
                         [awaited](std::vector<proxy::Recent> recent) { awaited->bring(std::move(recent)); });
  co_await awaited->timer.async_wait(use_tuple);
  co_return std::move(awaited->value);
}

Awaitable<AdminAnswer> admin_answer(net::io_context& io, const AdminDesk& desk, AdminRequest request) {
  const std::string& path = request.path;
  if (!is_known(request)) {
    co_return not_found(request);
  }
  if (path == "/livez") {
    co_return plain(desk.is_live(), "live\n", "an event loop stands still\n");
  }
  if (path == "/readyz") {
    co_return plain(!desk.is_draining(), "ready\n", "draining\n");
  }
  if (path == "/") {
    AdminAnswer page;
    page.type = "text/html; charset=utf-8";
    page.body = admin_page();
    co_return page;
  }
  if (path == "/api/config") {
    co_return answer_of(settings_json(*desk.snapshot()->settings));
  }
  if (path == "/api/explain") {
    co_return explained_answer(desk, request.body);
  }
  if (path == "/api/reload") {
    co_return reload_answer(desk);
  }
  if (path == "/api/drain") {
    desk.drain();
  }
  if (path == "/api/cache/invalidate") {
    co_return invalidate_answer(desk, request.body);
  }
  if (path == "/api/decisions") {
    co_return co_await decisions_answer(io, desk, std::move(request.query));
  }
  if (path == "/api/events") {  // one that may begin does so before it comes here
    DecisionFilter filter;
    const auto fault = DecisionFilter::read(request.query, filter);
    co_return admin_problem(400, "bad_request", fault.value_or("The events cannot be followed."));
  }
  const std::shared_ptr<const Totals> totals = co_await surveyed(io, desk);
  if (path == "/api/routes") {
    co_return answer_of(routes_json(*desk.snapshot(), *totals, std::numeric_limits<std::size_t>::max()));
  }
  if (path == "/api/dependencies") {
    co_return answer_of(dependencies_json(*desk.snapshot(), *totals));
  }
  co_return answer_of(status_json(desk, *totals));  // what a drain answers, too
}

}  // namespace keygate::app
