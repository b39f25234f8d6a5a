// What `keygate explain` has found out, and the two ways of showing it.
#pragma once

#include "policy/explain.hpp"
#include "proxy/rehearsal.hpp"

#include <boost/json/object.hpp>

#include <iosfwd>
#include <string>
#include <vector>

namespace keygate::app {

struct Explained {
  const proxy::Rehearsal& rehearsal;  // judged
  std::string method, url;            // as asked
  policy::Candidates candidates;      // empty where no path came to be matched
  std::vector<policy::GrantShare> grants;
  std::vector<std::string> remedies;
  std::vector<std::string> notes;  // what was taken for granted

  bool is_granted() const { return rehearsal.reason() == policy::Reason::ok; }
};

// Everything of `rehearsal` that is worth a line; `notes` come from whoever made it.
Explained explained(const proxy::Rehearsal& rehearsal, std::string method, std::string url,
                    std::vector<std::string> notes);

// `text` with the presented key, should it stand in there, made unreadable.
std::string without_key(const proxy::Rehearsal& rehearsal, std::string text);

// Where the `number`th part of a criterion is written: the first host, the path, the first method, a header.
config::Position place_of(const Explained& explained, const policy::Candidate& candidate, policy::Criterion criterion,
                          std::size_t number = 0);

// "Authorization: Bearer", "a header", "the query", "a cookie"
std::string_view source_text(config::CredentialSource::Kind source);

struct TextStyle {
  bool has_colour = false;
};

void print_text(std::ostream& out, const Explained& explained, TextStyle style);
boost::json::object to_json(const Explained& explained);

}  // namespace keygate::app
