// Which scopes may a key be granted? Said alike by `keygate keys` and by the key server. Pure.
#pragma once

#include "policy/scopes.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace keygate::app {

enum class Restricted { refused, allowed };
// A near scope costs a look at the whole catalogue.
enum class Hint { unwanted, wanted };

struct ScopeFault {
  enum class Kind { no_scope_name, unlisted, restricted };
  Kind kind = Kind::unlisted;
  std::string sentence;  // names the scope, and a near one where that is wanted and there is one
};

// Why `scope` may not be granted under this catalogue; null: there is none, and only the form is judged.
std::optional<ScopeFault> scope_fault(const policy::Catalogue* catalogue, const std::string& scope,
                                      Restricted restricted, Hint hint = Hint::wanted);

}  // namespace keygate::app
