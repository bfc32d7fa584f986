#include "config/suggest.h"

#include <algorithm>

namespace atalaya::config {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Keys are short; a text from outside may not be.
  constexpr std::size_t kLongest = 64;
  if (a.size() > kLongest || b.size() > kLongest) return std::max(a.size(), b.size());
  std::vector<std::size_t> two(b.size() + 1), one(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) one[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({one[j] + 1, row[j - 1] + 1, one[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], two[j - 2] + 1);
    }
    two.swap(one);
    one.swap(row);
  }
  return one[b.size()];
}

std::string closest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = word.size();
  for (const auto& candidate : candidates) {
    const auto distance = edit_distance(word, candidate);
    if (distance <= std::max<std::size_t>(1, std::max(word.size(), candidate.size()) / 3) && distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string suggestion(std::string_view word, const std::vector<std::string>& candidates) {
  if (const auto near = closest(word, candidates); !near.empty()) return "did you mean \"" + near + "\"?";
  return known_are(candidates);
}

std::string known_are(const std::vector<std::string>& candidates) {
  if (candidates.empty()) return {};
  auto sorted = candidates;
  std::sort(sorted.begin(), sorted.end());
  std::string text = "known are: ";
  constexpr std::size_t kMost = 24;  // nobody reads more of them in a message
  for (std::size_t i = 0; i < std::min(sorted.size(), kMost); ++i) text += (i == 0 ? "" : ", ") + sorted[i];
  if (sorted.size() > kMost) text += " and " + std::to_string(sorted.size() - kMost) + " more";
  return text;
}

}  // namespace atalaya::config
