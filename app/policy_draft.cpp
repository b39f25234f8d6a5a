#include "app/policy_draft.hpp"

#include "app/policy_text.hpp"
#include "policy/path_template.hpp"
#include "policy/scopes.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <utility>

namespace keygate::app {
namespace {

// What it takes to be let in by both.
Demand stricter(const Demand& one, const Demand& other) {
  Demand both;
  both.is_open = one.is_open && other.is_open;
  both.is_optional = (one.is_open || one.is_optional) && (other.is_open || other.is_optional) && !both.is_open;
  both.by_session = one.by_session && other.by_session;
  both.by_key = (one.by_key && other.by_key) || !both.by_session;
  std::set<std::string> all;
  for (const auto* scopes : {&one.all, &one.any, &other.all, &other.any}) all.insert(scopes->begin(), scopes->end());
  both.all.assign(all.begin(), all.end());
  return both;
}

// All that a path is asked for.
struct Place {
  struct Use {
    std::string method, id;
    Demand demand;
  };
  std::string path;
  std::vector<Use> uses;
};

char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

// Made of the letters that `is_allowed` knows; what lies between becomes one `filler`.
template <class IsAllowed>
std::string spelled_with(const std::string& text, IsAllowed is_allowed, char filler) {
  std::string out;
  for (const char c : text) {
    if (is_allowed(c)) {
      out += c;
    } else if (!out.empty() && out.back() != filler) {
      out += filler;
    }
  }
  while (!out.empty() && out.back() == filler) out.pop_back();
  return out;
}

bool is_plain(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

class Drafting {
 public:
  explicit Drafting(const OpenApi& document) : document_(document) { draft_.notes = document.notes; }

  PolicyDraft make() {
    for (const auto& scope : document_.scopes) name_of_scope(scope.first);
    for (const Operation& operation : document_.operations) add(operation);
    note_unsaid();
    make_routes();
    write();
    return std::move(draft_);
  }

 private:
  void note(std::string text) { draft_.notes.push_back(std::move(text)); }

  void note_unsaid() {
    if (unsaid_.empty()) return;
    constexpr std::size_t shown = 5;
    std::string text = "of " + std::to_string(unsaid_.size()) + (unsaid_.size() == 1 ? " operation" : " operations") +
                       " the document does not say who may; any key may here: ";
    for (std::size_t i = 0; i < std::min(shown, unsaid_.size()); ++i) text += (i == 0 ? "" : ", ") + unsaid_[i];
    note(text + (unsaid_.size() > shown ? "…" : ""));
  }

  // The scope as a catalogue has it; the first that was spelled so keeps the spelling.
  std::string name_of_scope(const std::string& scope) {
    const auto known = scope_names_.find(scope);
    if (known != scope_names_.end()) return known->second;
    std::string name = scope;
    if (!policy::is_scope_name(scope)) {
      std::string lowered = scope.substr(scope.starts_with("https://") ? 8 : scope.starts_with("http://") ? 7 : 0);
      std::ranges::transform(lowered, lowered.begin(), lower);
      const std::size_t colon = lowered.find(':');
      const auto part = [](const std::string& text) {
        return spelled_with(
            text, [](char c) { return is_plain(c) || c == '_'; }, '-');
      };
      name = part(lowered.substr(0, colon));
      const std::string rest = colon == lowered.npos ? "" : part(lowered.substr(colon + 1));
      name += rest.empty() ? "" : ":" + rest;
      name = name.substr(0, 100);
      if (!policy::is_scope_name(name)) name = "scope-" + spelled_with(name, is_plain, '-');
    }
    const std::string wanted = name;
    for (int number = 2; !catalogue_.insert(name).second; ++number) name = wanted + "-" + std::to_string(number);
    if (name != scope) note("the scope " + scope + " is called " + name + " here");
    scope_names_[scope] = name;
    scope_order_.push_back(scope);
    return name;
  }

  std::vector<std::string> names_of(const std::vector<std::string>& scopes) {
    std::vector<std::string> names;
    for (const std::string& scope : scopes) {
      std::string name = name_of_scope(scope);
      if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
    }
    return names;
  }

  Demand demand_of(const Operation& operation, const std::string& who) {
    Demand demand;
    demand.is_open = operation.alternatives.empty() && !operation.says_nothing;
    demand.is_optional = operation.is_optional && !operation.alternatives.empty();
    demand.by_session = operation.is_by_session;
    demand.by_key = operation.is_by_key || !operation.is_by_session;
    if (operation.says_nothing) unsaid_.push_back(who);
    std::vector<std::vector<std::string>> sets;
    for (const auto& alternative : operation.alternatives) {
      auto names = names_of(alternative);
      std::ranges::sort(names);
      if (std::ranges::find(sets, names) == sets.end()) sets.push_back(std::move(names));
    }
    const bool is_one_each = std::ranges::all_of(sets, [](const auto& set) { return set.size() == 1; });
    if (sets.size() == 1) {
      demand.all = sets.front();
    } else if (!sets.empty() && is_one_each) {
      for (const auto& set : sets) demand.any.push_back(set.front());
    } else if (!sets.empty()) {
      for (const auto& set : sets) demand.all.insert(demand.all.end(), set.begin(), set.end());
      std::ranges::sort(demand.all);
      demand.all.erase(std::ranges::unique(demand.all).begin(), demand.all.end());
      if (!demand.all.empty()) note(who + ": one of several sets of scopes would do; all of them are needed here");
    }
    return demand;
  }

  // Ours for the document's path; empty: there is none.
  std::string path_of(const std::string& written, const std::string& who) {
    std::string path;
    std::set<std::string> taken;
    const std::string whole = document_.base_path + written;
    for (std::size_t begin = 1; begin <= whole.size();) {
      const std::size_t end = std::min(whole.find('/', begin), whole.size());
      const std::string segment = whole.substr(begin, end - begin);
      begin = end + 1;
      if (segment.find_first_of("{}") == segment.npos) {
        path += "/" + segment;
        continue;
      }
      if (segment.front() != '{' || segment.find_first_of("{}", 1) != segment.size() - 1) {
        note(who + " is left out: no path of a policy has a parameter beside other text, as in " + segment);
        return "";
      }
      std::string name = spelled_with(
          segment, [](char c) { return is_plain(lower(c)) || c == '_' || c == '-'; }, '_');
      const bool is_begun_well =
          !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 && name[0] != '-';
      name = (is_begun_well ? name : "p" + name).substr(0, 48);
      std::string unique = name;
      for (int number = 2; !taken.insert(unique).second; ++number) unique = name + std::to_string(number);
      path += "/{" + unique + "}";
    }
    if (path.empty()) path = "/";
    const auto parsed = policy::parse_path_template(path);
    if (const auto* flaw = std::get_if<policy::TemplateFlaw>(&parsed)) {
      note(who + " is left out: " + flaw->message);
      return "";
    }
    return path;
  }

  // Paths that match the same requests have the same.
  static std::string shape_of(const std::string& path) {
    std::string shape;
    bool is_inside = false;
    for (const char c : path) {
      is_inside = c == '{' || (is_inside && c != '}');
      if (!is_inside) shape += c;
    }
    if (shape.size() > 1 && shape.ends_with('/')) shape.pop_back();
    return shape;
  }

  void add(const Operation& operation) {
    const std::string who = operation.method + " " + operation.path;
    std::string path = path_of(operation.path, who);
    if (path.empty()) return;
    Demand demand = demand_of(operation, who);
    const auto [found, is_new] = by_shape_.try_emplace(shape_of(path), places_.size());
    if (is_new) places_.push_back({std::move(path), {}});
    Place& place = places_[found->second];
    const auto use = std::ranges::find(place.uses, operation.method, &Place::Use::method);
    if (use == place.uses.end()) {
      place.uses.push_back({operation.method, operation.id, std::move(demand)});
    } else if (use->demand != demand) {
      note(who + " cannot be told from " + use->method + " " + place.path + ": both need what either needs");
      use->demand = stricter(use->demand, demand);
    }
  }

  void make_routes() {
    for (const Place& place : places_) {
      const std::size_t first = drafts_.size();
      for (const Place::Use& use : place.uses) {
        const auto begin = drafts_.begin() + static_cast<std::ptrdiff_t>(first);
        const auto same =
            std::find_if(begin, drafts_.end(), [&](const RouteDraft& one) { return one.demand == use.demand; });
        if (same != drafts_.end()) {
          same->methods.push_back(use.method);
        } else {
          drafts_.push_back({place.path, use.id, {use.method}, use.demand});
        }
      }
    }
    name_routes();
  }

  void name_routes() {
    std::set<std::string> taken;
    for (RouteDraft& draft : drafts_) {
      const bool has_id = draft.methods.size() == 1 && !draft.name.empty();
      const std::string from = has_id ? draft.name : draft.methods.front() + draft.path;
      const auto is_allowed = [](char c) { return is_plain(lower(c)) || c == '_' || c == '.'; };
      std::string name = spelled_with(from, is_allowed, '-').substr(0, 56);
      if (!has_id) std::ranges::transform(name, name.begin(), lower);
      if (name.empty()) name = "route";
      draft.name = name;
      for (int number = 2; !taken.insert(draft.name).second; ++number) draft.name = name + "-" + std::to_string(number);
    }
  }

  void write() {
    PolicyParts parts{document_.title, draft_.notes, {}, std::move(drafts_)};
    for (const std::string& scope : scope_order_) {
      const auto described = std::ranges::find(document_.scopes, scope, &std::pair<std::string, std::string>::first);
      const bool is_described = described != document_.scopes.end() && !described->second.empty();
      parts.scopes.emplace_back(scope_names_[scope], is_described ? described->second : scope);
    }
    draft_.text = policy_text(parts);
    draft_.routes = parts.routes.size();
    draft_.scopes = parts.scopes.size();
  }

  const OpenApi& document_;
  PolicyDraft draft_;
  std::vector<std::string> unsaid_;  // operations without a word of security
  std::vector<Place> places_;
  std::map<std::string, std::size_t> by_shape_;
  std::vector<RouteDraft> drafts_;
  std::map<std::string, std::string> scope_names_;
  std::vector<std::string> scope_order_;
  std::set<std::string> catalogue_;
};

}  // namespace

PolicyDraft draft_policy(const OpenApi& document) { return Drafting(document).make(); }

}  // namespace keygate::app
