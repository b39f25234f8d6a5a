#include "app/explain_limits.hpp"

#include "app/settings_json.hpp"
#include "policy/criteria_text.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace keygate::app {
namespace {

namespace json = boost::json;

struct Applied {
  policy::RateLimit limit;
  bool is_of_key;  // from its record, and not from the route
};

std::vector<Applied> applied(const proxy::Rehearsal& rehearsal) {
  std::vector<Applied> limits;
  if (!rehearsal.headers() || rehearsal.route() == nullptr) return limits;
  for (const auto& limit : rehearsal.route()->limits) limits.push_back({limit, false});
  const auto* const answer = rehearsal.caller().answer;
  const auto* const own = answer != nullptr ? answer->principal.restrictions.get() : nullptr;
  if (own != nullptr && own->rate_limit) limits.push_back({*own->rate_limit, true});
  return limits;
}

std::vector<std::string> counted_by(const policy::CountedBy& per) {
  std::vector<std::string> names;
  if (per.key) names.emplace_back("key");
  if (per.organization) names.emplace_back("organization");
  if (per.address) names.emplace_back("ip");
  return names;
}

}  // namespace

std::vector<std::string> limit_texts(const proxy::Rehearsal& rehearsal) {
  std::vector<std::string> texts;
  for (const auto& [limit, is_of_key] : applied(rehearsal)) {
    texts.push_back(std::to_string(limit.limit) + " in " + duration_text(limit.window) +
                    (is_of_key ? ", of the key itself" : " per " + policy::list_text(counted_by(limit.per))));
  }
  return texts;
}

json::array limits_json(const proxy::Rehearsal& rehearsal) {
  json::array limits;
  for (const auto& [limit, is_of_key] : applied(rehearsal)) {
    json::array per;
    for (const std::string& name : counted_by(limit.per)) per.emplace_back(name);
    limits.push_back(json::object{{"limit", limit.limit},
                                  {"window", duration_text(limit.window)},
                                  {"per", std::move(per)},
                                  {"of", is_of_key ? "key" : "route"}});
  }
  return limits;
}

}  // namespace keygate::app
