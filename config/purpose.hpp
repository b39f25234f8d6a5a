// Who reads a configuration: each needs other parts of the one format.
#pragma once

#include <cstdint>

namespace keygate::config {

enum class Purpose : std::uint8_t {
  proxy,
  key_server,  // forwards nothing, so it needs no upstream and no routes; its keys are in resolution.store
};

}  // namespace keygate::config
