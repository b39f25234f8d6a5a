#include "config/reader.hpp"

#include "config/fault.hpp"

#include <algorithm>

namespace keygate::config {
namespace {

// Only names that would be accepted are worth suggesting.
std::vector<std::string> usable(const std::vector<KeyFacts>& known) {
  std::vector<std::string> names;
  for (const auto& key : known) {
    if (key.presence == Presence::optional || key.presence == Presence::required) names.push_back(key.name);
  }
  return names;
}

// token_file where "token" was written; nothing where no name goes on from it, or many do.
std::string longer_names(const std::string& word, const std::vector<std::string>& names) {
  constexpr std::size_t most_named = 3;
  std::string hint;
  std::size_t count = 0;
  for (const auto& name : names) {
    if (!name.starts_with(word + '_')) continue;
    hint += (count == 0 ? "" : " or ") + quoted(name);
    ++count;
  }
  return count == 0 || count > most_named ? "" : "did you mean " + hint + "?";
}

// The nearest name, or all of them where none is near and they are few.
std::string suggested_key(const std::string& word, const std::vector<std::string>& names) {
  constexpr std::size_t most_listed = 12;
  if (auto longer = longer_names(word, names); !longer.empty()) return longer;
  if (auto near = suggestion(word, names); !near.empty()) return near;
  if (names.empty() || names.size() > most_listed) return {};
  std::string list = "known here: ";
  for (const auto& name : names) list += (&name == &names.front() ? "" : ", ") + name;
  return list;
}

void check_key(const Value& value, const Value::Member& member, const std::vector<KeyFacts>& known) {
  const auto& name = member.key.value;
  const auto found =
      std::find_if(known.begin(), known.end(), [&name](const KeyFacts& key) { return key.name == name; });
  const auto equals = name.find('=');
  if (found == known.end() && equals != name.npos) {  // what follows may be a password
    value.complain_at(member.key.where, "unknown key " + quoted(name.substr(0, equals) + "=..."), "write KEY: VALUE");
  } else if (found == known.end()) {
    value.complain_at(member.key.where, "unknown key " + quoted(name), suggested_key(name, usable(known)));
  } else if (found->presence == Presence::misplaced) {
    value.complain_at(member.key.where, "unknown key " + quoted(name), found->hint);
  }
}

// {path: ...}, of the keys that have to be there, or of the first that may.
std::string map_form(const std::vector<KeyFacts>& known) {
  std::string keys;
  for (const auto& key : known) {
    if (key.presence == Presence::required) keys += (keys.empty() ? "" : ", ") + key.name + ": ...";
  }
  const auto first =
      std::find_if(known.begin(), known.end(), [](const KeyFacts& key) { return key.name != "version"; });
  if (keys.empty() && first != known.end()) keys = first->name + ": ...";
  return "write {" + keys + "}";
}

}  // namespace

std::string suggestion(const std::string& word, const std::vector<std::string>& known) {
  const auto near = nearest_word(word, known);
  return near.empty() ? "" : "did you mean " + quoted(near) + "?";
}

bool check_keys(const Value& value, const std::vector<KeyFacts>& known) {
  if (!value.is_map()) {
    value.refuse("a map", value.is_null() ? "" : map_form(known));
    return false;
  }
  for (const auto& member : value.members()) {
    if (value.reading().errors >= max_errors) break;  // the search for near names is what would cost
    check_key(value, member, known);
  }
  for (const auto& key : known) {
    if (key.presence == Presence::required && !value.member(key.name)) value.complain(quoted(key.name) + " is missing");
  }
  return true;
}

}  // namespace keygate::config
