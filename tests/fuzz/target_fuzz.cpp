// The canonical form of a target: what it must look like, that it means what was sent, and that it is its own canonical
// form. Which targets are refused is held against a reading that decodes first and asks then.
#include "policy/target.hpp"
#include "tests/fuzz/probe.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>
#include <vector>

namespace keygate::fuzz {
namespace {

using policy::RequestTarget;
using policy::TargetFlaw;

std::optional<unsigned> hex(std::string_view two) {
  constexpr std::string_view digits = "0123456789abcdefABCDEF";
  if (two.size() < 2 || digits.find(two[0]) == std::string_view::npos || digits.find(two[1]) == std::string_view::npos)
    return std::nullopt;
  return static_cast<unsigned>(std::stoul(std::string(two.substr(0, 2)), nullptr, 16));
}

// Every escape decoded; nullopt where a percent sign begins none.
std::optional<std::string> decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    const auto byte = hex(text.substr(i + 1));
    if (!byte) return std::nullopt;
    result += static_cast<char>(*byte);
    i += 2;
  }
  return result;
}

bool is_target_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c > 0x20 && c < 0x7F && std::string_view("\"<>\\^`{|}#").find(c) == std::string_view::npos;
  });
}

bool is_trap(unsigned byte) {
  return byte < 0x20 || byte == 0x7F ||
         std::string_view("/\\;?#").find(static_cast<char>(byte)) != std::string_view::npos;
}

// By the code points themselves, rather than by the ranges of bytes.
bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t size = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
    if (size == 0 || i + size > text.size()) return false;
    unsigned point = size == 1 ? lead : lead & (0xFFU >> (size + 1));
    for (std::size_t k = 1; k < size; ++k) {
      const auto byte = static_cast<unsigned char>(text[i + k]);
      if (byte >> 6 != 2) return false;
      point = point << 6 | (byte & 0x3FU);
    }
    constexpr unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < least[size] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return false;
    i += size;
  }
  return true;
}

std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> found;
  for (path.remove_prefix(1);;) {
    const auto slash = path.find('/');
    found.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return found;
    path.remove_prefix(slash + 1);
  }
}

// Whether the rules of docs/policy.md take this path, raw as it came.
bool is_acceptable(std::string_view path) {
  if (!path.starts_with('/') || !is_target_text(path) || path.find(';') != std::string_view::npos) return false;
  std::size_t count = 0;
  const auto all = segments(path);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto text = decoded(all[i]);
    if (!text || *text == "." || *text == ".." || (text->empty() && i + 1 < all.size()) || !is_utf8(*text))
      return false;
    if (std::any_of(text->begin(), text->end(), [](char c) { return is_trap(static_cast<unsigned char>(c)); })) {
      return false;
    }
    // What the next decoder down the line would make of it.
    for (std::size_t at = text->find('%'); at != std::string::npos; at = text->find('%', at + 1)) {
      const auto byte = hex(std::string_view(*text).substr(at + 1));
      if (byte && (is_trap(*byte) || *byte == '.' || *byte == '%')) return false;
    }
    count += text->empty() ? 0 : 1;
  }
  return count <= RequestTarget::max_segments;
}

// Escapes are in upper case, and none stands for a byte that needs none.
bool is_canonical(std::string_view path) {
  for (std::size_t at = path.find('%'); at != std::string_view::npos; at = path.find('%', at + 1)) {
    const auto byte = hex(path.substr(at + 1));
    const auto digits = path.substr(at + 1, 2);
    if (!byte || digits.find_first_of("abcdef") != std::string_view::npos) return false;
    const auto c = static_cast<char>(*byte);
    if (*byte < 0x80 &&
        (std::isalnum(static_cast<int>(*byte)) != 0 || std::string_view("-._~").find(c) != std::string_view::npos))
      return false;
  }
  return true;
}

}  // namespace

void probe(std::string_view input) {
  const auto question = std::min(input.find('?'), input.size());
  const auto path = input.substr(0, question);
  const auto query = input.substr(question);
  const bool is_due = is_acceptable(path) && is_target_text(query);

  std::vector<char> raw(input.begin(), input.end());
  const auto result = RequestTarget::parse(raw);
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
  hold(is_acceptable(target.path()), "the canonical path is one that the rules take");
  hold_equal(*decoded(target.path()), *decoded(path), "the path means what was sent");
  hold_equal(whole.substr(target.path().size()), query, "the query is kept byte for byte");
  hold_equal(target.has_query(), !query.empty(), "there is a query where there was one");

  std::vector<char> again(whole.begin(), whole.end());
  const auto second = RequestTarget::parse(again);
  hold(std::holds_alternative<RequestTarget>(second), "the canonical form is taken");
  hold_equal(std::get<RequestTarget>(second).whole(), whole, "the canonical form is its own canonical form");
}

}  // namespace keygate::fuzz
