#include "config/problem.hpp"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <tuple>

namespace keygate::config {
namespace {

std::string_view file_of(const Position& where) {
  return where.file ? std::string_view(*where.file) : std::string_view();
}

auto facts(const Problem& problem) {
  return std::tuple(file_of(problem.where), problem.where.line, problem.where.column, problem.severity,
                    std::string_view(problem.path), std::string_view(problem.message), std::string_view(problem.hint));
}

auto place(const Problem& problem) {
  return std::tuple(file_of(problem.where), problem.where.line, problem.where.column);
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (auto& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

// Optimal string alignment: a swap of two neighbours is one edit, because fingers make it as easily as any other.
std::size_t edits_between(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t differs = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + differs});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string render(const Problem& problem) {
  std::string text(file_of(problem.where));
  if (problem.where.line > 0) {
    if (!text.empty()) text += ':';
    text += std::to_string(problem.where.line) + ':' + std::to_string(problem.where.column);
  }
  if (!text.empty()) text += ": ";
  if (problem.severity == Severity::warning) text += "warning: ";
  if (!problem.path.empty()) text += problem.path + ": ";
  text += problem.message;
  if (!problem.hint.empty()) text += "; " + problem.hint;
  // A key can be "a\n\e[31m". Read from a terminal or a build's log, it must not pass for lines or colours of ours.
  for (char& c : text) c = (c >= 0 && c < 0x20) || c == 0x7f ? '?' : c;
  return text;
}

void sort_by_place(Problems& problems) {
  std::stable_sort(problems.begin(), problems.end(),
                   [](const Problem& a, const Problem& b) { return place(a) < place(b); });
  // Equal ones share a place, so they are near each other, though not always neighbours.
  Problems unique;
  for (auto& problem : problems) {
    const auto same = [&problem](const Problem& other) { return facts(other) == facts(problem); };
    const auto from = std::find_if(unique.rbegin(), unique.rend(),
                                   [&problem](const Problem& other) { return place(other) != place(problem); });
    if (std::none_of(unique.rbegin(), from, same)) unique.push_back(std::move(problem));
  }
  problems = std::move(unique);
}

bool has_errors(const Problems& problems) {
  return std::any_of(problems.begin(), problems.end(),
                     [](const Problem& problem) { return problem.severity == Severity::error; });
}

std::string nearest_word(const std::string& word, const std::vector<std::string>& known) {
  constexpr std::size_t longest_slip = 64;  // the distance costs the product of both lengths
  if (word.empty() || word.size() > longest_slip) return {};
  const auto folded = lower(word);
  std::string nearest;
  auto fewest = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const auto& candidate : known) {
    const auto edits = edits_between(folded, lower(candidate));
    if (edits < fewest && edits < candidate.size()) {
      fewest = edits;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace keygate::config
