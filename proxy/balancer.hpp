// Which of an upstream's endpoints the next request goes to. Pure: what is to be known of them is passed in.
#pragma once

#include "config/settings.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace keygate::proxy {

struct Standing {
  bool is_sick = false;    // its health check says so: never chosen
  bool is_out = false;     // ejected: only where nobody else is left
  bool was_tried = false;  // by this request: only where nobody else is left that is not ejected
  std::size_t busy = 0;    // connections in use
};

class Balancer {
 public:
  // `seed`: where the round begins, and what is drawn; other workers should have another.
  Balancer(config::Balance how, std::uint64_t seed) : how_(how), state_(seed | 1U), turn_(seed >> 32U) {}

  // By its number; nullopt: all are sick.
  std::optional<std::size_t> choose(std::span<const Standing> all);

 private:
  std::size_t draw(std::size_t below);

  config::Balance how_;
  std::uint64_t state_;
  std::size_t turn_;
};

}  // namespace keygate::proxy
