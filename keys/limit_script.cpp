#include "keys/limit_script.hpp"

#include <algorithm>

namespace keygate::keys {

namespace {

constexpr std::string_view own_clock = R"(
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
)";

constexpr std::string_view passed_in = R"(
local now = tonumber(ARGV[#ARGV])
)";

// Numbers go through %.0f: left to itself, Lua writes a time of today with an exponent, and cuts it short.
constexpr std::string_view count = R"(
local day = 86400000000
local today = math.floor(now / day)
local counts, has_room = {}, true
for i = 1, #KEYS do
  local limit, interval = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local mark, used = string.match(redis.call('GET', KEYS[i]) or '', '^(%d+) (%d+)$')
  mark, used = tonumber(mark or 0), tonumber(used or 0)
  if interval == 0 then
    if mark ~= today and mark ~= today + 1 then mark, used = today, 0 end
    has_room = has_room and used < limit
  else
    local full = now + interval * limit
    mark, used = math.min(math.max(mark, now), full), 0
    has_room = has_room and mark + interval <= full
  end
  counts[i] = {mark, used, interval}
end
local answer = {has_room and 1 or 0, now}
for i = 1, #KEYS do
  local mark, used, interval = counts[i][1], counts[i][2], counts[i][3]
  if has_room then
    local over = mark + interval
    if interval == 0 then
      used = used + 1
      over = (mark + 1) * day
    else
      mark = over
    end
    local left = math.max(math.ceil((over - now) / 1000), 1)
    redis.call('SET', KEYS[i], string.format('%.0f %.0f', mark, used), 'PX', string.format('%.0f', left))
  end
  answer[#answer + 1] = mark
  answer[#answer + 1] = used
end
return answer
)";

}  // namespace

const RedisScript& limit_script() {
  static const RedisScript script = make_script(std::string(own_clock) + std::string(count));
  return script;
}

std::string limit_script_with_time_passed_in() { return std::string(passed_in) + std::string(count); }

std::string limit_name(std::string_view name_space, const KeyDigest& counter) {
  return std::string(name_space) + "keygate:v1:limit:" + to_hex(counter);
}

std::vector<std::string> limit_arguments(std::span<const LimitUse> uses) {
  std::vector<std::string> arguments;
  for (const LimitUse& use : uses) {
    arguments.push_back(std::to_string(use.limit.limit));
    arguments.push_back(std::to_string(use.limit.is_daily() ? 0 : use.limit.interval()));
  }
  return arguments;
}

std::optional<LimitAnswer> read_limit_answer(const RedisReply& reply, std::size_t counts) {
  constexpr std::size_t head = 2;
  if (reply.type != RedisReply::Type::array || reply.elements.size() != head + 2 * counts) return std::nullopt;
  constexpr std::int64_t end_of_time = 1LL << 53;  // what a number of Lua holds to the last digit
  const bool is_fit = std::ranges::all_of(reply.elements, [](const RedisReply& element) {
    return element.type == RedisReply::Type::integer && element.integer >= 0 && element.integer <= end_of_time;
  });
  if (!is_fit || reply.elements[0].integer > 1) return std::nullopt;
  LimitAnswer answer{reply.elements[0].integer == 1, reply.elements[1].integer, {}};
  for (std::size_t at = head; at < reply.elements.size(); at += 2) {
    answer.counts.push_back({reply.elements[at].integer, reply.elements[at + 1].integer});
  }
  return answer;
}

}  // namespace keygate::keys
