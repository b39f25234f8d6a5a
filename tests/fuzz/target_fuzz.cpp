// The canonical form of a target: what it must look like, that it means what was sent, and that it is its own canonical
// form; under each mix of relaxations. Which targets are refused, and what the form is, is held against a plain
// reading.
#include "policy/path_changes.hpp"
#include "policy/target.hpp"
#include "tests/fuzz/probe.hpp"
#include "tests/unit/policy/reference_target.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>
#include <vector>

namespace keygate::fuzz {
namespace {

using policy::RequestTarget;
using policy::TargetFlaw;
using policy::testing::hex_byte;
using policy::testing::is_target_text;
using policy::testing::reference_path;

// Every escape decoded; nullopt where a percent sign begins none.
std::optional<std::string> decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    const auto byte = hex_byte(text.substr(i + 1));
    if (!byte) return std::nullopt;
    result += static_cast<char>(*byte);
    i += 2;
  }
  return result;
}

// Escapes are in upper case, and none stands for a byte that needs none.
bool is_canonical(std::string_view path) {
  for (std::size_t at = path.find('%'); at != std::string_view::npos; at = path.find('%', at + 1)) {
    const auto byte = hex_byte(path.substr(at + 1));
    const auto digits = path.substr(at + 1, 2);
    if (!byte || digits.find_first_of("abcdef") != std::string_view::npos) return false;
    const auto c = static_cast<char>(*byte);
    if (*byte < 0x80 &&
        (std::isalnum(static_cast<int>(*byte)) != 0 || std::string_view("-._~").find(c) != std::string_view::npos))
      return false;
  }
  return true;
}

// `.` and `..`, and what a reader of parameters or of escaped slashes takes for them, or for nothing.
bool has_trap_segment(std::string_view path) {
  for (const auto segment : split(path.substr(1), '/')) {
    const auto text = *decoded(segment);
    for (const auto piece : split(text, '/')) {
      const auto name = piece.substr(0, piece.find(';'));
      if (name == "." || name == ".." || (name.empty() && !piece.empty())) return true;
    }
  }
  return false;
}

void probe_under(const config::PathSettings& rules, std::string_view input) {
  const auto question = std::min(input.find('?'), input.size());
  const auto path = input.substr(0, question);
  const auto query = input.substr(question);
  const auto due = reference_path(path, rules);
  const bool is_due = due && is_target_text(query);

  std::vector<char> raw(input.begin(), input.end());
  const auto result = RequestTarget::parse(raw, rules);
  if (const auto* flaw = std::get_if<TargetFlaw>(&result)) {
    if (is_due) broken("what the rules take is taken", std::string(to_string(*flaw)));
    hold(!to_string(*flaw).empty(), "each flaw has a name");
    return;
  }
  hold(is_due, "nothing is taken but what the rules take");
  const auto& target = std::get<RequestTarget>(result);
  const std::string whole(target.whole());
  hold(whole.size() <= input.size(), "the canonical form is never longer");
  hold(whole.data() != nullptr && target.whole().data() == raw.data(), "it stands where the raw form stood");
  hold(is_target_text(whole), "no forbidden byte comes out");
  hold(is_canonical(target.path()), "escapes are canonical");
  hold_equal(target.path(), *due, "the path is that of a plain reading");
  hold(!has_trap_segment(target.path()), "no segment is a dot segment to anybody");
  hold(target.path().find("//") == std::string_view::npos, "no segment is empty");
  if (!rules.merge_slashes && !rules.resolve_dots) {
    hold_equal(*decoded(target.path()), *decoded(path), "the path means what was sent");
  }
  hold_equal(whole.substr(target.path().size()), query, "the query is kept byte for byte");
  hold_equal(target.has_query(), !query.empty(), "there is a query where there was one");

  std::vector<char> again(whole.begin(), whole.end());
  const auto second = RequestTarget::parse(again, rules);
  hold(std::holds_alternative<RequestTarget>(second), "the canonical form is taken");
  hold_equal(std::get<RequestTarget>(second).whole(), whole, "the canonical form is its own canonical form");

  std::vector<char> strictly(input.begin(), input.end());
  const auto plain = RequestTarget::parse(strictly);
  if (!std::holds_alternative<RequestTarget>(plain)) return;
  hold_equal(std::get<RequestTarget>(plain).whole(), whole, "what is plain stays so");
  hold(policy::path_changes(path, rules).empty(), "what is plain owes nothing to a relaxation");
}

}  // namespace

void probe(std::string_view input) {
  for (const auto& rules : policy::testing::all_path_rules()) probe_under(rules, input);
}

}  // namespace keygate::fuzz
