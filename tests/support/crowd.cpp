#include "tests/support/crowd.hpp"

#include "tests/support/revoking.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <map>
#include <optional>
#include <random>

namespace keygate::test {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t most_wrongs = 10;
constexpr std::size_t good_ones = 36, doomed_ones = 8, revoked_ones = 3;
constexpr int threads_a_proxy = 2;
constexpr milliseconds pace{2};  // enough load to be at it all the time, on a machine that does other things too

std::int64_t milliseconds_in(const std::string& rfc3339) {
  std::tm parts{};
  unsigned ms = 0;
  if (std::sscanf(rfc3339.c_str(), "%d-%d-%dT%d:%d:%d.%uZ", &parts.tm_year, &parts.tm_mon, &parts.tm_mday,
                  &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &ms) != 7) {
    return 0;
  }
  parts.tm_year -= 1900;
  --parts.tm_mon;
  return std::int64_t{timegm(&parts)} * 1000 + ms;
}

double number_of(const boost::json::object& line, const char* name) {
  const auto* value = line.if_contains(name);
  return value == nullptr ? 0 : value->to_number<double>();
}

}  // namespace

Crowd::Crowd(Fleet& fleet, milliseconds bound) : fleet_(fleet), bound_(bound) {
  for (std::size_t i = 0; i < members_.size(); ++i) {
    Member& member = members_[i];
    member.organization = "org_" + std::to_string(i);
    if (i >= good_ones + doomed_ones + revoked_ones) {
      member.kind = Kind::unknown;
      member.key = {"", "kg_nobody" + std::to_string(10 + i) + "abcdefghijklmnopqrstuvwxyz0123456789"};
      continue;
    }
    member.key = fleet.service.create({.organization = member.organization});
    if (i < good_ones) continue;
    member.kind = i < good_ones + doomed_ones ? Kind::doomed : Kind::revoked;
    if (member.kind == Kind::revoked) fleet.service.revoke(member.key.id);
  }
  next_doomed_ = good_ones;
  for (const auto& proxy : fleet.proxies()) {
    for (int i = 0; i < threads_a_proxy; ++i) {
      threads_.emplace_back(
          [this, port = proxy->port(), seed = threads_.size() + 1] { ask_all(port, static_cast<unsigned>(seed)); });
    }
  }
}

void Crowd::revoke_one() {
  if (next_doomed_ >= good_ones + doomed_ones) return;
  Member& member = members_[next_doomed_++];
  member.revoking_since = Clock::now().time_since_epoch().count();
  member.revoked_since = fleet_.service.revoke(member.key.id).answered.time_since_epoch().count();
  ++revoked_;
}

void Crowd::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
  }
  told_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

std::string Crowd::wait_for_calm(milliseconds limit) const {
  std::string straggler;
  const auto is_calm = [&] {
    for (const auto& proxy : fleet_.proxies()) {
      for (std::size_t i = 0; i < good_ones; ++i) {
        straggler = outcome_at(*proxy, members_[i].key, "/v1/" + std::to_string(i));
        if (straggler != "200 ok") return false;
      }
    }
    straggler.clear();
    return true;
  };
  eventually(is_calm, limit);
  return straggler;
}

std::string Crowd::summary() const {
  return std::to_string(asked_) + " requests: " + std::to_string(grants_) + " granted, " +
         std::to_string(unavailable_) + " times 503; " + std::to_string(revoked_) + " keys revoked meanwhile";
}

void Crowd::ask_all(std::uint16_t port, unsigned seed) {
  std::minstd_rand random(seed);
  std::optional<RawClient> client;
  std::unique_lock lock(mutex_);
  while (!told_.wait_for(lock, pace, [this] { return is_stopped_; })) {
    lock.unlock();
    const std::size_t number = random() % members_.size();
    std::string failure;
    try {
      if (!client) client.emplace(port);
      ask_one(*client, number, random() % 8 == 0);
    } catch (const std::exception& thrown) {
      // Who waits for the upstream while the key is revoked is cut off.
      if (members_[number].revoking_since == 0) failure = thrown.what();
      client.reset();
    }
    lock.lock();
    if (!failure.empty() && wrongs_.size() < most_wrongs) wrongs_.push_back(failure);
  }
}

void Crowd::ask_one(RawClient& client, std::size_t number, bool is_admin_wanted) {
  const Member& member = members_[number];
  const std::string target = (is_admin_wanted ? "/admin/" : "/v1/") + std::to_string(number);
  const auto begin = Clock::now();
  const Response response = client.ask(request_with(member.key, target));
  ++asked_;
  grants_ += response.status == 200 ? 1 : 0;
  unavailable_ += response.status == 503 ? 1 : 0;
  const std::string flaw = flaw_in(member, is_admin_wanted, response, begin);
  if (flaw.empty()) return;
  const std::lock_guard lock(mutex_);
  if (wrongs_.size() < most_wrongs) wrongs_.push_back(target + ": " + outcome_of(response) + ": " + flaw);
}

bool Crowd::may_still_be_granted(const Member& member, Clock::time_point begin) const {
  if (member.kind == Kind::good) return true;
  if (member.kind != Kind::doomed) return false;
  const Clock::time_point revoked{Clock::duration(member.revoked_since)};
  return member.revoked_since == 0 || begin <= revoked + bound_ + slack;
}

std::string Crowd::flaw_in(const Member& member, bool is_admin_wanted, const Response& response,
                           Clock::time_point begin) {
  const std::string outcome = outcome_of(response);
  if (outcome == "503 key_service_unavailable") return response.fields.has("retry-after") ? "" : "without Retry-After";
  if (outcome == "200 ok") {
    if (is_admin_wanted) return "without the scope";
    if (!may_still_be_granted(member, begin)) return "granted";
    return response.body == identity_of(member.key, member.organization) ? "" : "as " + response.body;
  }
  if (outcome == "401 invalid_key") return member.kind == Kind::unknown ? "" : "a known key";
  if (outcome == "401 revoked_key") {
    const bool is_revoked = member.kind == Kind::revoked || member.revoking_since != 0;
    return is_revoked ? "" : "nobody has revoked it";
  }
  if (outcome == "403 insufficient_scope") {
    return is_admin_wanted && may_still_be_granted(member, begin) ? "" : "another answer was due";
  }
  return "no answer that was due";
}

std::vector<std::string> Crowd::known_and_turned_away(const Keygate& proxy) const {
  std::vector<std::string> turned_away;
  std::map<std::string, std::int64_t> asked_at;  // by the number in the path, unix milliseconds
  for (const auto& line : proxy.access_log()) {
    const std::string path = text_of(line, "path");
    const std::string number = path.substr(path.rfind('/') + 1);
    if (std::stoul(number) >= good_ones) continue;
    const std::int64_t begin = milliseconds_in(text_of(line, "time"));
    const std::string code = text_of(line, "code");
    if (code == "ok" || code == "insufficient_scope") {
      const auto end = begin + static_cast<std::int64_t>(number_of(line, "duration_ms"));
      std::int64_t& latest = asked_at[number];
      latest = std::max(latest, end - static_cast<std::int64_t>(number_of(line, "age_ms")));
    } else if (code == "key_service_unavailable" && asked_at.contains(number)) {
      const auto decided = begin + static_cast<std::int64_t>(number_of(line, "auth_us") / 1000);
      constexpr std::int64_t rounding = 20;
      if (decided - asked_at[number] + rounding < bound_.count()) {
        turned_away.push_back(text_of(line, "time") + " " + path + ": known for " +
                              std::to_string(decided - asked_at[number]) + " ms, and waited " +
                              text_of(line, "auth_us") + " us");
      }
    }
  }
  return turned_away;
}

}  // namespace keygate::test
