#include "proxy/balancer.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace keygate::proxy {
namespace {

constexpr unsigned never = std::numeric_limits<unsigned>::max();

unsigned rank(const Standing& one) { return one.is_sick ? never : (one.is_out ? 2U : 0U) + (one.was_tried ? 1U : 0U); }

}  // namespace

// xorshift64*
std::size_t Balancer::draw(std::size_t below) {
  state_ ^= state_ >> 12U;
  state_ ^= state_ << 25U;
  state_ ^= state_ >> 27U;
  return static_cast<std::size_t>((state_ * 0x2545F4914F6CDD1DULL) >> 33U) % below;
}

std::optional<std::size_t> Balancer::choose(std::span<const Standing> all) {
  unsigned best = never;
  for (const Standing& one : all) {
    best = std::min(best, rank(one));
  }
  if (best == never) {
    return std::nullopt;
  }
  if (how_ == config::Balance::round_robin) {
    while (rank(all[turn_ % all.size()]) != best) {
      ++turn_;
    }
    return turn_++ % all.size();
  }
  std::array<std::uint8_t, config::max_endpoints> able;
  std::size_t count = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (rank(all[i]) == best) {
      able[count++] = static_cast<std::uint8_t>(i);
    }
  }
  const std::size_t first = draw(count);
  if (count == 1) {
    return able[first];
  }
  const std::size_t second = (first + 1 + draw(count - 1)) % count;
  return all[able[first]].busy <= all[able[second]].busy ? able[first] : able[second];
}

}  // namespace keygate::proxy
