#include "policy/path_template.hpp"

#include "policy/target.hpp"

#include <algorithm>

namespace keygate::policy {
namespace {

using Segment = PathTemplate::Segment;

std::string quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

bool is_parameter_name(std::string_view name) {
  constexpr std::size_t longest = 64;
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && name.size() <= longest && is_letter(name[0]) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-'; });
}

std::variant<Segment, TemplateFlaw> parse_parameter(std::string_view text) {
  if (std::count(text.begin(), text.end(), '{') > std::count(text.begin(), text.end(), '}')) {
    return TemplateFlaw{"a brace is opened in " + quoted(text) + " and not closed", "write {name}"};
  }
  if (!text.starts_with('{') || !text.ends_with('}') || text.find_first_of("{}", 1) != text.size() - 1) {
    return TemplateFlaw{quoted(text) + " mixes a parameter with other text",
                        "a parameter is a whole segment, as in /{id}"};
  }
  auto name = text.substr(1, text.size() - 2);
  const bool is_rest = name.ends_with("...");
  if (is_rest) name.remove_suffix(3);
  if (!is_parameter_name(name)) {
    return TemplateFlaw{quoted(text) + " is not a parameter",
                        "write {name} or {name...}, the name of letters, digits, '_' and '-'"};
  }
  return Segment{is_rest ? Segment::Kind::rest : Segment::Kind::parameter, std::string(name)};
}

// A segment as other proxies and frameworks would have it, where it is no text that a request could be meant to have.
std::optional<TemplateFlaw> foreign_flaw(std::string_view text) {
  constexpr std::string_view form = "write {name} for one segment, {rest...} for all that follow";
  if (text.size() > 1 && text[0] == ':' && is_parameter_name(text.substr(1))) {
    return TemplateFlaw{quoted(text) + " stands for itself: no parameter begins with a colon",
                        "write {" + std::string(text.substr(1)) + "}"};
  }
  const bool is_regex = text.find_first_of("[]()\\|^$") != std::string_view::npos ||
                        text.find(".*") != std::string_view::npos || text.find(".+") != std::string_view::npos;
  if (is_regex && text.find_first_of("*+[\\^") != std::string_view::npos) {
    return TemplateFlaw{quoted(text) + " looks like a regular expression, and paths are none", std::string(form)};
  }
  if (text.find('*') != std::string_view::npos) {
    return TemplateFlaw{quoted(text) + " has a *, which is no wildcard in a path", std::string(form)};
  }
  return std::nullopt;
}

TemplateFlaw never_matches(std::string_view text, TargetFlaw flaw, config::PathSettings rules) {
  if (flaw == TargetFlaw::empty_segment && rules.merge_slashes && text.find("//") != std::string_view::npos) {
    return {quoted(text) + " can never match: slashes in a row are merged first", "write one slash"};
  }
  if (flaw == TargetFlaw::dot_segment && rules.resolve_dots && text.find_first_of(";%") == std::string_view::npos) {
    return {quoted(text) + " can never match: dot segments are resolved first", "write the path that comes of it"};
  }
  return {quoted(text) + " can never match: such a path is refused", std::string(to_string(flaw))};
}

// With the literal in canonical form, whether or not it was written so.
std::variant<Segment, TemplateFlaw> parse_literal(std::string_view text, config::PathSettings rules) {
  if (text.find('?') != std::string_view::npos) {
    return TemplateFlaw{"a path holds no query", "leave out the question mark and what follows it"};
  }
  if (auto flaw = foreign_flaw(text)) return *std::move(flaw);
  std::string path = '/' + std::string(text);
  auto as_written = rules;
  as_written.resolve_dots = false;  // nor is there a slash to merge
  const auto target = RequestTarget::parse(path, as_written);
  if (const auto* flaw = std::get_if<TargetFlaw>(&target)) return never_matches(text, *flaw, rules);
  return Segment{Segment::Kind::literal, std::string(std::get<RequestTarget>(target).path().substr(1))};
}

std::variant<Segment, TemplateFlaw> parse_segment(std::string_view text, config::PathSettings rules) {
  return text.find_first_of("{}") != std::string_view::npos ? parse_parameter(text) : parse_literal(text, rules);
}

std::string spelled(const PathTemplate& path) {
  std::string text;
  for (const auto& segment : path.segments) {
    text += '/';
    switch (segment.kind) {
      case Segment::Kind::literal:
        text += segment.text;
        break;
      case Segment::Kind::parameter:
        text += '{' + segment.text + '}';
        break;
      case Segment::Kind::rest:
        text += '{' + segment.text + "...}";
        break;
    }
  }
  return text.empty() ? "/" : text;
}

std::optional<TemplateFlaw> whole_flaw(const PathTemplate& path) {
  const auto& segments = path.segments;
  if (segments.size() > RequestTarget::max_segments) {
    return TemplateFlaw{"has more than " + std::to_string(RequestTarget::max_segments) + " segments", ""};
  }
  for (auto segment = segments.begin(); segment != segments.end(); ++segment) {
    if (segment->kind == Segment::Kind::literal) continue;
    if (segment->kind == Segment::Kind::rest && segment + 1 != segments.end()) {
      return TemplateFlaw{"{" + segment->text + "...} must come last", "use {" + segment->text + "} for one segment"};
    }
    const bool is_doubled = std::any_of(segments.begin(), segment, [&](const Segment& earlier) {
      return earlier.kind != Segment::Kind::literal && earlier.text == segment->text;
    });
    if (is_doubled) return TemplateFlaw{"names the parameter " + quoted(segment->text) + " twice", ""};
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::size_t> PathTemplate::parameter(std::string_view name) const {
  for (std::size_t number = 0; number < segments.size(); ++number) {
    if (segments[number].kind == Segment::Kind::parameter && segments[number].text == name) return number;
  }
  return std::nullopt;
}

std::variant<PathTemplate, TemplateFlaw> parse_path_template(std::string_view text, config::PathSettings rules) {
  if (!text.starts_with('/')) {
    const bool is_regex = text.starts_with('^') || text.starts_with('~');
    return TemplateFlaw{quoted(text) + " does not begin with a slash",
                        is_regex
                            ? "paths are no regular expressions: write {name} for one segment, {rest...} for the rest"
                        : text.find("://") != std::string_view::npos ? "leave out the scheme and the host"
                                                                     : "write " + quoted('/' + std::string(text))};
  }
  if (text.find("//") != std::string_view::npos) return never_matches(text, TargetFlaw::empty_segment, rules);
  const bool has_trailing_slash = text.size() > 1 && text.ends_with('/');
  const auto body = has_trailing_slash ? text.substr(0, text.size() - 1) : text;

  PathTemplate path;
  for (auto rest = body.substr(1); !rest.empty();) {
    const auto slash = rest.find('/');
    auto segment = parse_segment(rest.substr(0, slash), rules);
    if (auto* flaw = std::get_if<TemplateFlaw>(&segment)) return std::move(*flaw);
    path.segments.push_back(std::get<Segment>(std::move(segment)));
    rest = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash + 1);
  }

  if (auto flaw = whole_flaw(path)) return std::move(*flaw);
  if (const auto canonical = spelled(path); canonical != body) {
    return TemplateFlaw{quoted(text) + " is not in canonical form", "write " + quoted(canonical)};
  }
  return path;
}

}  // namespace keygate::policy
