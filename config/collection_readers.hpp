// Readers of several values: lists, maps of names that the file chooses itself, and their likes.
#pragma once

#include "config/reader.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace keygate::config {

template <class V>
Reader<std::vector<V>> list_of(Reader<V> item) {
  std::string schema = schema_of_list(item.schema);
  return {"a list",
          [item = std::move(item)](const Value& value) -> std::optional<std::vector<V>> {
            if (!value.is_list()) {
              value.refuse("a list", value.is_scalar() ? "put it in brackets" : "begin each of its items with \"- \"");
              return std::nullopt;
            }
            std::vector<V> result;
            const auto items = value.items();
            if (items.empty()) value.complain("the list is empty");
            for (const auto& one : items) {
              if (auto read = item.read(one)) result.push_back(std::move(*read));
            }
            return result;
          },
          false, std::move(schema)};
}

// A scalar stands for a list of one.
template <class V>
Reader<std::vector<V>> list_or_one(Reader<V> item) {
  auto list = list_of(item);
  return {item.form + ", or a list",
          [item, list](const Value& value) -> std::optional<std::vector<V>> {
            if (value.is_list()) return list.read(value);
            auto read = item.read(value);
            if (!read) return std::nullopt;
            std::vector<V> result;
            result.push_back(std::move(*read));
            return result;
          },
          false, schema_of_any({item.schema, list.schema})};
}

// A map of names that the file chooses itself.
template <class V>
Reader<std::vector<std::pair<Located<std::string>, V>>> map_of(Reader<V> item) {
  using Pairs = std::vector<std::pair<Located<std::string>, V>>;
  std::string schema = schema_of_map(item.schema);
  return {"a map",
          [item = std::move(item)](const Value& value) -> std::optional<Pairs> {
            if (!value.is_map()) {
              value.refuse("a map", value.is_null() ? "" : "write NAME: VALUE, without dashes or brackets");
              return std::nullopt;
            }
            Pairs result;
            const auto members = value.members();
            if (members.empty()) value.complain("the map is empty");
            for (const auto& member : members) {
              if (auto read = item.read(member.value)) result.emplace_back(member.key, std::move(*read));
            }
            return result;
          },
          false, std::move(schema)};
}

}  // namespace keygate::config
