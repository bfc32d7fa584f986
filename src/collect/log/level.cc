#include "collect/log/level.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace atalaya::collect::log {
namespace {

constexpr std::size_t kHeadBytes = 200;
constexpr std::size_t kHeadWords = 10;

struct Name {
  std::string_view word;
  std::string_view level;
};
constexpr std::array<Name, 22> kNames = {
    {{"TRACE", "trace"},        {"DEBUG", "debug"},      {"DBG", "debug"},         {"INFO", "info"},
     {"INF", "info"},           {"INFORMATION", "info"}, {"NOTICE", "info"},       {"AUDIT", "info"},
     {"WARN", "warning"},       {"WARNING", "warning"},  {"WRN", "warning"},       {"ERROR", "error"},
     {"ERR", "error"},          {"SEVERE", "error"},     {"CRITICAL", "critical"}, {"CRIT", "critical"},
     {"FATAL", "critical"},     {"ALERT", "critical"},   {"EMERG", "critical"},    {"PANIC", "critical"},
     {"EMERGENCY", "critical"}, {"FTL", "critical"}}};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string_view level_of(std::string_view word) {
  if (word.size() < 3 || word.size() > 11) return {};
  for (const auto& name : kNames) {
    if (name.word.size() != word.size()) continue;
    if (std::ranges::equal(name.word, word,
                           [](char a, char b) { return a == std::toupper(static_cast<unsigned char>(b)); }))
      return name.level;
  }
  return {};
}

bool is_upper(std::string_view word) {
  return std::ranges::all_of(word, [](char c) { return c >= 'A' && c <= 'Z'; });
}

/// The key before `=` or `:` of `level=warn`, `"level":"warn"`, `severity: warn`.
bool follows_key(std::string_view before) {
  while (!before.empty() && (before.back() == '"' || before.back() == '\'' || before.back() == ' '))
    before.remove_suffix(1);
  if (before.empty() || (before.back() != '=' && before.back() != ':')) return false;
  before.remove_suffix(1);
  while (!before.empty() && before.back() == '"') before.remove_suffix(1);
  return before.ends_with("level") || before.ends_with("lvl") || before.ends_with("severity") ||
         before.ends_with("levelname");
}

/// Whether a word in lower or mixed case stands where a level stands, not in a sentence.
bool stands_alone(std::string_view before, std::string_view after) {
  const char left = before.empty() ? '\0' : before.back();
  const char right = after.empty() ? '\0' : after.front();
  if ((left == '[' && right == ']') || (left == '<' && right == '>') || (left == '(' && right == ')')) return true;
  // nginx and others: `module.error]`, `[core:error]`.
  if (left == ':' && right == ']') return true;
  return right == ':' && (before.empty() || left == ' ' || left == '\t');
}

}  // namespace

std::string_view recognise_level(std::string_view line) {
  const auto head = line.substr(0, kHeadBytes);
  std::size_t words = 0;
  for (std::size_t at = 0; at < head.size();) {
    if (!is_letter(head[at])) {
      ++at;
      continue;
    }
    auto end = at;
    while (end < head.size() && is_letter(head[end])) ++end;
    const auto word = head.substr(at, end - at);
    const auto before = head.substr(0, at);
    const auto after = head.substr(end);
    if (const auto level = level_of(word); !level.empty()) {
      const bool part = (!before.empty() && (before.back() == '_' || before.back() == '-' || before.back() == '.' ||
                                             before.back() == '/')) ||
                        (!after.empty() && (after.front() == '_' || after.front() == '-' || after.front() == '.' ||
                                            after.front() == '/' || after.front() == '='));
      if (follows_key(before)) return level;
      if (!part && words < kHeadWords && (is_upper(word) || stands_alone(before, after))) return level;
    }
    ++words;
    at = end;
  }
  return {};
}

}  // namespace atalaya::collect::log
