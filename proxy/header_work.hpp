// What became of each header on its way up, and which are new? Told from heads that write_forward_head has really
// written, one with and one without each header, so that there is no second account of the rules. For explain.
#pragma once

#include "proxy/forward_head.hpp"

#include <string>
#include <vector>

namespace keygate::proxy {

enum class HeaderFate : std::uint8_t { kept, rewritten, stripped };

struct SentHeader {
  std::string name;
  HeaderFate fate = HeaderFate::kept;
  std::string why;  // of what is not kept
};

struct AddedHeader {
  std::string name, value;
};

struct HeaderWork {
  std::string target;              // what is sent: path, and query without a credential that stays here
  std::vector<SentHeader> sent;    // the client's, in its order
  std::vector<AddedHeader> added;  // ours, in the order in which they are sent
};

HeaderWork header_work(const ForwardFacts& facts, const policy::Grant& grant);

}  // namespace keygate::proxy
