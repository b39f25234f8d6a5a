// A request that a route matches and as few others as can be: what is not fixed by the route is a word that no route
// knows. If the table names another route for it, it does so for every request of the same method that the route
// matches. For lint; pure.
#pragma once

#include "policy/policy.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace keygate::policy {

class SampleWord {
 public:
  explicit SampleWord(const Policy& policy);
  // No segment and no label of a host in the policy.
  const std::string& text() const { return text_; }
  // How many segments the longest path has.
  std::size_t depth() const { return depth_; }

 private:
  std::string text_ = "sample";
  std::size_t depth_ = 0;
};

struct SampleRequest {
  std::string host;
  std::string path;
  std::vector<HeaderField> headers;  // views into the entry
};

// One for each host, and each length that a {rest...} may have, up to one segment more than any path of the policy.
std::vector<SampleRequest> sample_requests(const RouteTable::Entry& entry, const SampleWord& word);

// What the table says; nullptr where a path is too long to be a request's.
const Route* governing(const Policy& policy, const SampleRequest& sample, Method method);

// The methods that an entry matches: HEAD is with GET, and no set means all that are forwarded.
std::vector<Method> methods_of(const RouteTable::Entry& entry);

}  // namespace keygate::policy
