#include "rules/groups/glob.h"

#include <fnmatch.h>

#include <algorithm>

namespace atalaya::rules {
namespace {

bool is_pattern(std::string_view part) { return part.find_first_of("*?[") != std::string_view::npos; }

}  // namespace

bool is_glob(std::string_view text) {
  const auto take = [&text] {
    if (text.empty() || text[0] == '-' || text[0] == ']') return false;
    text.remove_prefix(text[0] == '\\' ? 1 : 0);
    if (text.empty()) return false;
    text.remove_prefix(1);
    return true;
  };
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c == '\\' && text.empty()) return false;
    if (c == '\\') text.remove_prefix(1);
    if (c != '[') continue;
    if (text.starts_with('^')) text.remove_prefix(1);
    do {
      if (!take()) return false;
      if (!text.starts_with('-')) continue;
      text.remove_prefix(1);
      if (!take()) return false;
    } while (!text.starts_with(']'));
    text.remove_prefix(1);
  }
  return true;
}

std::vector<std::string> expand_glob(io::FileSystem& files, const std::string& pattern) {
  if (!is_pattern(pattern)) return {pattern};
  std::vector<std::string> found{pattern.starts_with('/') ? "/" : ""};
  for (std::size_t at = pattern.starts_with('/') ? 1 : 0; at <= pattern.size();) {
    const auto slash = std::min(pattern.find('/', at), pattern.size());
    const auto part = pattern.substr(at, slash - at);
    at = slash + 1;
    const bool last = at > pattern.size();
    std::vector<std::string> next;
    for (const auto& base : found) {
      if (!is_pattern(part)) {
        next.push_back(base + part + (last ? "" : "/"));
        continue;
      }
      const auto entries = files.list(base.empty() ? "." : base);
      if (!entries) continue;
      for (const auto& entry : *entries) {
        if (fnmatch(part.c_str(), entry.name.c_str(), 0) == 0) next.push_back(base + entry.name + (last ? "" : "/"));
      }
    }
    found = std::move(next);
  }
  std::erase_if(found, [&](const auto& path) { return !files.exists(path); });
  std::ranges::sort(found);
  return found;
}

}  // namespace atalaya::rules
