#include "pages/lookup.h"

#include <algorithm>
#include <array>
#include <utility>

namespace atalaya::pages {
namespace {

constexpr std::size_t kMaxPackages = 64;
constexpr std::size_t kMaxPath = 200;

void add(const std::string& package, const std::function<std::vector<std::string>(const std::string&)>& fallbacks,
         std::vector<std::string>& order) {
  if (order.size() >= kMaxPackages || std::ranges::find(order, package) != order.end()) return;
  order.push_back(package);
  for (const auto& next : fallbacks(package)) add(next, fallbacks, order);
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

}  // namespace

std::vector<std::string> lookup_order(const std::string& package,
                                      const std::function<std::vector<std::string>(const std::string&)>& fallbacks) {
  std::vector<std::string> order;
  add(package, fallbacks, order);
  return order;
}

bool is_plain_path(std::string_view path) {
  if (path.empty() || path.size() > kMaxPath) return false;
  bool begins = true;
  for (const char c : path) {
    if (c == '/' ? begins : !is_plain(c) || (begins && (c == '.' || c == '-'))) return false;
    begins = c == '/';
  }
  return !begins;
}

std::optional<std::string_view> content_type_of(std::string_view path) {
  // Nothing that a browser runs: no scripts, no HTML of its own.
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kTypes{
      {{".css", "text/css; charset=utf-8"}, {".png", "image/png"}, {".svg", "image/svg+xml"}}};
  for (const auto& [ending, type] : kTypes) {
    if (path.ends_with(ending)) return type;
  }
  return std::nullopt;
}

}  // namespace atalaya::pages
