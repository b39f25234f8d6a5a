// How is a criterion of a route said, and the place where it is written? For explain and what shows it.
#pragma once

#include "policy/explain.hpp"

#include <string>

namespace keygate::policy {

std::string host_text(const RouteTable::Entry& criteria);    // "api.example.com, *.example.com"; "any host"
std::string path_text(const RouteTable::Entry& criteria);    // "/api/{org}/{rest...}"
std::string method_text(const RouteTable::Entry& criteria);  // "GET, HEAD"; "any method"
std::string header_text(const HeaderCondition& condition);   // "x-beta: true"

// "memories-read at policy.yaml:24"
std::string name_and_place(const Route& route);

// "policy.yaml:24"
std::string place_text(const config::Position& where);

// "a", "a and b", "a, b and c"; `last` stands for "and".
std::string list_text(const std::vector<std::string>& words, std::string_view last = "and");

}  // namespace keygate::policy
