// The security schemes of an OpenAPI document, and what a list of security requirements asks by them. Pure; for
// openapi.
#pragma once

#include "app/openapi.hpp"
#include "app/openapi_tree.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace keygate::app {

// What a JSON reference inside of the document leads to, with the place it leads to; a value that is none is itself. No
// node: it leads to another file. DocumentFault where it leads nowhere, or in a circle.
DocumentValue resolved(const Document& document, DocumentValue value);

class Security {
 public:
  explicit Security(const Document& document);

  // Fills in who, ways and is_optional.
  void read_requirements(const DocumentValue& requirements, Operation& operation);

  std::vector<std::pair<std::string, std::string>> take_scopes() { return std::move(scopes_); }
  std::vector<std::string> take_notes() { return std::move(notes_); }

 private:
  struct Scheme {
    std::string carrier;  // where a request has it; two schemes of one carrier are one credential. Empty: unknown to us
    bool is_cookie = false;
    std::string why_not;  // where there is no carrier
  };

  void read_scheme(const std::string& name, const DocumentValue& value);
  Scheme scheme_of(const DocumentValue& facts);
  void read_flows(const DocumentValue& flows);
  // No way: it cannot be judged, which is noted.
  void read_requirement(const DocumentValue& requirement, Operation& operation);
  void note(const std::string& text);

  const Document& document_;
  std::map<std::string, Scheme> schemes_;
  std::vector<std::pair<std::string, std::string>> scopes_;
  std::vector<std::string> notes_;
};

}  // namespace keygate::app
