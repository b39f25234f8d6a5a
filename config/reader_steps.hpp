// What may follow the reading of a value: its place is kept with it, or something else is made of it.
#pragma once

#include "config/reader.hpp"

#include <optional>
#include <type_traits>
#include <utility>

namespace keygate::config {

template <class V>
Reader<Located<V>> located(Reader<V> reader) {
  return {reader.form,
          [reader](const Value& value) -> std::optional<Located<V>> {
            auto read = reader.read(value);
            if (!read) return std::nullopt;
            return Located<V>{std::move(*read), value.where()};
          },
          reader.takes_null, reader.schema};
}

// Looks at what was read, with its place, and may complain or make something else of it.
template <class V, class Step>
auto then(Reader<V> reader, Step step) -> Reader<typename std::invoke_result_t<Step, const Value&, V>::value_type> {
  using U = typename std::invoke_result_t<Step, const Value&, V>::value_type;
  return {reader.form,
          [reader, step](const Value& value) -> std::optional<U> {
            auto read = reader.read(value);
            if (!read) return std::nullopt;
            return step(value, std::move(*read));
          },
          reader.takes_null, reader.schema};
}

}  // namespace keygate::config
