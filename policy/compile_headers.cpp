#include "config/header_name.hpp"
#include "policy/compiler.hpp"
#include "policy/set_header.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace keygate::policy {
namespace {

using Kind = HeaderPiece::Kind;

// No parameter of a path can have a dot in its name, so these collide with none.
constexpr std::array<std::pair<std::string_view, Kind>, 5> principal_fields{
    {{"principal.organization", Kind::organization},
     {"principal.key", Kind::key},
     {"principal.user", Kind::user},
     {"principal.environment", Kind::environment},
     {"principal.method", Kind::method}}};

std::vector<std::string> known_names(const PathTemplate& path) {
  std::vector<std::string> names;
  for (const auto& segment : path.segments) {
    if (segment.kind == PathTemplate::Segment::Kind::parameter) names.push_back('{' + segment.text + '}');
    if (segment.kind == PathTemplate::Segment::Kind::rest) names.push_back('{' + segment.text + "...}");
  }
  for (const auto& [name, kind] : principal_fields) names.push_back('{' + std::string(name) + '}');
  return names;
}

std::optional<HeaderPiece> named_piece(std::string_view name, const PathTemplate& path) {
  for (const auto& [field, kind] : principal_fields) {
    if (name == field) return HeaderPiece{kind, {}, 0};
  }
  for (std::size_t number = 0; number < path.segments.size(); ++number) {
    const auto& segment = path.segments[number];
    if (segment.kind == PathTemplate::Segment::Kind::parameter && name == segment.text) {
      return HeaderPiece{Kind::segment, {}, number};
    }
    if (segment.kind == PathTemplate::Segment::Kind::rest && name == segment.text + "...") {
      return HeaderPiece{Kind::rest, {}, number};
    }
  }
  return std::nullopt;
}

bool is_field_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte < 0x7f;
  });
}

std::string slip_hint(std::string_view written, const PathTemplate& path) {
  for (const auto& segment : path.segments) {
    const bool is_rest = segment.kind == PathTemplate::Segment::Kind::rest && '{' + segment.text + '}' == written;
    if (is_rest) return "write \"{" + segment.text + "...}\"";
  }
  return did_you_mean(std::string(written), known_names(path));
}

struct Site {
  const config::Text& value;
  std::string path;
  const PathTemplate& route_path;
};

// Up to the next brace as text, or the name between two of them. False: complained.
bool take_piece(const Site& site, std::string_view& rest, std::vector<HeaderPiece>& pieces, Findings& findings) {
  if (rest.front() != '{') {
    const auto text = rest.substr(0, rest.find_first_of("{}"));
    if (text.empty()) {
      findings.error(site.value.where, site.path, "a brace closes that none has opened");
      return false;
    }
    pieces.push_back({Kind::text, std::string(text), 0});
    rest.remove_prefix(text.size());
    return true;
  }
  const auto end = rest.find('}');
  if (end == std::string_view::npos) {
    findings.error(site.value.where, site.path, "a brace is opened and not closed", "write {name}");
    return false;
  }
  const auto written = rest.substr(0, end + 1);
  auto piece = named_piece(written.substr(1, written.size() - 2), site.route_path);
  if (!piece) {
    findings.error(site.value.where, site.path,
                   quoted(written) + " is no parameter of the path and no field of the principal",
                   slip_hint(written, site.route_path));
    return false;
  }
  pieces.push_back(*std::move(piece));
  rest.remove_prefix(written.size());
  return true;
}

std::vector<HeaderPiece> compile_value(const Site& site, Findings& findings) {
  std::vector<HeaderPiece> pieces;
  const std::string_view text = site.value.value;
  if (!is_field_text(text) || text.starts_with(' ') || text.ends_with(' ')) {
    findings.error(site.value.where, site.path, "no header can be sent with this value",
                   "leave out all but visible ASCII, and spaces at either end");
    return pieces;
  }
  for (auto rest = text; !rest.empty();) {
    if (!take_piece(site, rest, pieces, findings)) break;
  }
  return pieces;
}

std::string name_flaw(const std::string& name, NameClass name_class) {
  constexpr std::size_t longest = 64;
  if (!config::is_token(name) || name.size() > longest) return " is not a header name";
  switch (name_class) {
    case NameClass::identity:
      return " is a header that Keygate sets by itself";
    case NameClass::forwarding:
      return " says who forwarded a request, and what it was";
    case NameClass::credential:
      return " carries the credential";
    case NameClass::framing:
      return " belongs to the connection, not to the request";
    case NameClass::plain:
      break;
  }
  const bool is_occupied = config::is_occupied_header(name) || config::folded_header_name(name) == "authorization";
  return is_occupied ? " has a meaning of its own" : "";
}

}  // namespace

void compile_set_headers(const RouteSource& source, const ReservedNames& reserved, const PathTemplate& path,
                         Route& route, Findings& findings) {
  const auto& documents = source.document.set_headers;
  if (documents.empty()) return;
  auto headers = std::make_shared<std::vector<SetHeader>>();
  for (const auto& document : documents) {
    const auto& name = document.name.value;
    const auto place = source.path + ".set_headers." + name;
    if (const auto flaw = name_flaw(name, reserved.classify(name)); !flaw.empty()) {
      findings.error(document.name.where, place, quoted(name) + flaw, "choose another name");
    }
    const bool is_doubled = std::any_of(headers->begin(), headers->end(),
                                        [&](const SetHeader& other) { return folds_alike(other.name, name); });
    if (is_doubled) {
      findings.error(document.name.where, place, quoted(name) + " is listed twice",
                     "case and punctuation do not count");
    }
    headers->push_back({name, compile_value({document.value, place, path}, findings)});
  }
  route.set_headers = std::move(headers);
}

std::vector<std::string> set_header_names(const std::vector<config::RouteDocument>& routes) {
  std::vector<std::string> names;
  for (const auto& route : routes) {
    for (const auto& header : route.set_headers) names.push_back(header.name.value);
  }
  return names;
}

std::string_view rest_of(std::string_view path, std::size_t number) {
  for (; number > 0 && !path.empty(); --number) {
    const auto slash = path.find('/', 1);
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash);
  }
  return path.empty() ? path : path.substr(1);
}

}  // namespace keygate::policy
