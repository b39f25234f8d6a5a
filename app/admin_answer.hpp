// Which call is this, and what does it answer? Between app/admin_server, which moves bytes, and app/admin_api.
#pragma once

#include "app/admin_api.hpp"
#include "keys/asio.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::app {

struct AdminRequest {
  std::string method, path, query, body;
};

struct AdminAnswer {
  int status = 200;
  std::string type = "application/json";
  std::string body{};
  std::string allow{};  // of a 405
};

// Whether a call to that path with that method changes something.
bool changes_something(std::string_view method, std::string_view path);

Awaitable<AdminAnswer> admin_answer(net::io_context& io, const AdminDesk& desk, AdminRequest request);

AdminAnswer admin_problem(int status, std::string_view code, std::string_view detail);

// The workers' figures together, and what ended since `seen`; waits for them.
Awaitable<std::shared_ptr<const Totals>> surveyed(net::io_context& io, const AdminDesk& desk);
Awaitable<std::vector<proxy::Recent>> surveyed_recent(net::io_context& io, const AdminDesk& desk,
                                                      std::vector<std::uint64_t> seen);

// The page, and what its Content-Security-Policy has to be: the hashes of its one script and one style.
std::string_view admin_page();
const std::string& admin_page_policy();

}  // namespace keygate::app
