#include "app/explain_limits.hpp"
#include "app/explain_paper.hpp"
#include "app/explained.hpp"
#include "policy/criteria_text.hpp"

#include <algorithm>
#include <ostream>

namespace keygate::app {
namespace {

using policy::Criterion;

constexpr std::size_t most_candidates = 10;  // where no route governs; --json lists all
constexpr std::size_t most_near_misses = 3;  // beside one that does
constexpr std::size_t most_far_misses = 5;   // where none is near

// What a browser hears of a route with `cors:`, a line each.
void print_lines(Paper& paper, std::string_view lines) {
  while (!lines.empty()) {
    const auto end = lines.find("\r\n");
    paper.line("  " + std::string(lines.substr(0, end)));
    lines.remove_prefix(end + 2);
  }
}

void print_preflight(Paper& paper, const proxy::Rehearsal& rehearsal) {
  const auto& preflight = *rehearsal.preflight();
  const std::string method(policy::to_string(preflight.method));
  const std::string lines = proxy::preflight_lines(*rehearsal.route()->cors, preflight);
  const bool is_allowed = lines.find("Access-Control-Allow-Origin") != std::string::npos;
  paper.line(paper.good("answered by Keygate itself: 204") + ", the preflight of a " + method + " from a page of " +
             std::string(preflight.origin));
  paper.line(is_allowed ? "  which it may send" : "  which its browser will not send: cors does not allow it");
  print_lines(paper, lines);
}

void print_shadow(Paper& paper, const proxy::Rehearsal& rehearsal) {
  const auto& would_be = policy::row(rehearsal.shadowed());
  const auto& document = rehearsal.snapshot().settings->policy.routes[rehearsal.route()->number];
  paper.line(paper.bad("  by shadow mode alone, until " + (document.until ? document.until->value : std::string())) +
             ": then it is " + std::to_string(would_be.status) + ' ' + std::string(would_be.code));
  paper.line("  " + std::string(would_be.detail));
}

void print_decision(Paper& paper, const Explained& explained) {
  const auto& rehearsal = explained.rehearsal;
  const auto& row = policy::row(rehearsal.reason());
  if (!explained.is_granted()) {
    paper.line(paper.bad("denied: " + std::to_string(row.status) + ' ' + std::string(row.code)));
    paper.line("  " + std::string(row.detail));
    if (!rehearsal.flaw().empty()) paper.line("  what is wrong: " + std::string(rehearsal.flaw()));
    for (const std::string& remedy : explained.remedies) paper.line("  " + remedy);
  } else if (rehearsal.preflight()) {
    print_preflight(paper, rehearsal);
  } else if (rehearsal.is_asterisk()) {
    paper.line(paper.good("answered by Keygate itself: 200") +
               ", as OPTIONS * asks about nothing behind it, nor does Max-Forwards: 0");
  } else {
    const auto& upstream = rehearsal.snapshot().settings->upstreams[*rehearsal.upstream()];
    paper.line(paper.good("granted") + ", and forwarded to the upstream " + upstream.name);
    if (rehearsal.shadowed() != policy::Reason::ok) print_shadow(paper, rehearsal);
  }
  const bool is_minimal = rehearsal.snapshot().settings->minimal_errors && row.status == 401;
  if (is_minimal) paper.line("  the client is told \"unauthorized\" and no more (errors.detail: minimal)");
  for (const std::string& note : explained.notes) paper.line("  " + paper.faint(note));
}

void print_request(Paper& paper, const Explained& explained) {
  const auto& rehearsal = explained.rehearsal;
  if (rehearsal.host().empty()) return;
  paper.line("");
  paper.field("host", std::string(rehearsal.host()));
  if (rehearsal.target()) paper.field("path", std::string(rehearsal.target()->path()));
  for (const auto change : rehearsal.path_changes())
    paper.field("", paper.faint(std::string(policy::to_string(change))));
}

std::string fit(const Paper& paper, bool is_met, const std::string& text) {
  return (is_met ? paper.good("✓") : paper.bad("✗")) + ' ' + text;
}

// The line to look at: of the first criterion that is missed, or of the route.
config::Position telling_place(const Explained& explained, const policy::Candidate& candidate) {
  if (!candidate.host) return place_of(explained, candidate, Criterion::host);
  if (!candidate.path) return place_of(explained, candidate, Criterion::path);
  if (!candidate.method) return place_of(explained, candidate, Criterion::method);
  for (std::size_t i = 0; i < candidate.headers.size(); ++i) {
    if (!candidate.headers[i]) return place_of(explained, candidate, Criterion::headers, i);
  }
  return candidate.route->where;
}

std::string headers_cell(const Paper& paper, const policy::Candidate& candidate) {
  std::string cell;
  for (std::size_t i = 0; i < candidate.headers.size(); ++i) {
    cell += (i == 0 ? "" : "  ") + fit(paper, candidate.headers[i], header_text(candidate.criteria->headers[i]));
  }
  return cell;
}

std::string result_cell(const Paper& paper, const policy::Candidate& candidate) {
  if (candidate.rank == 1) return paper.strong("governs");
  if (candidate.missed > 0) return "misses";
  return candidate.lost_by ? "loses by " + std::string(policy::to_string(*candidate.lost_by)) : "matches";
}

// All that match, then who is near: misses one criterion, and not the path where another route governs it.
std::size_t shown_candidates(const policy::Candidates& candidates) {
  const auto is_near = [&](const policy::Candidate& candidate) {
    return candidate.missed == 1 && (candidate.path || candidates.winner == nullptr);
  };
  const auto matching = static_cast<std::size_t>(std::ranges::count(candidates.all, 0U, &policy::Candidate::missed));
  const auto near = static_cast<std::size_t>(std::ranges::count_if(candidates.all, is_near));
  if (candidates.winner != nullptr) return std::min(matching, most_candidates) + std::min(near, most_near_misses);
  const bool is_any_near = matching + near > 0;
  return std::min(is_any_near ? matching + near : candidates.all.size(),
                  is_any_near ? most_candidates : most_far_misses);
}

void print_candidates(Paper& paper, const Explained& explained) {
  const auto& candidates = explained.candidates;
  if (candidates.all.empty()) return;
  const auto matching = std::ranges::count(candidates.all, 0U, &policy::Candidate::missed);
  paper.line("");
  paper.line(paper.strong("routes") + "  " + std::to_string(matching) + " of " + std::to_string(candidates.all.size()) +
             (matching == 1 ? " matches" : " match"));
  const std::size_t shown = shown_candidates(candidates);
  Table table;
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& candidate = candidates.all[i];
    table.push_back({result_cell(paper, candidate), candidate.route->name,
                     fit(paper, candidate.host, host_text(*candidate.criteria)),
                     fit(paper, candidate.path, path_text(*candidate.criteria)),
                     fit(paper, candidate.method, method_text(*candidate.criteria)), headers_cell(paper, candidate),
                     paper.faint(policy::place_text(telling_place(explained, candidate)))});
  }
  paper.table(table);
  if (const auto rest = candidates.all.size() - shown; rest > 0) {
    paper.line(paper.faint("  and " + std::to_string(rest) + " more that match less; --json lists all"));
  }
}

std::string kind_text(policy::CredentialKind kind) {
  if (kind == policy::CredentialKind::session) return "session ";
  return kind == policy::CredentialKind::admin ? "admin secret " : "API key ";
}

std::string caller_text(const Explained& explained) {
  using Found = policy::Caller::Found;
  const auto& rehearsal = explained.rehearsal;
  const policy::Caller& caller = rehearsal.caller();
  switch (caller.found) {
    case Found::not_looked:
      return rehearsal.route() == nullptr ? "not looked for, as no route governs"
                                          : "not looked for, as the route is anonymous";
    case Found::nothing:
      return "none presented";
    case Found::ambiguous:
      return "more than one presented";
    case Found::malformed:
      return "one presented that fits no key format";
    case Found::over_budget:
    case Found::could_not_find_out:
      return "a key of which nothing could be found out";
    case Found::answered:
      break;
  }
  const std::string where = " in " + std::string(source_text(rehearsal.presented().source));
  const policy::Principal& principal = caller.answer->principal;
  if (caller.answer->state != policy::KeyAnswer::State::valid) return "an API key" + where;
  std::string text = kind_text(caller.kind) + principal.key_id + where;
  if (!principal.organization.empty()) text += ", organization " + principal.organization;
  if (!principal.user.empty()) text += ", user " + principal.user;
  const auto environment =
      caller.prefix_environment != policy::Environment::none ? caller.prefix_environment : principal.environment;
  if (environment != policy::Environment::none) text += ", " + std::string(policy::to_string(environment));
  return text;
}

std::string needed_cell(const Paper& paper, const policy::Catalogue& catalogue, const policy::ScopeSet& needed,
                        const policy::Held* held) {
  std::string cell;
  for (const std::string& name : policy::names_of(catalogue, needed)) {
    const bool is_held = held != nullptr && held->set.has(*catalogue.find(name));
    cell += (cell.empty() ? "" : "  ") + (held == nullptr ? name : fit(paper, is_held, name));
  }
  return cell;
}

// Of a wildcard that leaves out no more than a few: they are restricted.
std::string unreached_text(const policy::Catalogue& catalogue, const policy::GrantShare& share) {
  constexpr std::size_t most = 3;
  std::vector<std::string> left;
  for (std::size_t number = 0; number < catalogue.size(); ++number) {
    const bool is_held = std::ranges::find(share.scopes, number) != share.scopes.end();
    if (!is_held && catalogue[number].restricted) left.push_back(catalogue[number].name);
  }
  if (share.grant != "*" || left.empty() || left.size() > most) return "";
  return ", not " + policy::list_text(left, "or") +
         (left.size() == 1 ? ", which is restricted" : ", which are restricted");
}

std::string share_text(const policy::Catalogue& catalogue, const policy::GrantShare& share) {
  if (!share.is_listed) return "nothing: it is not in the catalogue, and ignored";
  constexpr std::size_t most = 4;
  if (share.scopes.size() > most) {
    return "covers " + std::to_string(share.scopes.size()) + " of " + std::to_string(catalogue.size()) +
           unreached_text(catalogue, share);
  }
  std::vector<std::string> others;
  bool holds_itself = false;
  for (const std::size_t number : share.scopes) {
    if (catalogue[number].name == share.grant) {
      holds_itself = true;
    } else {
      others.push_back(catalogue[number].name);
    }
  }
  if (others.empty()) return holds_itself ? "" : "nothing";
  return (holds_itself ? "and implied: " : "covers ") + policy::list_text(others);
}

void print_credential(Paper& paper, const Explained& explained) {
  const auto& rehearsal = explained.rehearsal;
  if (!rehearsal.target() || rehearsal.preflight()) return;
  const auto& catalogue = rehearsal.snapshot().policy->catalogue;
  const policy::Route* const route = rehearsal.route();
  const policy::Held* const held = rehearsal.caller().held;
  paper.line("");
  paper.field("credential", caller_text(explained));
  if (route != nullptr && !route->all_scopes.empty()) {
    paper.field("needs", needed_cell(paper, catalogue, route->all_scopes, held));
  }
  if (route != nullptr && !route->any_scopes.empty()) {
    paper.field("needs one of", needed_cell(paper, catalogue, route->any_scopes, held));
  }
  std::size_t width = 0;
  for (const auto& share : explained.grants) width = std::max(width, share.grant.size());
  for (std::size_t i = 0; i < explained.grants.size(); ++i) {
    const auto& share = explained.grants[i];
    const std::string blanks(width + 2 - share.grant.size(), ' ');
    paper.field(i == 0 ? "holds" : "", share.grant + blanks + paper.faint(share_text(catalogue, share)));
  }
  const auto limits = limit_texts(rehearsal);
  for (std::size_t i = 0; i < limits.size(); ++i) paper.field(i == 0 ? "limits" : "", limits[i]);
}

void print_forwarding(Paper& paper, const Explained& explained) {
  const auto& rehearsal = explained.rehearsal;
  if (!rehearsal.headers()) return;
  paper.line("");
  paper.line(paper.strong("forwarded") + "  " + std::string(rehearsal.head().method_word) + ' ' +
             without_key(rehearsal, rehearsal.headers()->target));
  Table table;
  for (const auto& header : rehearsal.headers()->sent) {
    if (header.fate == proxy::HeaderFate::kept) continue;
    const bool is_stripped = header.fate == proxy::HeaderFate::stripped;
    table.push_back({is_stripped ? paper.bad("stripped") : "rewritten", header.name, paper.faint(header.why)});
  }
  for (const auto& header : rehearsal.headers()->added) {
    table.push_back({paper.good("added"), header.name, header.value});
  }
  paper.table(table);
  const std::string_view answer = proxy::cors_lines(rehearsal.route(), rehearsal.head());
  if (answer.empty()) return;
  paper.line("");
  paper.line(paper.strong("answered") + "  with, in place of the upstream's own Access-Control-*:");
  print_lines(paper, answer);
}

}  // namespace

void print_text(std::ostream& out, const Explained& explained, TextStyle style) {
  Paper paper(out, style.has_colour);
  paper.line(paper.strong(explained.method + ' ' + explained.url));
  print_decision(paper, explained);
  print_request(paper, explained);
  print_candidates(paper, explained);
  print_credential(paper, explained);
  print_forwarding(paper, explained);
}

}  // namespace keygate::app
