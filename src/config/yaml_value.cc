#include "config/yaml_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "config/yaml_words.h"

namespace atalaya::config {
namespace {

/// Characters that YAML would fold, drop or refuse when they stand bare: control characters, the
/// separators of U+0085, U+2028 and U+2029, and U+FEFF.
bool needs_escape(std::string_view rest) {
  const auto c = static_cast<unsigned char>(rest[0]);
  return c < 0x20 || c == 0x7f || rest.starts_with("\xc2\x85") || rest.starts_with("\xe2\x80\xa8") ||
         rest.starts_with("\xe2\x80\xa9") || rest.starts_with("\xef\xbb\xbf") ||
         (c == 0xc2 && rest.size() > 1 && static_cast<unsigned char>(rest[1]) < 0xa0);
}

bool all_printable(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (needs_escape(text.substr(i))) return false;
  }
  return true;
}

/// Several lines, none of which begins with a space or holds what a block cannot.
bool fits_literal(std::string_view text) {
  if (text.find('\n') == std::string_view::npos || text[0] == ' ' || text[0] == '\n') return false;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    if (!all_printable(text.substr(begin, end - begin))) return false;
    begin = end + 1;
  }
  return true;
}

/// `!<tag:yaml.org,2002:str> `; "" without a tag.
std::string tag_text(const YamlValue& value) {
  if (value.tag.empty()) return {};
  if (value.tag == "!") return "! ";
  std::string out = "!<";
  for (const char c : value.tag) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-_.~:/,!'()*;@&=+$").find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  }
  return out + "> ";
}

void put_block(std::string& out, const YamlValue& value, std::size_t indent, std::size_t step);

/// After "key:" or "-".
void put_child(std::string& out, const YamlValue& value, std::size_t indent, std::size_t step, bool of_list) {
  const bool plain_text = value.kind == YamlValue::Kind::kText && value.tag.empty();
  if (const auto block = plain_text ? write_literal(value.scalar, indent + step) : std::nullopt) {
    out += ' ' + *block;
  } else if ((value.entries.empty() && value.items.empty()) || !value.tag.empty()) {
    out += ' ' + write_flow(value) + '\n';
  } else if (of_list) {
    // The first line goes behind the dash.
    std::string below;
    put_block(below, value, indent + 2, step);
    out += ' ' + below.substr(indent + 2);
  } else {
    out += '\n';
    put_block(out, value, indent + step, step);
  }
}

void put_block(std::string& out, const YamlValue& value, std::size_t indent, std::size_t step) {
  for (const auto& [key, child] : value.entries) {
    out += std::string(indent, ' ') + write_text(key, false) + ':';
    put_child(out, child, indent, step, false);
  }
  for (const auto& item : value.items) {
    out += std::string(indent, ' ') + '-';
    put_child(out, item, indent, step, true);
  }
}

}  // namespace

YamlValue::YamlValue(double value)
    : scalar(std::isnan(value)   ? ".nan"
             : std::isinf(value) ? (value > 0 ? ".inf" : "-.inf")
                                 : fmt::format("{}", value)) {}

YamlValue YamlValue::list(std::vector<YamlValue> items) {
  YamlValue value;
  value.kind = Kind::kList;
  value.items = std::move(items);
  return value;
}

YamlValue YamlValue::map(std::vector<std::pair<std::string, YamlValue>> entries) {
  YamlValue value;
  value.kind = Kind::kMap;
  value.entries = std::move(entries);
  return value;
}

YamlValue& YamlValue::set(std::string key, YamlValue value) {
  if (kind == Kind::kToken && scalar.empty()) kind = Kind::kMap;
  for (auto& entry : entries) {
    if (entry.first == key) {
      entry.second = std::move(value);
      return *this;
    }
  }
  entries.emplace_back(std::move(key), std::move(value));
  return *this;
}

const YamlValue* YamlValue::get(std::string_view key) const {
  for (const auto& entry : entries) {
    if (entry.first == key) return &entry.second;
  }
  return nullptr;
}

YamlValue value_of(const Node& node) {
  YamlValue value;
  value.tag = node.tag();
  if (node.is_null()) return value;
  if (node.is_scalar()) {
    value.kind = is_text(node) ? YamlValue::Kind::kText : YamlValue::Kind::kToken;
    value.scalar = node.text();
    return value;
  }
  value.kind = node.is_mapping() ? YamlValue::Kind::kMap : YamlValue::Kind::kList;
  for (const auto* item : node.items()) value.items.push_back(value_of(*item));
  for (const auto& entry : node.entries()) value.entries.emplace_back(entry.key->text(), value_of(*entry.value));
  return value;
}

bool operator==(const YamlValue& a, const YamlValue& b) {
  if (a.kind != b.kind || a.scalar != b.scalar || a.tag != b.tag || a.entries.size() != b.entries.size()) return false;
  if (!std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end())) return false;
  for (std::size_t i = 0; i < a.entries.size(); ++i) {
    const auto& [key, value] = a.entries[i];
    // Mostly the order is the same, and looking for each of thousands of keys would take their square.
    const auto* other = b.entries[i].first == key ? &b.entries[i].second : b.get(key);
    if (!other || !(*other == value)) return false;
  }
  return true;
}

std::string write_block(const YamlValue& value, std::size_t step) {
  if ((value.entries.empty() && value.items.empty()) || !value.tag.empty()) return write_flow(value) + '\n';
  std::string out;
  put_block(out, value, 0, step);
  return out;
}

std::string write_flow(const YamlValue& value) {
  std::string out;
  switch (value.kind) {
    case YamlValue::Kind::kText: return tag_text(value) + write_text_value(value.scalar, true);
    case YamlValue::Kind::kToken: return tag_text(value) + (value.scalar.empty() ? "null" : value.scalar);
    case YamlValue::Kind::kList:
      for (const auto& item : value.items) out += (out.empty() ? "" : ", ") + write_flow(item);
      return tag_text(value) + '[' + out + ']';
    case YamlValue::Kind::kMap: break;
  }
  for (const auto& [key, child] : value.entries) {
    out += (out.empty() ? "" : ", ") + write_text(key, true) + ": " + write_flow(child);
  }
  return tag_text(value) + '{' + out + '}';
}

bool is_plain_safe(std::string_view text, bool in_flow) {
  constexpr std::string_view kIndicators = ",[]{}#&*!|>'\"%@`";
  if (text.empty() || text.front() == ' ' || text.back() == ' ' || text.back() == ':' || !all_printable(text)) {
    return false;
  }
  if (kIndicators.find(text[0]) != std::string_view::npos || text.starts_with("---") || text.starts_with("...") ||
      text == "<<") {
    return false;
  }
  if ((text[0] == '-' || text[0] == '?' || text[0] == ':') && (in_flow || text.size() == 1 || text[1] == ' ')) {
    // A number may be negative between brackets, too.
    if (!(text[0] == '-' && text.size() > 1 && text[1] >= '0' && text[1] <= '9')) return false;
  }
  if (text.find(": ") != std::string_view::npos || text.find(" #") != std::string_view::npos) return false;
  // libyaml also ends a plain scalar between brackets at some colons and question marks.
  return !in_flow || text.find_first_of(",[]{}:?") == std::string_view::npos;
}

std::string write_text(std::string_view text, bool in_flow) {
  if (is_plain_safe(text, in_flow) && is_plain_text(text)) return std::string(text);
  return double_quoted(text);
}

std::string write_text_value(std::string_view text, bool in_flow) {
  constexpr std::array<std::string_view, 4> kWords{"yes", "no", "on", "off"};
  std::string small(text.substr(0, 4));
  std::ranges::transform(small, small.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::ranges::find(kWords, small) == kWords.end() ? write_text(text, in_flow) : double_quoted(text);
}

std::string double_quoted(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (!needs_escape(text.substr(i))) {
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x80) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else if (static_cast<unsigned char>(c) == 0xc2) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(text[++i])));
    } else {
      out += text.substr(i).starts_with("\xef")           ? "\\ufeff"
             : text.substr(i).starts_with("\xe2\x80\xa8") ? "\\u2028"
                                                          : "\\u2029";
      i += 2;
    }
  }
  return out + '"';
}

std::optional<std::string> write_literal(std::string_view text, std::size_t indent) {
  if (!fits_literal(text)) return std::nullopt;
  std::string out = "|";
  if (!text.ends_with('\n')) {
    out += '-';
  } else if (text.ends_with("\n\n")) {
    out += '+';
  }
  out += '\n';
  if (text.ends_with('\n')) text.remove_suffix(1);
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    if (end > begin) out += std::string(indent, ' ');
    out += text.substr(begin, end - begin);
    out += '\n';
    begin = end + 1;
  }
  return out;
}

}  // namespace atalaya::config
