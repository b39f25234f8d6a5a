#include "policy/criteria_text.hpp"

namespace keygate::policy {
namespace {

using Kind = PathTemplate::Segment::Kind;

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace

std::string host_text(const RouteTable::Entry& criteria) {
  std::vector<std::string> words;
  for (const auto& host : criteria.hosts) words.push_back((host.is_wildcard ? "*." : "") + host.name);
  return words.empty() ? "any host" : joined(words);
}

std::string path_text(const RouteTable::Entry& criteria) {
  std::string text;
  for (const auto& segment : criteria.path.segments) {
    switch (segment.kind) {
      case Kind::literal:
        text += '/' + segment.text;
        break;
      case Kind::parameter:
        text += "/{" + segment.text + '}';
        break;
      case Kind::rest:
        text += "/{" + segment.text + "...}";
        break;
    }
  }
  return text.empty() ? "/" : text;
}

std::string method_text(const RouteTable::Entry& criteria) {
  std::vector<std::string> words;
  for (std::size_t number = 0; number < method_count; ++number) {
    const auto method = static_cast<Method>(number);
    if (criteria.methods.has(method)) words.emplace_back(to_string(method));
  }
  return words.empty() ? "any method" : joined(words);
}

std::string header_text(const HeaderCondition& condition) { return condition.name + ": " + condition.value; }

std::string place_text(const config::Position& where) {
  const auto line = std::to_string(where.line);
  return where.file ? *where.file + ':' + line : "line " + line;
}

std::string name_and_place(const Route& route) { return route.name + " at " + place_text(route.where); }

std::string list_text(const std::vector<std::string>& words, std::string_view last) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? ' ' + std::string(last) + ' ' : std::string(", ");
    text += words[i];
  }
  return text;
}

}  // namespace keygate::policy
