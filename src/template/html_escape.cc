#include "template/html_escape.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace atalaya::templates {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }
bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

/// Bytes of the well-formed sequence (RFC 3629) at the front of `text`; 0 if there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const auto first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
  const bool outside = (first == 0xed && byte(1) > 0x9f) || (first == 0xf4 && byte(1) > 0x8f);
  return overlong || outside ? 0 : size;
}

void percent(std::string& out, char c) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const auto byte = static_cast<std::uint8_t>(c);
  out += '%';
  out += kDigits[byte >> 4];
  out += kDigits[byte & 15];
}

std::string encode(std::string_view text, std::string_view kept) {
  std::string out;
  for (const char c : text) {
    if (is_alphanumeric(c) || kept.find(c) != std::string_view::npos) {
      out += c;
    } else {
      percent(out, c);
    }
  }
  return out;
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto size = utf8_length(text);
    const char c = text.front();
    if (size > 1) {
      out += text.substr(0, size);
    } else if (size == 0 || c == 0x7f || (c >= 0 && c < 0x20 && c != '\t' && c != '\n' && c != '\r')) {
      out += kReplacement;
    } else {
      switch (c) {
        case '&': out += "&amp;"; break;
        case '<': out += "&lt;"; break;
        case '>': out += "&gt;"; break;
        case '"': out += "&#34;"; break;
        case '\'': out += "&#39;"; break;
        default: out += c;
      }
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return out;
}

bool is_safe_url(std::string_view address) {
  const auto end = address.find_first_of(":/?#");
  if (end == std::string_view::npos || address[end] != ':') return true;
  std::string scheme;
  // Whatever a browser would skip in front of a scheme or within it makes it none of these.
  for (const char c : address.substr(0, end)) scheme += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return scheme == "http" || scheme == "https" || scheme == "mailto";
}

std::string safe_url(std::string_view address) {
  if (!is_safe_url(address)) return "#blocked";
  constexpr std::string_view kKept = "-._~:/?#[]@!$&()*+,;=";
  std::string out;
  for (std::size_t i = 0; i < address.size(); ++i) {
    const char c = address[i];
    const bool encoded = c == '%' && i + 2 < address.size() && is_hex(address[i + 1]) && is_hex(address[i + 2]);
    if (encoded || is_alphanumeric(c) || kKept.find(c) != std::string_view::npos) {
      out += c;
    } else {
      percent(out, c);
    }
  }
  return out;
}

std::string encode_url_path(std::string_view text) { return encode(text, "-._~:@/,;!$*()"); }

std::string encode_url_component(std::string_view text) { return encode(text, "-._~"); }

std::string escaped(const Value& value, Escape escape) {
  if (escape == Escape::kText && value.is_markup()) return print(*value);
  auto text = print(*value);
  switch (escape) {
    case Escape::kNone: return text;
    case Escape::kText:
    case Escape::kAttribute: break;
    case Escape::kUrl: text = safe_url(text); break;
    case Escape::kUrlPath: text = encode_url_path(text); break;
    case Escape::kUrlComponent: text = encode_url_component(text); break;
  }
  return escape_html(text);
}

}  // namespace atalaya::templates
