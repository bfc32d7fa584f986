#include "schema/names.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace atalaya::schema {
namespace {

/// The UI's palette (tokens of its style sheet).
constexpr std::array<std::string_view, 17> kPalette{
    "accent",   "ok",       "warn",     "crit",     "nodata",   "ack",      "muted",    "series-1", "series-2",
    "series-3", "series-4", "series-5", "series-6", "series-7", "series-8", "series-9", "series-10"};

bool is_alnum(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_address(std::string_view text) {
  std::array<unsigned char, 16> bytes{};
  const std::string terminated(text);
  return inet_pton(AF_INET, terminated.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1;
}

bool is_dns_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(), [](char c) { return is_alnum(c) || c == '-' || c == '_'; });
}

bool is_dns_name(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text.size() > 253) return false;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find('.', begin), text.size());
    if (!is_dns_label(text.substr(begin, end - begin))) return false;
    begin = end + 1;
  }
  // What looks like an IPv4 address must be one.
  return text.find_first_not_of("0123456789.") != std::string_view::npos;
}

}  // namespace

bool is_host(std::string_view text) {
  return text.size() <= 254 && text.find('\0') == std::string_view::npos && (is_dns_name(text) || is_address(text));
}

bool is_email(std::string_view text) {
  const auto at = text.rfind('@');
  if (at == std::string_view::npos || at == 0 || at > 64) return false;
  const auto local = text.substr(0, at);
  const bool plain = std::all_of(local.begin(), local.end(), [](char c) {
    return is_alnum(c) || std::string_view("!#$%&'*+-/=?^_`{|}~.").find(c) != std::string_view::npos || (c & 0x80) != 0;
  });
  if (!plain || local.starts_with('.') || local.ends_with('.')) return false;
  return is_dns_name(text.substr(at + 1)) && !text.ends_with('.');
}

bool is_colour(std::string_view text) {
  if (std::find(kPalette.begin(), kPalette.end(), text) != kPalette.end()) return true;
  return text.size() == 7 && text[0] == '#' &&
         text.find_first_not_of("0123456789abcdefABCDEF", 1) == std::string_view::npos;
}

std::string colour_names() {
  std::string names;
  for (const auto name : kPalette) names += (names.empty() ? "" : ", ") + std::string(name);
  return names;
}

bool is_path_within(std::string_view text) {
  if (text.empty() || text.size() > 1000 || text.find_first_of(std::string_view("\0\\\n", 3)) != std::string_view::npos)
    return false;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find('/', begin), text.size());
    const auto part = text.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = end + 1;
  }
  return true;
}

}  // namespace atalaya::schema
