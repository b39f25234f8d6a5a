// What a value may be, as data: readers, and the table of keys that drives the reading of a map.
// Every key of the configuration is one row of one such table, so whatever describes the format can walk them too.
#pragma once

#include "config/json_schema.hpp"
#include "config/value.hpp"

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace keygate::config {

template <class V>
struct Reader {
  std::string form;                                    // what it takes, in words: "a size from 4KiB to 256KiB"
  std::function<std::optional<V>(const Value&)> take;  // nullopt: it has complained
  bool takes_null = false;                             // else an empty value is refused before `take` is asked
  std::string schema{};                                // what it takes, as JSON Schema; empty: anything

  std::optional<V> read(const Value& value) const {
    if (!value.is_null() || takes_null) return take(value);
    value.refuse(form);
    return std::nullopt;
  }
};

enum class Presence { optional, required, misplaced };

template <class T>
struct Key {
  std::string name;
  std::string description;
  Presence presence = Presence::optional;
  std::function<void(const Value&, T&)> fill;  // overwrites the part of T that the key stands for
  std::string schema{};                        // of its value
};

template <class T>
using Table = std::vector<Key<T>>;

template <class T, class V, class Set>
Key<T> key_set_by(std::string name, Reader<V> reader, Set set, std::string description) {
  std::string schema = reader.schema;
  return {std::move(name), std::move(description), Presence::optional,
          [reader = std::move(reader), set](const Value& value, T& target) {
            if (auto read = reader.read(value)) set(target, std::move(*read));
          },
          std::move(schema)};
}

template <class T, class M, class V>
Key<T> key(std::string name, M T::*member, Reader<V> reader, std::string description) {
  return key_set_by<T>(
      std::move(name), std::move(reader),
      [member](T& target, V&& value) { target.*member = static_cast<M>(std::move(value)); }, std::move(description));
}

template <class T>
Key<T> required(Key<T> key) {
  key.presence = Presence::required;
  return key;
}

// What is likely to be looked for here and stands elsewhere: refused, with that place.
template <class T>
Key<T> misplaced(std::string name, std::string hint) {
  return {std::move(name), std::move(hint), Presence::misplaced, {}};
}

// Checked and let go: the only value it may have in this version is the one that changes nothing.
template <class T, class V>
Key<T> idle(std::string name, Reader<V> reader, std::string description) {
  return key_set_by<T>(
      std::move(name), std::move(reader), [](T&, V&&) {}, std::move(description));
}

// did you mean "scopes"? Or nothing, where no known word is near.
std::string suggestion(const std::string& word, const std::vector<std::string>& known);

struct KeyFacts {
  std::string name;
  Presence presence = Presence::optional;
  std::string hint{};  // of one that is misplaced
};

// Complains of what is unknown, misplaced or missing, and of a value that is no map. True: it is a map.
bool check_keys(const Value& value, const std::vector<KeyFacts>& known);

template <class T>
bool fill_from(const Table<T>& table, const Value& value, T& target) {
  std::vector<KeyFacts> known;
  for (const auto& key : table) known.push_back({key.name, key.presence, key.description});
  if (!check_keys(value, known)) return false;
  for (const auto& key : table) {
    const auto member = value.member(key.name);
    if (member && key.fill) key.fill(*member, target);
  }
  return true;
}

template <class T>
std::string schema_of_table(const Table<T>& table) {
  std::vector<SchemaKey> keys;
  for (const auto& key : table) {
    if (key.presence == Presence::optional || key.presence == Presence::required) {
      keys.push_back({key.name, key.description, key.schema, key.presence == Presence::required});
    }
  }
  return schema_of_object(keys);
}

// A map with these keys. What was at fault in it keeps its default; the complaint keeps the whole from being used.
template <class T>
Reader<T> object(Table<T> table) {
  std::string schema = schema_of_table(table);
  return {"a map",
          [table = std::move(table)](const Value& value) -> std::optional<T> {
            T result{};
            if constexpr (requires { result.where; }) result.where = value.where();
            const auto errors = value.reading().errors;
            if (!fill_from(table, value, result)) return std::nullopt;
            if constexpr (requires { result.is_whole; }) result.is_whole = value.reading().errors == errors;
            return result;
          },
          false, std::move(schema)};
}

// A map whose keys belong to the surrounding type: `timeouts: {connect: 1s}`.
template <class T>
Key<T> group(std::string name, Table<T> table, std::string description) {
  std::string schema = schema_of_table(table);
  return {std::move(name), std::move(description), Presence::optional,
          [table = std::move(table)](const Value& value, T& target) { fill_from(table, value, target); },
          std::move(schema)};
}

}  // namespace keygate::config
