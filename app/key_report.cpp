#include "app/key_report.hpp"

#include "app/keys_print.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <ostream>
#include <string_view>

namespace keygate::app {

namespace json = boost::json;

namespace {

bool contains(const std::vector<std::string>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

// A route that takes any of several scopes names all of them; those that the key does not hold did not let it through.
bool may_hold(const keys::StoredKey& key, const std::string& scope, const policy::Catalogue* catalogue,
              const policy::Held& held) {
  if (catalogue == nullptr) return true;
  const auto number = catalogue->find(scope);
  return number ? held.set.has(*number) : contains(key.scopes, scope);
}

bool is_implied_by_another(const std::string& scope, const std::vector<std::string>& all,
                           const policy::Catalogue& catalogue) {
  const auto number = catalogue.find(scope);
  if (!number) return false;
  return std::ranges::any_of(all, [&](const std::string& other) {
    const auto by = other == scope ? std::nullopt : catalogue.find(other);
    return by && catalogue[*by].implied.has(*number);
  });
}

json::array array_of(const std::vector<std::string>& words) {
  json::array array;
  for (const std::string& word : words) array.emplace_back(word);
  return array;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
  return text.empty() ? "-" : text;
}

}  // namespace

KeyNeeds needs_of(const keys::UsedKey& used, const policy::Catalogue* catalogue) {
  const policy::Held held = catalogue != nullptr ? catalogue->expand(used.key.scopes) : policy::Held{};
  std::vector<std::string> decided;
  for (const auto& [scope, at] : used.required) {
    if (may_hold(used.key, scope, catalogue, held)) decided.push_back(scope);
  }
  KeyNeeds needs;
  for (const std::string& scope : decided) {
    if (catalogue == nullptr || !is_implied_by_another(scope, decided, *catalogue)) needs.needed.push_back(scope);
  }
  for (const std::string& scope : used.key.scopes) {
    if (!contains(needs.needed, scope)) needs.spare.push_back(scope);
  }
  return needs;
}

json::object report_json(const keys::UsedKey& used, const policy::Catalogue* catalogue, std::int64_t now) {
  const KeyNeeds needs = needs_of(used, catalogue);
  json::array required;
  for (const auto& [scope, at] : used.required) {
    json::object one;
    one["scope"] = scope;
    one["last_at"] = rfc3339(at);
    required.push_back(std::move(one));
  }
  json::object object = to_json(used.key, now);
  object["required"] = std::move(required);
  object["needed"] = array_of(needs.needed);
  object["spare"] = array_of(needs.spare);
  return object;
}

void print_report(std::ostream& out, const std::vector<ReportLine>& lines) {
  for (const ReportLine& line : lines) {
    out << line.key_id << "  " << line.organization << (line.name.empty() ? "" : "  \"" + line.name + "\"") << '\n';
    out << "  granted: " << joined(line.granted) << '\n';
    if (line.last_used.empty()) {
      out << "  needs:   nothing so far: it has never been used\n";
    } else {
      out << "  needs:   " << joined(line.needed) << "  (last used " << line.last_used << ")\n";
    }
  }
}

}  // namespace keygate::app
