#include "keys/redis_health.hpp"

#include "telemetry/log.hpp"

namespace keygate::keys {

namespace {

using telemetry::Level;

// What it means for the operator, after "redis HOST: ".
std::string_view meaning(RedisCondition condition) {
  switch (condition) {
    case RedisCondition::well:
      return "well again";
    case RedisCondition::down:
      return "not reachable, so keys are asked of the key source";
    case RedisCondition::not_ready:
      return "not ready, so keys are asked of the key source";
    case RedisCondition::read_only:
      return "read-only, so nothing is written to it; connecting anew, in case another is the primary now";
    case RedisCondition::denied:
      return "refuses us, so keys are asked of the key source until its user, password or permissions are right";
    case RedisCondition::redirected:
      return "part of a cluster, and cluster mode is not supported: keys are asked of the key source";
  }
  return "";
}

Level level_of(RedisCondition condition) {
  const bool needs_somebody = condition == RedisCondition::denied || condition == RedisCondition::redirected;
  return needs_somebody ? Level::error : Level::warn;
}

}  // namespace

std::string_view to_string(RedisCondition condition) {
  switch (condition) {
    case RedisCondition::well:
      return "well";
    case RedisCondition::down:
      return "down";
    case RedisCondition::not_ready:
      return "not_ready";
    case RedisCondition::read_only:
      return "read_only";
    case RedisCondition::denied:
      return "denied";
    case RedisCondition::redirected:
      return "redirected";
  }
  return "";
}

// Each worker has a link of its own, and all would say the same: log_seldom lets one of them.
void RedisHealth::turn(RedisCondition condition, std::string_view detail) {
  if (condition == condition_) return;
  condition_ = condition;
  std::string line = "redis " + shown_ + ": " + std::string(meaning(condition));
  if (!detail.empty()) line += " (" + std::string(detail) + ")";
  telemetry::log_seldom(level_of(condition), "redis_" + std::string(to_string(condition)), line);
}

}  // namespace keygate::keys
