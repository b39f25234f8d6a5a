#include "app/policy_draft.hpp"

#include "app/draft_places.hpp"
#include "app/path_shape.hpp"
#include "app/policy_text.hpp"
#include "app/route_names.hpp"
#include "app/scope_spelling.hpp"
#include "policy/scopes.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>
#include <utility>

namespace keygate::app {
namespace {

using Access = Demand::Access;

constexpr std::size_t max_crossings = 10'000;

std::string shown_list(const std::vector<std::string>& items) {
  constexpr std::size_t shown = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(shown, items.size()); ++i) text += (i == 0 ? "" : ", ") + items[i];
  return items.size() > shown ? text + ", and " + std::to_string(items.size() - shown) + " more" : text;
}

class Drafting {
 public:
  explicit Drafting(const OpenApi& document) : document_(document) { draft_.notes = document.notes; }

  PolicyDraft make() {
    name_scopes(spelling_, document_);
    for (const bool is_wider : {false, true}) {
      for (const PathItem& item : document_.paths) add_path(item, is_wider);
    }
    for (const bool is_wider : {false, true}) {
      for (const Operation& operation : document_.operations) add(operation, is_wider);
    }
    refuse_what_only_others_have();
    settle_crossings();
    fold_into_crossings(places_, crossings_);
    make_notes();
    make_routes();
    write();
    return std::move(draft_);
  }

 private:
  void note(std::string text) { draft_.notes.push_back(std::move(text)); }

  Place& place_of(const PathShape& shape, const std::string& path) {
    const auto [found, is_new] = by_shape_.try_emplace(shape, places_.size());
    if (is_new) places_.push_back({shape, path, {}, false});
    return places_[found->second];
  }

  void add_path(const PathItem& item, bool is_wider) {
    const PolicyPath path = policy_path(item.base_path + item.path);
    if (path.text.empty() || path.is_wider != is_wider) return;
    Place& place = place_of(path.shape, path.text);
    place.is_of_document = place.is_of_document || !path.is_wider;
    if (!item.is_elsewhere) return;
    for (const char* method : all_methods) put(place, {method, "", Demand{}});
  }

  void add(const Operation& operation, bool is_wider) {
    const PolicyPath path = policy_path(operation.base_path + operation.path);
    if (path.is_wider != is_wider) return;
    const std::string who = operation.method + " " + operation.path;
    if (path.text.empty()) {
      note(who + " is left out: no request can have such a path");
      return;
    }
    Demand demand = demand_of(operation, who);
    Place& place = place_of(path.shape, path.text);
    const bool is_known = use_of(place, operation.method) != nullptr;
    if (is_wider) wider_.push_back(who);
    // More requests are of this shape than of the operation's path: nobody may, unless an operation has them all, and
    // then whoever may do both.
    if (is_wider && !is_known) demand = {};
    put(place, {operation.method, operation.id, std::move(demand)});
  }

  void put(Place& place, Use use) {
    Use* const known = use_of(place, use.method);
    if (known == nullptr) {
      place.uses.push_back(std::move(use));
    } else if (known->demand != use.demand) {
      Demand both = stricter(known->demand, use.demand);
      note(use.method + " " + place.path + " is asked for more than once: " +
           (both.access == Access::nobody ? "nobody may" : "it needs what each of them needs"));
      known->demand = std::move(both);
    }
  }

  // The kinds of credential are settled for each way by itself: what a key may do is no reason for a session to.
  Demand demand_of(const Operation& operation, const std::string& who) {
    Demand demand;
    if (operation.who == Operation::Who::anybody) {
      demand.access = Access::open;
      return demand;
    }
    if (operation.who == Operation::Who::unsaid) {
      unsaid_.push_back(who);
      demand.access = Access::required;
      demand.by_key = true;
      return demand;
    }
    std::vector<ScopeNames> by_key, by_session;
    for (const Way& way : operation.ways) {
      if (way.by_key) by_key.push_back(spelling_.names_of(way.scopes));
      if (way.by_session) by_session.push_back(spelling_.names_of(way.scopes));
    }
    if (by_key.empty() && by_session.empty()) {
      unjudged_.push_back(who);
      return demand;
    }
    demand.access = operation.is_optional ? Access::optional : Access::required;
    demand.by_key = !by_key.empty();
    demand.by_session = !by_session.empty();
    Joined joined = needed_for_one_of(demand.by_key ? by_key : by_session);
    if (demand.by_key && demand.by_session) {
      const Joined other = needed_for_one_of(by_session);
      joined.is_stricter = joined.is_stricter || other.is_stricter || joined.scopes != other.scopes;
      joined.scopes = stricter(joined.scopes, other.scopes);
    }
    if (joined.is_stricter) note(who + ": one of several ways in would do; the scopes of all are needed here");
    demand.scopes = std::move(joined.scopes);
    return demand;
  }

  // Of two paths that match a request, OpenAPI takes the one that is spelled out, and that one alone: a method it lacks
  // is none of the other's either.
  void refuse_what_only_others_have() {
    const std::size_t count = places_.size();
    std::map<std::size_t, std::vector<std::size_t>> by_size;
    for (std::size_t i = 0; i < count; ++i) by_size[places_[i].shape.size()].push_back(i);
    std::vector<std::vector<std::string>> lacking(count);
    for (const auto& [size, members] : by_size) {
      for (const std::size_t inner : members) {
        for (const std::size_t outer : members) {
          if (!covers(places_[outer].shape, places_[inner].shape)) continue;
          for (const Use& use : places_[outer].uses) {
            if (use_of(places_[inner], use.method) == nullptr) lacking[inner].push_back(use.method);
          }
        }
      }
    }
    for (std::size_t i = 0; i < count; ++i) {
      for (const std::string& method : lacking[i]) {
        if (use_of(places_[i], method) != nullptr) continue;
        places_[i].uses.push_back({method, "", Demand{}});
        lacking_.push_back(method + " " + places_[i].path);
      }
    }
  }

  // /a/{x} and /{y}/b both match /a/b, and a reader of the document may take either: it needs what both need.
  void settle_crossings() {
    const std::size_t most = places_.size() + max_crossings;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (cross(places_[i].shape, places_[j].shape)) settle_crossing(i, j);
      }
      if (places_.size() > most) throw std::length_error("its paths cross each other too often to be told apart");
    }
  }

  void settle_crossing(std::size_t one, std::size_t other) {
    const PathShape shape = meeting(places_[one].shape, places_[other].shape);
    const auto known = by_shape_.find(shape);
    if (known != by_shape_.end() && !crossings_.contains(known->second)) return;  // it is spelled out
    const bool is_first = goes_first(places_[one].shape, places_[other].shape);
    for (const char* method : all_methods) {
      const Demand* const a = demand_at(places_[one], method);
      const Demand* const b = demand_at(places_[other], method);
      if (a == nullptr || b == nullptr) continue;
      const bool is_named = use_of(places_[one], method) != nullptr || use_of(places_[other], method) != nullptr;
      Demand both = stricter(*a, *b);
      if (!is_named || both == (is_first ? *a : *b)) continue;
      crossed_.push_back(std::string(method) + " " + text_of(shape));
      Place& place = place_of(shape, text_of(shape));
      crossings_.insert(by_shape_.at(shape));
      Use* const use = use_of(place, method);
      if (use == nullptr) {
        place.uses.push_back({method, "", std::move(both)});
      } else {
        use->demand = stricter(use->demand, both);
      }
    }
  }

  void make_notes() {
    const auto tell = [&](const std::vector<std::string>& who, const char* what) {
      if (!who.empty()) note(std::string(what) + ": " + shown_list(who));
    };
    for (const std::string& text : spelling_.notes()) note(text);
    tell(unsaid_, "the document does not say who may; any key may here");
    tell(unjudged_, "no credential that Keygate can judge is a way in; nobody may");
    tell(wider_, "a path of a policy cannot say it; nobody may, or who may do all that is matched alike");
    tell(lacking_, "a more general path has the method and this one has not; nobody may");
    tell(crossed_, "two paths match it; it needs what both need");
  }

  void make_routes() {
    for (const Place& place : places_) {
      const auto first = static_cast<std::ptrdiff_t>(drafts_.size());
      for (const Use& use : place.uses) {
        const auto same = std::find_if(drafts_.begin() + first, drafts_.end(),
                                       [&](const RouteDraft& one) { return one.demand == use.demand; });
        if (same != drafts_.end()) {
          same->methods.push_back(use.method);
        } else {
          drafts_.push_back({place.path, use.id, {use.method}, use.demand});
        }
      }
    }
    name_routes(drafts_);
  }

  // Of the routes; the document may describe more.
  std::set<std::string> scopes_in_use() const {
    std::set<std::string> used;
    for (const RouteDraft& draft : drafts_) {
      used.insert(draft.demand.scopes.all.begin(), draft.demand.scopes.all.end());
      used.insert(draft.demand.scopes.any.begin(), draft.demand.scopes.any.end());
    }
    return used;
  }

  void write() {
    PolicyParts parts;
    const auto used = scopes_in_use();
    std::vector<std::string> unused;
    for (const std::string& scope : spelling_.scopes()) {
      const std::string name = spelling_.name_of(scope);
      const auto described = std::ranges::find(document_.scopes, scope, &std::pair<std::string, std::string>::first);
      const bool is_described = described != document_.scopes.end() && !described->second.empty();
      if (used.contains(name)) {
        parts.scopes.emplace_back(name, is_described ? described->second : scope);
      } else {
        unused.push_back(scope);
      }
    }
    if (!unused.empty()) note("no operation needs these scopes, and they are left out: " + shown_list(unused));
    if (parts.scopes.size() >= policy::max_catalogue)
      throw std::length_error("it has more scopes than a policy can have");
    const auto is_closed = [](const RouteDraft& route) { return route.demand.access == Access::nobody; };
    if (std::ranges::any_of(drafts_, is_closed)) parts.nobody = spelling_.new_name("nobody");
    parts.title = document_.title;
    parts.notes = draft_.notes;
    parts.routes = std::move(drafts_);
    draft_.text = policy_text(parts);
    draft_.routes = parts.routes.size();
    draft_.scopes = parts.scopes.size();
  }

  const OpenApi& document_;
  PolicyDraft draft_;
  ScopeSpelling spelling_;
  std::vector<std::string> unsaid_, unjudged_, wider_, lacking_, crossed_;  // for the notes
  std::vector<Place> places_;
  std::map<PathShape, std::size_t> by_shape_;
  std::set<std::size_t> crossings_;  // places that no path of the document has
  std::vector<RouteDraft> drafts_;
};

}  // namespace

PolicyDraft draft_policy(const OpenApi& document) { return Drafting(document).make(); }

}  // namespace keygate::app
