// Changes for people to read.
#include <fmt/format.h>

#include <algorithm>

#include "config/yaml_edit_lines.h"
#include "packages/edit.h"

namespace atalaya::packages {
namespace {

constexpr std::size_t kContext = 3;

/// A line of the diff: ' ', '-' or '+'.
struct Step {
  char sign = ' ';
  std::string_view line;
  std::size_t a = 0;  ///< lines of before that come before it
  std::size_t b = 0;
};

std::vector<Step> steps_between(const std::vector<std::string_view>& a, const std::vector<std::string_view>& b) {
  std::vector<Step> steps;
  std::size_t i = 0;
  std::size_t j = 0;
  auto common = config::edit::common_lines(a, b);
  common.emplace_back(a.size(), b.size());
  for (const auto& [same_a, same_b] : common) {
    for (; i < same_a; ++i) steps.push_back({'-', a[i], i, j});
    for (; j < same_b; ++j) steps.push_back({'+', b[j], i, j});
    if (i == a.size() || j == b.size()) continue;
    steps.push_back({' ', a[i], i, j});
    ++i;
    ++j;
  }
  return steps;
}

/// "3,7", "3" for one line, "2,0" for none after line 2.
std::string range(std::size_t begin, std::size_t count) {
  if (count == 1) return std::to_string(begin + 1);
  return fmt::format("{},{}", count == 0 ? begin : begin + 1, count);
}

}  // namespace

std::string unified_diff(const FileChange& change) {
  if (change.before == change.after) return {};
  const std::string before = change.before.value_or("");
  const std::string after = change.after.value_or("");
  const auto steps = steps_between(config::edit::split_lines(before), config::edit::split_lines(after));
  auto out = fmt::format("--- {}\n+++ {}\n", change.before ? "a/" + change.file : "/dev/null",
                         change.after ? "b/" + change.file : "/dev/null");
  for (std::size_t i = 0; i < steps.size();) {
    if (steps[i].sign == ' ') {
      ++i;
      continue;
    }
    // A hunk goes on as long as the next difference is so near that the contexts would touch.
    const auto begin = i - std::min(i, kContext);
    auto end = i;
    for (auto j = i; j < steps.size() && j <= end + 2 * kContext; ++j) {
      if (steps[j].sign != ' ') end = j;
    }
    const auto stop = std::min(end + 1 + kContext, steps.size());
    std::size_t removed = 0;
    std::size_t added = 0;
    for (auto j = begin; j < stop; ++j) {
      removed += steps[j].sign != '+';
      added += steps[j].sign != '-';
    }
    out += fmt::format("@@ -{} +{} @@\n", range(steps[begin].a, removed), range(steps[begin].b, added));
    for (auto j = begin; j < stop; ++j) {
      out += steps[j].sign;
      out += steps[j].line;
      if (!steps[j].line.ends_with('\n')) out += "\n\\ No newline at end of file\n";
    }
    i = stop;
  }
  return out;
}

}  // namespace atalaya::packages
