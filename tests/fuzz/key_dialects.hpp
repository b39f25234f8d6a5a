// The dialects of key services as docs/key-service.md has them, written down once more: what the target key_answer
// holds the mappings of keys/dialect against.
#pragma once

#include "keys/dialect.hpp"
#include "tests/fuzz/naive_json.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::fuzz {

// The first of these places that has something other than null. A place is JSON names with slashes between them.
const Json* find(const Json& document, const std::vector<std::string>& places);

struct Dialect {
  using State = policy::KeyAnswer::State;

  keys::Mapping mapping{};
  std::string valid{}, code{};  // empty: there is no such field
  std::vector<std::string> key_id{}, organization{}, user{};
  std::string scopes{}, environment{}, expires_at{};
  bool needs_key_id = false, needs_organization = false, needs_user = false;
  std::vector<std::string> default_scopes{};
  bool takes_scope_list = false, takes_scope_words = false, takes_scope_resources = false;
  std::int64_t time_unit = 0;  // 0: no numbers
  bool takes_time_text = false;
  // nullopt: a refusal that is none for good, and so no answer.
  std::map<std::string, std::optional<State>, std::less<>> reasons{};

  // nullopt: not one of its reasons, or none that is an answer.
  std::optional<State> state_of(std::string_view code) const;
  std::optional<std::vector<std::string>> scopes_in(const Json& written) const;
};

const std::vector<Dialect>& dialects();

}  // namespace keygate::fuzz
