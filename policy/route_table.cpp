#include "policy/route_table.hpp"

#include "policy/percent.hpp"
#include "policy/reserved_names.hpp"
#include "policy/route_entry.hpp"

#include <algorithm>
#include <functional>
#include <set>
#include <unordered_map>

namespace keygate::policy {
namespace {

template <class Value>
class ByText {  // a map that a view looks up without making a string of it
 public:
  Value* find(std::string_view text) const {
    if (values_.size() <= few) {  // comparing is cheaper than hashing: /api and /v1 are seldom joined by many
      for (const auto& [key, value] : values_) {
        if (key == text) return value.get();
      }
      return nullptr;
    }
    const auto found = values_.find(text);
    return found == values_.end() ? nullptr : found->second.get();
  }

  Value& operator[](std::string_view text) {
    auto& value = values_[std::string(text)];
    if (!value) value = std::make_unique<Value>();
    return *value;
  }

 private:
  static constexpr std::size_t few = 4;

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::unordered_map<std::string, std::unique_ptr<Value>, Hash, std::equal_to<>> values_;
};

struct LessDecoded {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const {
    Decoded left(a);
    Decoded right(b);
    while (!left.at_end() && !right.at_end()) {
      const auto l = left.next();
      const auto r = right.next();
      if (l != r) return l < r;
    }
    return left.at_end() && !right.at_end();
  }
};

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; };
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) { return lower(x) == lower(y); });
}

struct Leaf {
  const Route* route = nullptr;
  MethodSet methods;
  std::vector<HeaderCondition> headers;
};

// The routes of one path shape, most header conditions first.
class Leaves {
 public:
  const Route* add(Leaf leaf);
  const Route* best(const MatchInput& input) const;

 private:
  std::vector<Leaf> leaves_;
};

bool contradict(const Leaf& a, const Leaf& b) {
  return std::any_of(a.headers.begin(), a.headers.end(), [&](const HeaderCondition& one) {
    return std::any_of(b.headers.begin(), b.headers.end(), [&](const HeaderCondition& other) {
      return equal_ignoring_case(one.name, other.name) && one.value != other.value;
    });
  });
}

// A named method ranks over any, so only like meets like.
bool overlap(const Leaf& a, const Leaf& b) {
  const bool methods_meet = (a.methods.empty() && b.methods.empty()) || a.methods.meets(b.methods);
  return methods_meet && a.headers.size() == b.headers.size() && !contradict(a, b);
}

const Route* Leaves::add(Leaf leaf) {
  for (const auto& other : leaves_) {
    if (overlap(leaf, other)) return other.route;
  }
  const auto place = std::find_if(leaves_.begin(), leaves_.end(),
                                  [&](const Leaf& other) { return other.headers.size() < leaf.headers.size(); });
  leaves_.insert(place, std::move(leaf));
  return nullptr;
}

// A header that comes twice is read as the first, the last or both by different programs: it meets no condition.
bool holds(const HeaderCondition& condition, std::span<const HeaderField> headers) {
  const HeaderField* found = nullptr;
  for (const auto& header : headers) {
    // An alias such as X_Beta goes on to an upstream that may read it as X-Beta: it counts as a second one.
    if (!folds_alike(header.name, condition.name)) continue;
    if (found != nullptr || !equal_ignoring_case(header.name, condition.name)) return false;
    found = &header;
  }
  return found != nullptr && found->value == condition.value;
}

enum class MethodRank : unsigned char { none, any, head_by_get, named };

MethodRank rank(MethodSet methods, Method method) {
  if (methods.empty()) return MethodRank::any;
  if (methods.has(method)) return MethodRank::named;
  return method == Method::head && methods.has(Method::get) ? MethodRank::head_by_get : MethodRank::none;
}

const Route* Leaves::best(const MatchInput& input) const {
  const Route* best = nullptr;
  auto best_rank = MethodRank::none;
  for (const auto& leaf : leaves_) {
    const auto leaf_rank = rank(leaf.methods, input.method);
    if (leaf_rank <= best_rank) continue;
    const bool all_hold = std::all_of(leaf.headers.begin(), leaf.headers.end(), [&](const HeaderCondition& condition) {
      return holds(condition, input.headers);
    });
    if (!all_hold) continue;
    best = leaf.route;
    best_rank = leaf_rank;
  }
  return best;
}

// One segment's place in the paths of one host.
struct Node {
  ByText<Node> literals;
  std::unique_ptr<Node> parameter;
  Leaves end;   // routes whose path ends here
  Leaves rest;  // routes with {x...} from here on

  std::set<std::string, LessDecoded> decoded_literals;
  bool has_escaped_literal = false;

  Node& literal(std::string_view text) {
    decoded_literals.emplace(text);
    has_escaped_literal |= text.find('%') != std::string_view::npos;
    return literals[text];
  }

  // Whether `segment`, which is none of the literals, becomes one of them when it is decoded: /a%3Ab beside /a:b.
  bool respells_literal(std::string_view segment) const {
    if (!has_escaped_literal && segment.find('%') == std::string_view::npos) return false;
    return decoded_literals.contains(segment);
  }
};

// Depth first, the better kind of segment first, so that the first route found is the best one. A node is looked at
// once at most; only a policy that has a route for every mix of literals and parameters along one path can make a
// search visit more than a few nodes a segment, and then no more than that policy wrote down.
class Search {
 public:
  explicit Search(const MatchInput& input) : input_(input) {}

  const Route* below(const Node& node, std::string_view path);

  // Upstreams differ on whether /a%3Ab is /a:b. Where the policy knows /a:b by name, judging the other spelling as a
  // mere parameter would hand out one path's rights for what may be the other: no route has it.
  bool is_refused() const { return is_refused_; }

 private:
  const MatchInput& input_;
  bool is_refused_ = false;
};

// `path` is what is left of it, without the slash before it. A trailing slash leaves nothing, as the end does.
const Route* Search::below(const Node& node, std::string_view path) {
  if (path.empty()) {
    const Route* route = node.end.best(input_);
    return route != nullptr ? route : node.rest.best(input_);
  }
  const auto slash = path.find('/');
  const auto segment = path.substr(0, slash);
  const auto after = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
  if (const Node* literal = node.literals.find(segment)) {
    if (const Route* route = below(*literal, after); route != nullptr || is_refused_) return route;
  } else if (node.respells_literal(segment)) {
    is_refused_ = true;
    return nullptr;
  }
  if (node.parameter) {
    if (const Route* route = below(*node.parameter, after); route != nullptr || is_refused_) return route;
  }
  return node.rest.best(input_);
}

}  // namespace

struct RouteTable::Impl {
  ByText<Node> exact;      // by host
  ByText<Node> wildcards;  // by what follows "*."
  Node any;
};

RouteTable::RouteTable() : impl_(std::make_unique<Impl>()) {}
RouteTable::RouteTable(RouteTable&&) noexcept = default;
RouteTable& RouteTable::operator=(RouteTable&&) noexcept = default;
RouteTable::~RouteTable() = default;

namespace {

Leaves& leaves_of(Node& root, const PathTemplate& path) {
  Node* node = &root;
  for (const auto& segment : path.segments) {
    switch (segment.kind) {
      case PathTemplate::Segment::Kind::literal:
        node = &node->literal(segment.text);
        break;
      case PathTemplate::Segment::Kind::parameter:
        if (!node->parameter) node->parameter = std::make_unique<Node>();
        node = node->parameter.get();
        break;
      case PathTemplate::Segment::Kind::rest:
        return node->rest;
    }
  }
  return node->end;
}

}  // namespace

const Route* RouteTable::add(const Route& route, const Entry& entry) {
  const auto add_below = [&](Node& root) {
    return leaves_of(root, entry.path).add(Leaf{&route, entry.methods, entry.headers});
  };
  if (entry.hosts.empty()) return add_below(impl_->any);
  for (const auto& host : entry.hosts) {
    if (const Route* other = add_below((host.is_wildcard ? impl_->wildcards : impl_->exact)[host.name])) return other;
  }
  return nullptr;
}

const Route* RouteTable::match(const MatchInput& input) const {
  const auto path = input.target->path().substr(1);
  Search search(input);

  if (const Node* root = impl_->exact.find(input.host)) {
    if (const Route* route = search.below(*root, path); route != nullptr || search.is_refused()) return route;
  }
  // From the left, so that the longest wildcard comes first.
  for (auto dot = input.host.find('.'); dot != std::string_view::npos; dot = input.host.find('.', dot + 1)) {
    if (const Node* root = impl_->wildcards.find(input.host.substr(dot + 1))) {
      if (const Route* route = search.below(*root, path); route != nullptr || search.is_refused()) return route;
    }
  }
  return search.below(impl_->any, path);
}

std::string_view segment(std::string_view path, std::size_t number) {
  while (!path.empty()) {
    path.remove_prefix(1);
    const auto text = path.substr(0, path.find('/'));
    if (number == 0) return text;
    --number;
    path.remove_prefix(text.size());
  }
  return {};
}

}  // namespace keygate::policy
