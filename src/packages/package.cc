#include "packages/package.h"

#include <boost/json.hpp>

#include <algorithm>

namespace atalaya::packages {
namespace {

std::string text_of(const boost::json::object& fields, std::string_view key) {
  const auto* value = fields.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::string joined(const boost::json::object& fields, std::string_view key) {
  std::string out;
  const auto* list = fields.if_contains(key);
  if (list == nullptr || !list->is_array()) return out;
  for (const auto& text : list->get_array()) {
    if (!out.empty()) out += ", ";
    if (text.is_string()) out += std::string_view(text.get_string());
  }
  return out;
}

/// The part of a URL that may be shown: without user, path and query, where secrets live.
std::string host_of(std::string_view url) {
  auto rest = url;
  if (const auto scheme = rest.find("://"); scheme != std::string_view::npos) rest.remove_prefix(scheme + 3);
  rest = rest.substr(0, rest.find_first_of("/?#"));
  if (const auto at = rest.rfind('@'); at != std::string_view::npos) rest.remove_prefix(at + 1);
  return std::string(rest);
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text) {
  // One star is remembered at a time: linear in practice, quadratic at worst.
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || (pattern[p] == text[t] && pattern[p] != '*'))) {
      ++p;
      ++t;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool HostSelector::matches(std::string_view host) const {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const auto& pattern) { return glob_matches(pattern, host); });
}

std::string CollectorItem::target() const {
  if (type == "http") return text_of(fields, "url");
  if (type == "tcp") return text_of(fields, "address");
  if (type == "process") return text_of(fields, fields.contains("name") ? "name" : "regex");
  if (type == "log") return joined(fields, "path");
  if (type == "ping") return text_of(fields, "host");
  return "";
}

const Item* Package::find(std::string_view section, std::string_view id) const {
  const auto found =
      std::lower_bound(items.begin(), items.end(), std::pair(section, id), [](const auto& item, const auto& key) {
        return std::pair<std::string_view, std::string_view>(item.section, item.id) < key;
      });
  return found != items.end() && found->section == section && found->id == id ? &*found : nullptr;
}

std::string ChannelItem::target() const {
  return type == "email" ? joined(fields, "to") : host_of(text_of(fields, "url"));
}

}  // namespace atalaya::packages
